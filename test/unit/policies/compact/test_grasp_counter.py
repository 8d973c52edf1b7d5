"""Three grasps that close on nothing are enough."""

from __future__ import annotations

from vla_ros.policies.compact.grasp_counter import MAX_FUTILE, GraspCounter
from vla_ros.tasks.hand import FINGER_CLOSED_M, FINGER_OPEN_M
from vla_ros.tasks.objects import OBJECT_HALF_WIDTH_M


def test_each_closing_on_nothing_counts_once_and_only_after_opening() -> None:
    counter = GraspCounter()
    for grasp in range(1, MAX_FUTILE + 1):
        assert not counter.exhausted
        counter.update("go down to {x}", FINGER_OPEN_M)
        for finger in (0.03, 0.01, FINGER_CLOSED_M, FINGER_CLOSED_M):
            counter.update("grasp {x}", finger)
        assert counter.futile == grasp
    assert counter.exhausted


def test_a_grasp_that_holds_does_not_count_until_what_it_held_is_lost() -> None:
    counter = GraspCounter()
    counter.update("go down to {x}", FINGER_OPEN_M)
    for subtask in ("grasp {x}", "lift {x}"):
        counter.update(subtask, OBJECT_HALF_WIDTH_M)
    assert counter.futile == 0
    counter.update("carry {x} to {y}", FINGER_CLOSED_M)
    assert counter.futile == 1


def test_fingers_that_are_closed_for_a_push_or_before_a_grasp_do_not_count() -> None:
    counter = GraspCounter()
    counter.update("grasp {x}", FINGER_CLOSED_M)
    counter.update("reach behind {x}", FINGER_OPEN_M)
    counter.update("push {x}", FINGER_CLOSED_M)
    assert counter.futile == 0
