"""A VLM in front of `classical` in simulation: its subtasks are carried out and judged, its metric words move the tool."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pinocchio
import pytest

from vla_ros.bringup.graph import parameters_of
from vla_ros.lab.evaluation import offline
from vla_ros.lab.evaluation.offline import run_episode
from vla_ros.lab.evaluation.report import Outcome
from vla_ros.parameters import from_mapping, nested
from vla_ros.perception.pinhole import PinholeCamera
from vla_ros.policies.contract import Plan, PlanState
from vla_ros.policies.vlm import VlmParameters
from vla_ros.policies.vlm.asking import VlmRequest
from vla_ros.robot.kinematics import Kinematics
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.arm_description import JOINT_NAMES, origin_of, urdf
from vla_ros.sim.model import intrinsics
from vla_ros.sim.rendering import RenderProcess
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.task_sampler import sample_task

SAFETY = from_mapping(SafetyFilterParameters, nested(parameters_of("safety_filter")))
KINEMATICS = Kinematics(urdf(), JOINT_NAMES)


@pytest.fixture(scope="module")
def cameras() -> Iterator[RenderProcess]:
    process = RenderProcess(Simulation(0).xml, 256)
    yield process
    process.close()


class Script:
    """A model that splits an instruction into given sentences, and judges a subtask by what the policy says of it.

    Args: subtasks: of the first list. otherwise: of the next one, after a failure.
    """

    def __init__(self, *subtasks: str | Mapping[str, Any], otherwise: str = "") -> None:
        self.plans = [subtasks, (otherwise,)]
        self.asked: list[VlmRequest] = []

    def answer(self, request: VlmRequest, cancelled: threading.Event) -> str:
        self.asked.append(request)
        if request.name == "plan":
            entries = [
                {"do": each, "point": None} if isinstance(each, str) else each
                for each in self.plans["failed:" in request.text]
            ]
            return json.dumps({"subtasks": entries, "question": "", "impossible": "", "finished": ""})
        done = "seen to be done" in request.text
        return json.dumps({"status": "done" if done else "going", "reached": "it is there" if done else "", "why": ""})

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


@pytest.fixture
def episode(monkeypatch: pytest.MonkeyPatch, cameras: RenderProcess) -> Callable[..., Outcome]:
    """Run an episode of `classical` with a model in front of it."""

    def run(model: Script, kind: str, seed: int, instruction: str, **options: Any) -> Outcome:
        monkeypatch.setattr(offline, "make_model", lambda parameters: model)
        vlm = VlmParameters(url="http://localhost/v1", model="script")
        return run_episode(
            "classical", kind, seed, SAFETY, instruction=instruction, cameras=cameras, vlm=vlm, **options
        )

    return run


def words_of(kind: str, seed: int) -> list[str]:
    """Return the instructions of the steps of a task."""
    return sample_task(seed, kind)[1].instruction.split(", then ")


@pytest.mark.parametrize("seed", [3, 4])
def test_the_policy_carries_out_the_subtasks_of_the_vlm(episode: Callable[..., Outcome], seed: int) -> None:
    """The second subtask begins where the waypoints of the first one ended: none of them is taken for reached."""
    words = words_of("sequence", seed)
    assert len(words) == 2
    model = Script(*words)
    outcome = episode(model, "sequence", seed, "tidy up the table", limit_s=90.0)
    assert outcome.success, outcome
    assert outcome.state is PlanState.DONE and outcome.said == "all 2 subtasks are done"
    assert list(dict.fromkeys(each.split(": ")[1] for each in outcome.subtasks if ": " in each)) == words
    assert "; it is there" in model.asked[-1].text  # what the first subtask has reached
    assert not outcome.interventions


def test_a_list_that_does_something_else_is_judged_by_the_simulator(episode: Callable[..., Outcome]) -> None:
    first, second = words_of("sequence", 3)
    outcome = episode(Script(first), "sequence", 3, "tidy up the table", limit_s=60.0)
    assert outcome.state is PlanState.DONE and not outcome.success
    assert [measured["success"] for measured in outcome.measures] == [True, False]
    assert second


@pytest.mark.parametrize("direct", [True, False], ids=["a person's", "the model's"])
def test_metric_words_move_the_tool_through_the_filter(episode: Callable[..., Outcome], direct: bool) -> None:
    tools = []

    def watch(simulation: Simulation, plan: Plan) -> None:
        tools.append(KINEMATICS.forward(simulation.q))

    words = "move 20 cm forward, then turn 45 degrees"
    model = Script(*words.split(", then "))
    outcome = episode(model, "pick", 3, words if direct else "move your hand over there", watch=watch)
    assert outcome.state is PlanState.DONE, outcome
    assert bool(model.asked) is not direct
    start, end = tools[0], tools[-1]
    assert end[:3, 3] - start[:3, 3] == pytest.approx((0.2, 0.0, 0.0), abs=0.002)
    off_line = max(np.linalg.norm((tool[:3, 3] - start[:3, 3])[1:]) for tool in tools)
    assert off_line < 0.001
    assert np.degrees(pinocchio.log3(end[:3, :3] @ start[:3, :3].T)) == pytest.approx((0.0, 0.0, 45.0), abs=0.5)
    assert not outcome.interventions


def test_the_model_takes_by_pointing_what_the_policy_has_no_word_for(episode: Callable[..., Outcome]) -> None:
    """It points at the thing, the hand goes there in metric words, and the policy puts down what it finds in the hand."""
    scene, task = sample_task(3, "pick")
    thing = scene.find(task.steps[0].x)
    camera = PinholeCamera(intrinsics("front", 256, 256), origin_of("front_camera_optical"))
    u, v = camera.project(np.array([[thing.x, thing.y, 0.0]]))[0]
    point = {"camera": "front", "x": (u + 0.5) / 256 * 1000, "y": (v + 0.5) / 256 * 1000}
    above = {"do": "move to 10 cm above the point", "point": point}
    model = Script("open the gripper", above, "move 8 cm down", "close the gripper", "move 15 cm up")
    outcome = episode(model, "pick", 3, "take that odd thing", limit_s=60.0)
    assert outcome.success, outcome
    assert not outcome.interventions


def test_a_motion_into_the_table_is_stopped_by_the_filter_and_the_arm_gets_away_from_it(
    episode: Callable[..., Outcome],
) -> None:
    tools = []

    def watch(simulation: Simulation, plan: Plan) -> None:
        tools.append((plan.subtask, KINEMATICS.forward(simulation.q)))

    model = Script("move 20 cm forward", "move 43 cm down", "move 1 cm up", otherwise="move 10 cm up")
    outcome = episode(model, "pick", 3, "knock on the table", watch=watch, limit_s=60.0)
    assert outcome.interventions["table"]
    assert "'move 43 cm down' failed: the arm did not follow the motion: joint" in model.asked[1].text
    assert outcome.state is PlanState.DONE, outcome
    lowest = min(tool[2, 3] for _, tool in tools)
    assert 0.012 < lowest < 0.02  # the fingers stay above the table
    assert tools[-1][1][2, 3] == pytest.approx(lowest + 0.1, abs=0.005)
    assert len({subtask for subtask, _ in tools if "1 cm up" in subtask}) == 0
