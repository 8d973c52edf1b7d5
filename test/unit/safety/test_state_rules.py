"""The rules that every tick meets, each on its own: joint_state, tracking_error, open_loop, estop."""

from __future__ import annotations

import math

import pytest

from vla_ros.safety.command import estop
from vla_ros.safety.command.open_loop import OpenLoop
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.measured.joint_state import JointState
from vla_ros.safety.measured.tracking_error import TrackingError
from vla_ros.safety.safety_parameters import Measured

MS = 1_000_000
LIMITS = (JointLimits("a", -1.0, 1.0, 2.0, 10.0, 1000.0), JointLimits("b", 0.0, 0.04, 0.1, 1.0, 50.0))
MEASURED = Measured(
    timeout_s=0.1, position_tolerance=[0.001, 0.002], tracking_error=[0.1, 0.05], rest_velocity=[0.02, 0.01]
)


# joint_state


def test_other_joints_and_orders_are_welcome() -> None:
    state = JointState(LIMITS, MEASURED)
    assert state.update(5, ["wheel", "b", "a"], [9.0, 0.03, 0.5], [9.0, 0.0, 0.1]) is None
    assert state.q == [500_000_000, 30_000_000]
    moving = state.moving()
    assert moving is not None and (moving.joint, moving.requested, moving.limit) == ("a", 0.1, 0.02)


@pytest.mark.parametrize(
    ("names", "positions", "velocities", "reason"),
    [
        (["a"], [0.0], [], "names b 0 times"),
        (["a", "b", "a"], [0.0] * 3, [], "names a 2 times"),
        (["a", "b"], [0.0], [], "1 positions, 0 velocities for 2 names"),
        (["a", "b"], [0.0] * 2, [0.0], "2 positions, 1 velocities for 2 names"),
        (["a", "b"], [0.0, math.nan], [], "b measures nan"),
        (["a", "b"], [1e300, 0.0], [], "a measures 1e+300"),
        (["a", "b"], [0.0, 0.0], [math.inf, 0.0], "a measures"),
    ],
)
def test_what_is_no_joint_state_is_refused_and_the_last_one_ages(
    names: list[str], positions: list[float], velocities: list[float], reason: str
) -> None:
    state = JointState(LIMITS, MEASURED)
    state.update(0, ["a", "b"], [0.1, 0.02], [0.0, 0.0])
    verdict = state.update(50 * MS, names, positions, velocities)
    assert verdict is not None and reason in verdict.reason
    assert state.q == [100_000_000, 20_000_000]
    assert state.stale(100 * MS) is None
    stale = state.stale(101 * MS)
    assert stale is not None and reason in stale.reason


def test_velocity_is_derived_where_the_driver_sends_none() -> None:
    state = JointState(LIMITS, MEASURED)
    state.update(0, ["a", "b"], [0.0, 0.0], [])
    unknown = state.moving()
    assert unknown is not None and "two joint states are needed" in unknown.reason
    state.update(10 * MS, ["a", "b"], [0.001, 0.0], [])
    moving = state.moving()
    assert moving is not None and moving.requested == pytest.approx(0.1)
    state.update(20 * MS, ["a", "b"], [0.001, 0.0], [])
    assert state.moving() is None


def test_outside_counts_beyond_the_tolerance_only() -> None:
    state = JointState(LIMITS, MEASURED)
    state.update(0, ["a", "b"], [-1.001, 0.042], [])
    assert state.outside() is None
    state.update(0, ["a", "b"], [-1.001, -0.002001], [])
    outside = state.outside()
    assert outside is not None
    assert (outside.joint, outside.limit) == ("b", -0.002)


# tracking_error


def test_tracking_error() -> None:
    rule = TrackingError(["a", "b"], [0.1, 0.05])
    assert rule.check([100_000_000, -50_000_000], [0, 0]) is None
    verdict = rule.check([0, -50_000_001], [0, 0])
    assert verdict is not None
    assert (verdict.rule, verdict.joint, verdict.limit) == ("tracking_error", "b", 0.05)


# open_loop


def test_open_loop() -> None:
    rule = OpenLoop(0.06)
    assert rule.check(160 * MS, 100 * MS, "policy") is None
    verdict = rule.check(161 * MS, 100 * MS, "policy")
    assert verdict is not None
    assert (verdict.rule, verdict.reason) == ("open_loop", "no setpoint from policy for 0.061 s")


# estop


def test_estop_says_who() -> None:
    assert estop.EStop.pressed("service vla/estop").reason == "e-stop by service vla/estop"
