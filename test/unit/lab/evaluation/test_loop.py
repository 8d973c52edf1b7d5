"""The loop of an episode: when System 2 gets to see, and what counts as an intervention."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vla_ros.bringup.graph import parameters_of
from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.lab.evaluation.loop import Conditions, Loop
from vla_ros.lab.evaluation.offline import planner_core
from vla_ros.lab.evaluation.suites import EvaluationCase, WorldDisturbance
from vla_ros.parameters import from_mapping, nested
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.safety.states import State
from vla_ros.sim.simulation import Simulation
from vla_ros.time import NS_PER_S

TASK = "pick up the red cube"
PLAIN = EvaluationCase("plain")


class Policy:
    """A System 2 that holds, then ends.

    Args:
        end_ns: stamp of the frames on which it ends.

    Attributes:
        heard: instruction and permission to move of each call.
    """

    checkpoint = "0123"

    def __init__(self, end_ns: int) -> None:
        self._end_ns = end_ns
        self.heard: list[tuple[str, bool]] = []

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        self.heard.append((instruction.text, joint_state.may_move))
        assert joint_state.stamp_ns == frames.stamp_ns
        return Plan(frames.stamp_ns, instruction, PlanState.DONE if frames.stamp_ns >= self._end_ns else PlanState.HOLD)


class Gate:
    """A safety filter that always limits, and sends nothing."""

    state = State.LIMITING
    parameters = SimpleNamespace(controller=SimpleNamespace(stamped=False))

    def arm(self, now_ns: int) -> tuple[bool, str]:
        return True, ""

    def joint_state(self, *_: Any) -> None:
        pass

    def tick(self, now_ns: int) -> Any:
        verdict = SimpleNamespace(rule="jerk_limit")
        return SimpleNamespace(state=self.state, source="policy", verdict=verdict, positions=None)


def loop(
    conditions: Conditions, end_ns: int, text: str = TASK, case: EvaluationCase = PLAIN, **changes: object
) -> tuple[Loop, list[int]]:
    """Return a loop whose planner is configured with `changes`, and the stamps of what was looked at."""
    stamps: list[int] = []

    def look(stamp_ns: int) -> Frames:
        stamps.append(stamp_ns)
        return Frames(stamp_ns, {"front": CameraView(np.full((8, 8, 3), 200, np.uint8))})

    flat = {**parameters_of("planner", policy="classical"), **changes}
    policy = Policy(end_ns)
    planner = planner_core(from_mapping(PlannerParameters, nested(flat)), conditions, policy)
    parts: Any = (planner, policy, None, Gate())
    made = Loop(
        Simulation(3, "pick"),
        look,
        *parts,
        Instruction(1, text),
        conditions,
        case,
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


# The planner's rules take part.


def test_the_guard_ends_an_episode_before_the_policy_is_asked() -> None:
    made, _ = loop(Conditions(), 10**12, "pick up the knife")
    made.run(5.0)
    assert made.plan is not None and made.plan.state is PlanState.REFUSED
    assert made.plan.reasoning.startswith("dangerous: ")
    assert made.ended_ns == 0 and made.system2.heard == []


def test_the_policy_reads_the_prompt_and_may_move() -> None:
    made, _ = loop(Conditions(), 100_000_000, "Pick up the CUBE.", prompt="task.v1")
    made.run(5.0)
    assert made.system2.heard == [("pick up the cube\n", True)] * 2
    assert made.plan is not None and (made.plan.instruction.text, made.plan.checkpoint) == ("Pick up the CUBE.", "0123")


def test_a_monitor_that_asks_ends_the_episode(tmp_path: Path) -> None:
    stats = tmp_path / "stats.json"
    stats.write_text(json.dumps({"observation.images.front": {"mean": [0.02] * 3, "std": [0.01] * 3}}))
    changes: dict[str, object] = {"monitors.hold": ["drift"], "monitors.statistics": str(stats)}
    made, _ = loop(Conditions(), 10**12, **changes)
    made.run(5.0)
    assert made.plan is not None and made.plan.state is PlanState.FAILED
    assert made.plan.reasoning.startswith("drift: unlike the training data: camera front")
    assert 1.0 < made.ended_ns / NS_PER_S < 1.5


def test_a_camera_that_falls_silent_is_told_and_a_slow_policy_is_not() -> None:
    case = EvaluationCase("dropped", disturbance=WorldDisturbance(dropped=1.0))
    made, _ = loop(Conditions(), 10**12, case=case)
    made.run(1.0)
    assert made.plan is not None and made.plan.reasoning == "no frames from the camera node"
    slow, _ = loop(Conditions(plan_latency_s=0.8), 10**12)
    slow.run(3.0)
    assert slow.plan is not None and slow.plan.reasoning == ""
