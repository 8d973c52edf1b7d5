"""Which plans count: those of the newest instruction, also where that was missed."""

from __future__ import annotations

import pytest

from vla_ros.control.instruction_tracker import MISSED_NS, InstructionTracker
from vla_ros.safety.states import State

S = 1_000_000_000


@pytest.mark.parametrize(
    ("heard", "comes", "active", "now_ns", "counts"),
    [
        ((7,), 7, True, 10 * S, True),
        ((), 5, True, 10 * S, True),
        ((5, 7), 5, True, 20 * S, False),
        ((5, 7), 5, False, 20 * S, False),
        ((7,), 9, True, 10 * S + MISSED_NS - 1, False),
        ((7,), 9, True, 10 * S + MISSED_NS, True),
        ((7,), 9, False, 10 * S, True),
        ((7,), 7, False, 10 * S, True),
    ],
    ids=["newest", "first", "superseded", "superseded, ended", "too early", "missed", "missed, ended", "ended"],
)
def test_plans_of_the_newest_instruction_count(
    heard: tuple[int, ...], comes: int, active: bool, now_ns: int, counts: bool
) -> None:
    tracker = InstructionTracker()
    for instruction_id in heard:
        assert tracker.on_instruction(instruction_id, 10 * S)
    assert tracker.accepts(comes, active, now_ns) is counts
    assert tracker.id == (comes if active and counts else heard[-1])


def test_what_was_heard_voids_what_was_said_before() -> None:
    tracker = InstructionTracker()
    tracker.on_instruction(7, 10 * S)
    tracker.void(20 * S)
    tracker.void(20 * S)
    assert (tracker.id, tracker.heard_ns) == (None, 20 * S)
    assert not tracker.accepts(7, True, 30 * S)
    assert not tracker.accepts(9, True, 20 * S), "it may be an old one"
    assert tracker.on_instruction(9, 20 * S) and tracker.accepts(9, True, 20 * S)


def test_an_instruction_that_comes_after_its_plan_is_the_same() -> None:
    tracker = InstructionTracker()
    tracker.on_instruction(7, 10 * S)
    assert tracker.accepts(9, True, 20 * S)
    assert not tracker.on_instruction(9, 21 * S)
    assert tracker.heard_ns == 21 * S
    assert not tracker.accepts(7, True, 30 * S)


def test_plans_for_what_a_stop_has_ended_do_not_count() -> None:
    tracker = InstructionTracker()
    assert not tracker.on_status(State.HOLDING, 4)
    tracker.on_instruction(1, 0)
    assert tracker.accepts(1, True, 10**9)
    assert tracker.on_status(State.ESTOP, 5) and not tracker.on_status(State.HOLDING, 5)
    assert not tracker.accepts(1, True, 2 * 10**9)
    assert tracker.accepts(2, True, 3 * 10**9), "the task goes on under an id of its own"
    assert not tracker.on_status(State.TRACKING, 5)
