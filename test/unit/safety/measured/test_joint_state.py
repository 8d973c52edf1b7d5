"""Joint state: which messages are taken, how old, where and how fast the measured arm may be."""

from __future__ import annotations

import math

import pytest

from test.unit.safety.rule_inputs import LIMITS, MS, filter_state, parameters
from vla_ros.safety.measured.joint_state import JointStateAtRest, JointStateFresh, JointStateInRange, JointStateReader

FRESH, IN_RANGE, AT_REST = (
    kind(parameters(), LIMITS) for kind in (JointStateFresh, JointStateInRange, JointStateAtRest)
)


def test_other_joints_and_orders_are_welcome() -> None:
    state = filter_state()
    names, positions, velocities = ["wheel", "b", "a"], [9.0, 0.03, 0.5], [9.0, 0.0, 0.1]
    assert JointStateReader(LIMITS).update(state.measured, 5, names, positions, velocities) is None
    assert state.measured.q == [500_000_000, 30_000_000]
    moving = AT_REST.check(state, 5)
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
    reader, state = JointStateReader(LIMITS), filter_state()
    reader.update(state.measured, 0, ["a", "b"], [0.1, 0.02], [0.0, 0.0])
    verdict = reader.update(state.measured, 50 * MS, names, positions, velocities)
    assert verdict is not None and reason in verdict.reason
    assert state.measured.q == [100_000_000, 20_000_000]
    assert FRESH.check(state, 100 * MS) is None
    stale = FRESH.check(state, 101 * MS)
    assert stale is not None and reason in stale.reason


def test_before_the_first_message_nothing_is_known() -> None:
    verdict = FRESH.check(filter_state(), 0)
    assert verdict is not None and verdict.reason == "no joint state yet on joint_states"


def test_velocity_is_derived_where_the_driver_sends_none() -> None:
    reader, state = JointStateReader(LIMITS), filter_state()
    reader.update(state.measured, 0, ["a", "b"], [0.0, 0.0], [])
    unknown = AT_REST.check(state, 0)
    assert unknown is not None and "two joint states are needed" in unknown.reason
    reader.update(state.measured, 10 * MS, ["a", "b"], [0.001, 0.0], [])
    moving = AT_REST.check(state, 0)
    assert moving is not None and moving.requested == pytest.approx(0.1)
    reader.update(state.measured, 20 * MS, ["a", "b"], [0.001, 0.0], [])
    assert AT_REST.check(state, 0) is None


def test_outside_counts_beyond_the_tolerance_only() -> None:
    reader, state = JointStateReader(LIMITS), filter_state()
    reader.update(state.measured, 0, ["a", "b"], [-1.001, 0.042], [])
    assert IN_RANGE.check(state, 0) is None
    reader.update(state.measured, 0, ["a", "b"], [-1.001, -0.002001], [])
    outside = IN_RANGE.check(state, 0)
    assert outside is not None
    assert (outside.joint, outside.limit) == ("b", -0.002)
