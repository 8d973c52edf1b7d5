"""The loop of an episode: when System 2 gets to see, and what counts as an intervention."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vla_ros.lab.evaluation.loop import Conditions, Loop
from vla_ros.lab.evaluation.suites import Case
from vla_ros.perception.frames import Frames
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.safety.states import State
from vla_ros.sim.simulation import Simulation


class Planner:
    """A System 2 that holds, then ends. Args: end_ns: stamp of the frames on which it does."""

    checkpoint = ""

    def __init__(self, end_ns: int) -> None:
        self._end_ns = end_ns

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        return Plan(frames.stamp_ns, instruction, PlanState.DONE if frames.stamp_ns >= self._end_ns else PlanState.HOLD)


class Gate:
    """A safety filter that always limits, and sends nothing."""

    state = State.LIMITING

    def arm(self, now_ns: int) -> tuple[bool, str]:
        return True, ""

    def joint_state(self, *_: Any) -> None:
        pass

    def tick(self, now_ns: int) -> Any:
        return SimpleNamespace(state=self.state, verdict=SimpleNamespace(rule="jerk_limit"), positions=None)


def loop(conditions: Conditions, end_ns: int) -> tuple[Loop, list[int]]:
    """Return a loop, and the stamps of what was looked at."""
    stamps: list[int] = []

    def look(stamp_ns: int) -> Frames:
        stamps.append(stamp_ns)
        return Frames(stamp_ns, {})

    parts: Any = (Planner(end_ns), None, Gate())
    made = Loop(
        Simulation(3, "pick"),
        look,
        *parts,
        Instruction(1, ""),
        conditions,
        Case("plain"),
        None,
        np.random.default_rng(0),
    )
    return made, stamps


@pytest.mark.parametrize("rate_hz", [7, 10, 30])
def test_system_2_sees_at_every_rate_that_can_be_configured(rate_hz: int) -> None:
    made, stamps = loop(Conditions(plan_period_s=1 / rate_hz, plan_latency_s=0.02), 10**12)
    made.run(1.0)
    assert len(stamps) == rate_hz and stamps[0] == 0
    assert np.abs(np.diff(stamps) - 1e9 / rate_hz).max() <= 2_000_000
    if rate_hz == 10:
        assert stamps == list(range(0, 10**9, 10**8))


def test_what_the_filter_does_after_the_end_is_no_intervention() -> None:
    made, _ = loop(Conditions(), 200_000_000)
    made.run(5.0)
    ticks = made.interventions.ticks["jerk_limit"]
    assert abs(ticks - made.ended_ns / 4_000_000) <= 1
    assert made.interventions.begun == {"jerk_limit": 1}
