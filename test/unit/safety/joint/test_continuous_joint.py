"""A driver that wraps a continuous joint reports no jump, and a setpoint of another turn is the same setpoint."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.joint.continuous_joint import ContinuousJoints
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.measured.joint_state_reader import JointStateReader
from vla_ros.safety.measured.measured_state import MeasuredState

LIMITS = (
    JointLimits("j1", -6.0, 6.0, 1.0, 5.0, 200.0, continuous=True),
    JointLimits("j2", -6.0, 6.0, 1.0, 5.0, 200.0),
)
JOINTS = ContinuousJoints(LIMITS)
PERIOD_NS = 10_000_000


def measured_over(course: list[float], name: str = "j1", offset: float = 0.0) -> tuple[MeasuredState, list[str]]:
    """Feed a reader with wrapped positions; return the state and why messages were refused."""
    reader, state, refused = (
        JointStateReader(LIMITS[:1] if name == "j1" else LIMITS[1:], 0.1, 0.2, 0.01),
        MeasuredState(),
        [],
    )
    for i, q in enumerate(course):
        at_ns = (i + 1) * PERIOD_NS
        wrapped = math.remainder(q + offset, math.tau)
        verdict = reader.update(state, at_ns, [name], [wrapped], [], (), at_ns, "driver")
        refused += [] if verdict is None else [verdict.reason]
    return state, refused


COURSE = [2.9 + 0.01 * i for i in range(60)]


def test_a_wrapped_joint_goes_on_past_half_a_turn() -> None:
    state, refused = measured_over(COURSE)
    assert refused == []
    assert state.q == pytest.approx([COURSE[-1] * NANO], abs=2)
    assert state.dq == pytest.approx([1.0], abs=0.01)
    assert any("jumps" in reason for reason in measured_over(COURSE, "j2")[1]), "a revolute joint cannot wrap"


def test_the_first_value_is_brought_into_the_range() -> None:
    joints = ContinuousJoints([JointLimits("j1", 0.0, 6.2, 1.0, 5.0, 200.0, continuous=True)])
    assert joints.in_range(0, -NANO) == pytest.approx((math.tau - 1.0) * NANO, abs=1)
    assert joints.in_range(0, NANO) == NANO
    assert ContinuousJoints([JointLimits("j", 1.0, 2.0, 1.0, 5.0, 9.0, continuous=True)]).in_range(0, 0) == 0


@given(st.integers(-3 * NANO, 3 * NANO), st.integers(-900, 900), st.integers(-3 * NANO, 3 * NANO))
def test_the_nearest_turn_is_the_nearest(q: int, turns: int, to: int) -> None:
    shifted = q + round(turns * math.tau * NANO)
    near = JOINTS.nearest(shifted, to)
    assert abs(near - to) <= math.pi * NANO + 1
    assert abs(math.remainder((near - q) / NANO, math.tau)) < 1e-8
    assert JOINTS.nearest(q, q) == q


def test_a_setpoint_of_another_turn_is_read_as_the_nearest_to_the_output() -> None:
    def read(names: list[str], positions: list[float]) -> list[float]:
        setpoint = Setpoint("policy", "policy", 1, 0, 0, 0, names, positions)
        return list(JOINTS.read_setpoint(setpoint, [round(3.3 * NANO), 0]).positions)

    assert read(["j2", "j1"], [0.1, 3.31 - math.tau]) == pytest.approx([0.1, 3.31])
    assert read(["j1", "j2"], [3.31, 6.0]) == [3.31, 6.0]
    for strange in ([math.nan, 0.0], [1e300, 0.0], [0.0]):
        assert read(["j1", "j2"], strange) == pytest.approx(strange, nan_ok=True)
    assert read(["j1", "j1"], [9.0, 9.0]) == [9.0, 9.0]
