"""A stop ends the instruction that was taken before it, and no other."""

from __future__ import annotations

import pytest

from vla_ros.control.stop_watch import StopWatch
from vla_ros.safety.states import State

HOLDING, TRACKING, ESTOP, DISARMED = State.HOLDING, State.TRACKING, State.ESTOP, State.DISARMED


def watch(*statuses: tuple[State, int]) -> StopWatch:
    made = StopWatch()
    for state, stops in statuses:
        made.on_status(state, stops)
    made.on_instruction()
    return made


@pytest.mark.parametrize("state", [ESTOP, State.PROTECTIVE_STOP, State.DISARMING, DISARMED, State.STOPPING, HOLDING])
def test_a_stop_ends_the_instruction_once(state: State) -> None:
    made = watch((HOLDING, 3))
    assert not made.on_status(TRACKING, 3)
    assert made.on_status(state, 4), "a dead-man switch stops without a change of state that lasts"
    assert not made.on_status(state, 4) and not made.on_status(HOLDING, 4)


@pytest.mark.parametrize("before", [(), ((ESTOP, 1),), ((DISARMED, 0),), ((ESTOP, 1), (DISARMED, 1))])
def test_an_older_stop_whose_count_comes_late_ends_nothing(before: tuple[tuple[State, int], ...]) -> None:
    """E-stop, reset, arm, and an instruction at once, before the statuses of all that have come."""
    made = watch(*before)
    assert not made.on_status(DISARMED, 1)
    assert not made.on_status(HOLDING, 1)
    assert made.on_status(ESTOP, 2)


def test_a_latch_before_arming_ends_what_was_said_before_it() -> None:
    made = watch((DISARMED, 0))
    assert made.on_status(ESTOP, 1)
    assert not made.on_status(DISARMED, 1) and not made.on_status(HOLDING, 1)


def test_a_filter_that_was_started_again_has_stopped_the_arm() -> None:
    made = watch((TRACKING, 5))
    assert made.on_status(DISARMED, 0)


def test_stops_between_two_statuses_are_one_end() -> None:
    made = watch((TRACKING, 1))
    assert made.on_status(HOLDING, 4) and made.armed
    made.on_instruction()
    assert not made.on_status(TRACKING, 4)
