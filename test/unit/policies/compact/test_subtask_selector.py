"""Which subtask `compact` takes for the present one."""

import numpy as np
from numpy.typing import NDArray

from vla_ros.policies.compact.subtask_selector import LEAD_UPDATES, REST_UPDATES, TRIAL_UPDATES, SubtaskSelector


def shares(first: float, second: float) -> NDArray[np.float64]:
    return np.array([first, second, 1.0 - first - second])


def test_the_present_one_stays_until_another_is_clearly_likelier() -> None:
    selector = SubtaskSelector(0.15)
    assert selector.update(shares(0.6, 0.3), False) == 0
    assert selector.update(shares(0.44, 0.56), False) == 0
    assert selector.update(shares(0.3, 0.6), False) == 1


def test_one_that_has_long_been_a_little_likelier_takes_over() -> None:
    selector = SubtaskSelector(0.15)
    selector.update(shares(0.6, 0.3), False)
    seen = [selector.update(shares(0.44, 0.56), False) for _ in range(LEAD_UPDATES + 1)]
    assert seen == [0] * LEAD_UPDATES + [1]


def test_a_hand_that_waits_in_vain_tries_the_next_likeliest_and_comes_back() -> None:
    selector = SubtaskSelector(0.15)
    seen = [selector.update(shares(0.62, 0.35), True) for _ in range(REST_UPDATES + TRIAL_UPDATES + 1)]
    assert seen == [0] * (REST_UPDATES - 1) + [1] * (TRIAL_UPDATES + 1) + [0]


def test_the_turn_is_long_enough_to_change_what_is_seen() -> None:
    selector = SubtaskSelector(0.15)
    for _ in range(REST_UPDATES):
        selector.update(shares(0.62, 0.35), True)
    seen = [selector.update(shares(0.62, 0.35), False) for _ in range(TRIAL_UPDATES)]
    seen += [selector.update(shares(0.1, 0.85), False) for _ in range(3)]  # the fingers are open
    assert set(seen) == {1}


def test_what_moves_does_not_wait_and_what_is_unlikely_gets_no_turn() -> None:
    moving, sure = SubtaskSelector(0.15), SubtaskSelector(0.15)
    for number in range(3 * REST_UPDATES):
        assert moving.update(shares(0.62, 0.35), number % 10 > 0) == 0
        assert sure.update(shares(0.89, 0.1), True) == 0
