"""A controller whose clock is not the filter's is not led; the clock of a driver that gets no trajectory does not matter."""

from __future__ import annotations

import pytest

from test.unit.safety.rule_inputs import parameters
from vla_ros.safety.command.controller_clock import clock_objection
from vla_ros.safety.measured.measured_state import ClockState, JointStateStream, MeasuredState

MS = 1_000_000
AHEAD_NS = 1_700_000_000_000_000_000
TRAJECTORY = {"controller.type": "joint_trajectory"}


def measured(behind_ms: float, joints: list[int]) -> MeasuredState:
    clock = ClockState(stamp_ns=1, offset_ns=round(behind_ms * MS) - AHEAD_NS)
    return MeasuredState(streams=[JointStateStream("driver", joints, clock)])


@pytest.mark.parametrize(
    ("behind_ms", "said"),
    [(0.3, ""), (4.9, ""), (-2.9, ""), (5.1, "5.1 ms behind"), (-3.1, "3.1 ms ahead of"), (50.0, "50.0 ms behind")],
)
def test_a_clock_that_is_off_by_more_than_the_horizon_covers_is_named(behind_ms: float, said: str) -> None:
    objection = clock_objection(parameters(**TRAJECTORY), [0, 1], measured(behind_ms, [1]), AHEAD_NS)
    assert bool(objection) == bool(said) and said in objection
    assert not objection or "stamps b in joint_states" in objection


def test_other_drivers_and_a_check_that_is_off_do_not_refuse() -> None:
    assert clock_objection(parameters(**TRAJECTORY), [0], measured(50.0, [1]), AHEAD_NS) == ""
    off = parameters(**TRAJECTORY, **{"controller.clock_tolerance_s": 0.0})
    assert clock_objection(off, [0, 1], measured(50.0, [1]), AHEAD_NS) == ""
    unheard = MeasuredState(streams=[JointStateStream("driver", [0])])
    assert clock_objection(parameters(**TRAJECTORY), [0], unheard, AHEAD_NS) == ""
