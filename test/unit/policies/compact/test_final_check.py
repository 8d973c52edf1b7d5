"""The last look: which steps it looks at, when the hand goes out of the way, what it makes of what it sees."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vla_ros.arrays import Array
from vla_ros.policies.compact.final_check import LOOKS, ArmPosture, FinalCheck, StepMemory, combined, standing_steps
from vla_ros.policies.compact.object_tracker import Detection, ObjectTracker
from vla_ros.policies.compact.waypoint_decoder import LOOKOUT
from vla_ros.tasks.completion import Completion, SeenHand, StepCheck

NONE = {"verb": "pick", "side": "none", "x_colour": "red", "x_shape": "cube", "y_colour": "none", "y_shape": "none"}
PLACE = {**NONE, "verb": "place", "y_shape": "bowl"}
ABOVE, HOME = np.array([0.5, 0.0, 0.2]), LOOKOUT.copy()


class Looker:
    """A localizer that sees what it is told to, by (call of begin_step, role)."""

    def __init__(self, *sights: tuple[Array | None, Array | None]) -> None:
        self.sights, self.steps = list(sights), -1

    def begin_step(self, step: Mapping[str, str]) -> None:
        self.steps += 1
        self.trackers = (ObjectTracker(), ObjectTracker())

    def update(self, views: Any, queries: Any, elapsed_s: float, p_tool: Array, carried: bool) -> None:
        for tracker, p in zip(self.trackers, self.sights[min(self.steps, len(self.sights) - 1)], strict=True):
            if p is not None:
                tracker.update(Detection(p, 0.002, np.zeros(2), 0.9), elapsed_s, carried)

    def p_camera(self, view: Any) -> Array:
        return np.array([1.25, 0.0, 0.8])


def final(looker: Looker, *steps: Mapping[str, str], memory: StepMemory | None = None) -> FinalCheck:
    parsed: Any = SimpleNamespace(parsed_steps=steps, queries=np.zeros((1, len(steps), 2, 1)))
    decoder: Any = SimpleNamespace(lookout=lambda *now: np.array([[*LOOKOUT, 0.0, now[2], 0.2]] * 2))
    memories = [memory or StepMemory(np.array([0.4, 0.1, 0.022]), None, None)] * len(steps)
    looking: Any = looker
    return FinalCheck(looking, decoder, parsed, memories)


def arm(p: Array, holds: bool = False) -> ArmPosture:
    return ArmPosture(SeenHand(p, holds), 0.0, np.zeros(8), at_rest=True, may_move=True)


def looks(check: FinalCheck, count: int, now: ArmPosture) -> Any:
    """Return the first answer of at most `count` looks, else what the last one returned."""
    found: Any = None
    for _ in range(count):
        found = check.update([None], 0.1, now, 0.02)  # type: ignore[list-item]
        if isinstance(found, StepCheck):
            break
    return found


BOWL, IN_BOWL, BESIDE = np.array([0.5, 0.0, 0.02]), np.array([0.5, 0.01, 0.03]), np.array([0.5, 0.2, 0.022])


def test_what_is_seen_to_be_done_is_done_without_another_motion() -> None:
    check = final(Looker((IN_BOWL, BOWL)), PLACE)
    assert looks(check, LOOKS - 1, arm(ABOVE)) is None
    assert looks(check, 1, arm(ABOVE)) == StepCheck(Completion.DONE)


@pytest.mark.parametrize("second", [BESIDE, IN_BOWL, None])
def test_what_does_not_show_is_looked_at_again_with_the_hand_out_of_the_way(second: Array | None) -> None:
    check = final(Looker((BESIDE, BOWL), (second, BOWL)), PLACE)
    assert looks(check, LOOKS, arm(ABOVE)) is None
    rows = looks(check, 1, arm(ABOVE))
    np.testing.assert_allclose(rows[:, :3], [LOOKOUT] * 2)
    found = looks(check, LOOKS, arm(HOME))
    expected = Completion.UNSURE if second is None else Completion.DONE if second is IN_BOWL else Completion.FAILED
    assert found.verdict is expected


def test_a_hand_that_does_not_get_out_of_the_way_is_not_waited_for_for_ever() -> None:
    check = final(Looker((BESIDE, BOWL)), PLACE)
    assert looks(check, 100, arm(ABOVE)) is not None


def test_each_step_is_looked_at_and_what_has_failed_is_told_first() -> None:
    other = {**PLACE, "x_colour": "blue"}
    check = final(Looker((IN_BOWL, BOWL), (BESIDE, BOWL)), PLACE, other)
    assert looks(check, 2 * LOOKS, arm(HOME)) is None
    assert "the blue cube is not in the bowl" in looks(check, 100, arm(HOME)).reason


def test_a_thing_that_a_later_step_moves_on_is_looked_for_there() -> None:
    assert list(standing_steps([NONE, PLACE])) == [1]
    assert list(standing_steps([PLACE, {**NONE, "x_colour": "blue"}])) == [0, 1]


def test_what_x_hides_stands_where_it_stood() -> None:
    memory = StepMemory(np.array([0.4, 0.1, 0.022]), None, BOWL)
    assert looks(final(Looker((IN_BOWL, None)), PLACE, memory=memory), LOOKS, arm(ABOVE)).verdict is Completion.DONE
    assert looks(final(Looker((BESIDE, None)), PLACE, memory=memory), 100, arm(HOME)).verdict is Completion.FAILED


def test_one_answer_for_all_steps() -> None:
    done, unsure, failed = (
        StepCheck(Completion.DONE),
        StepCheck(Completion.UNSURE, "u"),
        StepCheck(Completion.FAILED, "f"),
    )
    assert combined([done, done]) == done
    assert combined([unsure, failed, done]) == failed
    assert combined([unsure, done, unsure]) == StepCheck(Completion.UNSURE, "u; u")
