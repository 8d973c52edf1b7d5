"""Whose values a joint has."""

from __future__ import annotations

from vla_ros.safety.measured.measured_state import JointStateStream, MeasuredState


def test_a_joint_s_stream_is_that_of_the_publisher_it_belongs_to() -> None:
    arm, gripper, twin = (JointStateStream(*each) for each in (("one", [0, 1]), ("two", [2]), ("three", [0, 1, 2])))
    measured = MeasuredState(sources=["one", "one", "two", None], streams=[twin, gripper, arm])
    assert [measured.stream_of(joint) for joint in range(4)] == [arm, arm, gripper, None]
