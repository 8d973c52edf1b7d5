"""A VLM in front of `classical` in simulation: its subtasks are carried out and judged, its metric words move the tool."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from vla_ros.bringup.graph import parameters_of
from vla_ros.guard import Guard, load_rules
from vla_ros.lab.evaluation import offline
from vla_ros.lab.evaluation.offline import run_episode
from vla_ros.lab.evaluation.report import Outcome
from vla_ros.parameters import from_mapping, nested
from vla_ros.policies import registry
from vla_ros.policies.contract import Plan, PlanState
from vla_ros.policies.policy_parameters import ClassicalParameters
from vla_ros.policies.registry import Robot
from vla_ros.policies.vlm import VlmParameters, VlmSystem2
from vla_ros.policies.vlm.asking import DirectAsker, VlmRequest
from vla_ros.policies.vlm.motion_player import system1_beneath_vlm
from vla_ros.robot.kinematics import Kinematics
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.sim.rendering import RenderProcess
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.task_sampler import sample_task
from vla_ros.transforms import pose

SAFETY = from_mapping(SafetyFilterParameters, nested(parameters_of("safety_filter")))
KINEMATICS = Kinematics(urdf(), JOINT_NAMES)


@pytest.fixture(scope="module")
def cameras() -> Iterator[RenderProcess]:
    process = RenderProcess(Simulation(0).xml, 256)
    yield process
    process.close()


class Script:
    """A model that splits an instruction into given sentences, and judges a subtask by what the policy says of it."""

    def __init__(self, *subtasks: str | Mapping[str, Any]) -> None:
        entries = [{"do": each, "point": None} if isinstance(each, str) else each for each in subtasks]
        self.plan = {"subtasks": entries, "question": "", "impossible": "", "finished": ""}
        self.asked: list[VlmRequest] = []

    def answer(self, request: VlmRequest, cancelled: threading.Event) -> str:
        self.asked.append(request)
        if request.name == "plan":
            return json.dumps(self.plan)
        done = "seen to be done" in request.text
        return json.dumps({"status": "done" if done else "going", "reached": "it is there" if done else "", "why": ""})

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def episode(monkeypatch: pytest.MonkeyPatch, cameras: RenderProcess) -> Callable[..., Outcome]:
    """Run an episode of `classical` with a model in front of it."""

    def run(model: Script, kind: str, seed: int, instruction: str, **options: Any) -> Outcome:
        def system2(name: str, robot: Robot, given: Mapping[str, Any] | None) -> VlmSystem2:
            parameters = VlmParameters(url="http://localhost:1/v1", model="script")
            policy = registry.system2(name, robot, given)
            guard = Guard(load_rules("guard"))
            options = from_mapping(ClassicalParameters, {})
            return VlmSystem2(policy, robot, options, parameters, guard.refusal, asker=DirectAsker(model))

        monkeypatch.setattr(offline, "system2", system2)
        monkeypatch.setattr(offline, "system1", system1_beneath_vlm)
        return run_episode("classical", kind, seed, SAFETY, instruction=instruction, cameras=cameras, **options)

    return run


def test_the_policy_carries_out_the_subtasks_of_the_vlm(episode: Callable[..., Outcome]) -> None:
    steps = [str(step).replace("_", " ") for step in sample_task(3, "sequence")[1].steps]
    print(steps, sample_task(3, "sequence")[1].instruction)
    words = sample_task(3, "sequence")[1].instruction.split(", then ")
    model = Script(*words)
    outcome = episode(model, "sequence", 3, "tidy up the table", limit_s=90.0)
    print(outcome)
    assert outcome.success


def test_metric_words_move_the_tool(episode: Callable[..., Outcome]) -> None:
    tools = []

    def watch(simulation: Simulation, plan: Plan) -> None:
        tools.append((KINEMATICS.forward(simulation.q), plan.kind))

    outcome = episode(Script(), "pick", 3, "move 20 cm forward, then turn 45 degrees", watch=watch)
    print(outcome, tools[0][0][:3, 3], tools[-1][0][:3, 3], {k for _, k in tools})
