"""The joints that a policy gets: merged, fresh, stamped by the node's own clock."""

from __future__ import annotations

import math

import pytest

from vla_ros.control.measured_joints import MeasuredJoints

MS = 1_000_000
AHEAD_NS = 10**18
NAMES = ["a", "b"]


@pytest.mark.parametrize("apart_s", [-100.0, 0.0, 2.5, 1e6])
def test_a_joint_state_is_as_old_as_its_message_whatever_the_driver_s_clock_says(apart_s: float) -> None:
    """Stamped ahead, joint states made the planner plan with one that was 2.5 s old."""
    joints, apart_ns = MeasuredJoints(NAMES, 1.0), round(apart_s * 1e9)
    for k in range(20):
        at_ns = 10**15 + 4 * k * MS
        assert joints.add(at_ns, at_ns + apart_ns, "one", NAMES, [0.01 * k, 0.2], [1.0, math.nan]) == ""
        state = joints.newest(at_ns, AHEAD_NS)
        assert state is not None
        assert (state.stamp_ns, state.q.tolist()) == (at_ns + AHEAD_NS, [pytest.approx(0.01 * k), 0.2])
    assert state.dq.tolist() == [1.0, 0.0]


def test_drivers_of_different_joints_are_merged_and_one_that_is_silent_is_missed() -> None:
    joints = MeasuredJoints(NAMES, 0.5)
    joints.add(10**15, 7, "arm", ["a"], [0.1], [])
    assert joints.newest(10**15, 0) is None
    joints.add(10**15 + 100 * MS, 9, "gripper", ["wheel", "b"], [5.0, 0.2], [])
    state = joints.newest(10**15 + 200 * MS, 0)
    assert state is not None and (state.stamp_ns, state.q.tolist()) == (10**15, [0.1, 0.2]), (
        "as old as its oldest joint"
    )
    joints.add(10**15 + 550 * MS, 5 * 10**8, "gripper", ["b"], [0.3], [])
    assert joints.newest(10**15 + 550 * MS, 0) is None


@pytest.mark.parametrize(
    ("stamp_ns", "publisher", "reason"), [(0, "one", "is zero"), (5, "one", "repeats"), (9, "two", "two")]
)
def test_what_the_filter_refuses_is_refused_here(stamp_ns: int, publisher: str, reason: str) -> None:
    joints = MeasuredJoints(NAMES, 1.0)
    assert joints.add(10**15, 5, "one", NAMES, [0.1, 0.2], []) == ""
    assert reason in joints.add(10**15 + 4 * MS, stamp_ns, publisher, NAMES, [0.1, 0.2], [])
    state = joints.newest(10**15 + 4 * MS, 0)
    assert state is not None and state.stamp_ns == 10**15
