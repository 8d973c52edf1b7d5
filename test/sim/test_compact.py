"""The checkpoint that ships does what it is asked, from images and words alone, and says so when it cannot."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from vla_ros.bringup.graph import parameters_of
from vla_ros.lab.evaluation.offline import run_episode
from vla_ros.lab.evaluation.suites import SUITES, suite
from vla_ros.lab.training import instructions
from vla_ros.monitors.drift import Drift
from vla_ros.monitors.monitor_parameters import DriftParameters
from vla_ros.monitors.training_statistics import parse_statistics
from vla_ros.parameters import from_mapping, nested
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.registry import Robot, system2
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim import arm_description
from vla_ros.sim.model import intrinsics
from vla_ros.sim.rendering import RenderProcess
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.task_sampler import sample_task
from vla_ros.sim.variation import TRAINING, sample_varied
from vla_ros.tasks.task import KINDS

SAFETY = from_mapping(SafetyFilterParameters, nested(parameters_of("safety_filter", policy="compact")))
AWAY_M = 0.08


@pytest.fixture(scope="module")
def cameras() -> Iterator[RenderProcess]:
    process = RenderProcess(Simulation(0).xml, 256)
    yield process
    process.close()


@pytest.mark.parametrize("kind", ["pick", "place", "push", "stack"])
def test_it_does_every_kind_of_task(kind: str, cameras: RenderProcess) -> None:
    episode = run_episode("compact", kind, 3, SAFETY, cameras=cameras)
    assert episode.success, episode
    assert (episode.state, episode.said) == (PlanState.DONE, "seen to be done")
    assert episode.seconds < 25.0


def test_a_push_to_the_right_leaves_the_wrist_its_room(cameras: RenderProcess) -> None:
    """Of the two ways to turn the hand only one keeps the last joint off its limit, where the arm would jump."""
    (case,) = (case for case in suite("robust") if case.name == "noise")
    episode = run_episode("compact", "push", 8602, SAFETY, case=case, cameras=cameras)
    assert "to the right" in episode.instruction
    assert episode.success and not episode.begun


@pytest.mark.parametrize("seed", [10349, 10354], ids=["bowl beneath the hand", "plate beneath the hand"])
def test_two_steps_are_done_one_after_the_other(seed: int, cameras: RenderProcess) -> None:
    """What the hand hides is not taken for another thing: then a step that was done would not be seen to be."""
    episode = run_episode("compact", "sequence", seed, SAFETY, cameras=cameras)
    assert episode.success, episode
    assert episode.said == "seen to be done"
    first, second = (measure["success"] for measure in episode.measures)
    assert first and second


@pytest.mark.parametrize(("kind", "seed"), [("place", 30001), ("stack", 30003)])
def test_a_thing_is_found_by_its_shape_alone(kind: str, seed: int, cameras: RenderProcess) -> None:
    (case,) = suite("shapes")
    episode = run_episode("compact", kind, seed, SAFETY, case=case, cameras=cameras)
    assert episode.success and episode.seconds < 25.0, episode


def test_a_thing_that_is_moved_while_the_hand_reaches_for_it_is_reached_all_the_same(cameras: RenderProcess) -> None:
    moved = []

    def interfere(simulation: Simulation, plan: Plan) -> None:
        if plan.subtask.startswith("go down") and not moved:
            name = simulation.task.steps[0].x
            place = simulation.object_pose(name)[:3, 3]
            others = [
                simulation.object_pose(other.name)[:3, 3] for other in simulation.scene.objects if other.name != name
            ]
            ways = [(AWAY_M, 0, 0), (-AWAY_M, 0, 0), (0, AWAY_M, 0), (0, -AWAY_M, 0)]
            free = max(ways, key=lambda way: min(float(((place + way - other) ** 2).sum()) for other in others))
            simulation.move_object(name, place + free)
            moved.append(name)

    episode = run_episode("compact", "pick", 3, SAFETY, cameras=cameras, watch=interfere)
    assert moved
    assert episode.success, episode


@pytest.fixture(scope="module")
def planner() -> Any:
    return system2("compact", Robot(arm_description.urdf(), arm_description.JOINT_NAMES), {})


def heard(planner: Any, text: str) -> Plan:
    """Return the first plan for these words, before an empty picture."""
    view = CameraView(
        np.zeros((256, 256, 3), np.uint8),
        k=intrinsics("front", 256, 256),
        T_base_camera=arm_description.origin_of("front_camera_optical"),
    )
    arm = JointState(0, arm_description.HOME.copy(), np.zeros(8))
    plan: Plan = planner.plan(Frames(0, {"front": view}), Instruction(hash(text), text), arm)
    return plan


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "pick up the red cube, then put the green ball on the plate, then push the blue cube to the left, "
            "then pick up the yellow cylinder",
            "left over: blue(, left)?",
        ),
        ("pick up the red and the blue cube", "left over: blue"),
        ("pick up the red and the violet cube", "left over: purple"),
        ("put the red cube in the bowl next to the plate", "left over: plate"),
        ("push the red cube left and right", "left over: (left|right)"),
        ("pick up the red cube or the blue cube", 'say which one, without "or"'),
        ("pick up the pink cube", "unknown words: pink"),
        ("pick up the crimson spoon", "unknown words: spoon"),
        ("put the red cube in the bowl, " * 7 + "please", "longer than 56 words and signs"),
    ],
)
def test_what_is_more_than_it_has_understood_is_refused_in_one_line(text: str, why: str, planner: Any) -> None:
    plan = heard(planner, text)
    assert plan.state is PlanState.REFUSED
    assert re.fullmatch(f"not understood; {why}", plan.reasoning)
    assert plan.confidence == 0.0


def test_what_evaluation_and_training_say_is_understood(planner: Any) -> None:
    said = [
        (sample_varied(20_000 + i, kind, case.variation) if case.variation else sample_task(20_000 + i, kind))[1]
        for cases in SUITES.values()
        for case in cases
        if not case.unknown
        for i, kind in zip(range(16), 4 * case.kinds, strict=False)
    ]
    said += [sample_varied(2_000_000 + i, KINDS[i % len(KINDS)], TRAINING)[1] for i in range(60)]
    refused = {task.instruction: why for task in said if (why := planner._parse_instruction(task.instruction).refusal)}
    assert not refused
    for text in ("take the red cube and put the red cube on the plate", "put the red cube in the bowl gently"):
        assert not planner._parse_instruction(text).refusal


def test_more_steps_than_it_has_are_hardly_ever_taken_for_something_that_nobody_said(planner: Any) -> None:
    rng = np.random.default_rng(1)
    shapes = ["cube", "cylinder", "ball", "bowl", "plate"] * 2
    said = [instructions.compose(rng, instructions.random_steps(rng, 4), shapes) for _ in range(60)]
    assert (
        sum(not planner._parse_instruction(text).refusal for text in said) <= 10
    )  # most of them say "it", of which nothing is left over


def test_an_unseen_thing_is_refused_with_a_confidence(planner: Any) -> None:
    plan = heard(planner, "pick up the red cube")
    assert plan.state is PlanState.HOLD and 0.0 <= plan.confidence < 0.3


@pytest.mark.parametrize("case", suite("unknown"), ids=lambda case: case.name)
def test_what_it_does_not_know_or_see_it_says_and_leaves_alone(case, cameras: RenderProcess) -> None:
    episode = run_episode("compact", "pick", 5, SAFETY, case=case, cameras=cameras)
    assert episode.success, episode
    assert episode.state is PlanState.REFUSED
    if "not understood" in episode.said:  # the words alone tell, before the policy looks
        assert math.isnan(episode.confidence)
    else:
        assert "cannot see" in episode.said or "not in view" in episode.said
        assert episode.confidence < 0.5


def test_it_knows_what_it_was_trained_on(cameras: RenderProcess) -> None:
    """The monitor of drift warns of light that training never had, and of nothing in a plain scene."""
    gate = parameters_of("safety_filter", policy="compact")
    robot = Robot(arm_description.urdf(), tuple(gate["joint_names"]), "tool")
    trained = parse_statistics(system2("compact", robot, {}).statistics, robot.joint_names)
    simulation = Simulation(3, "pick")
    cameras.scene(simulation.xml)
    cameras.request(1, simulation.data.qpos.copy(), ("front",))
    answer = cameras.poll(60.0)
    assert answer is not None
    image = answer[1]["front"]
    for bright, words in ((0.0, ""), (0.45, "unlike the training data: camera front")):
        drift = Drift(DriftParameters(), trained, robot.joint_names)
        for now_s in range(3):
            view = CameraView(np.clip(image + 255 * bright, 0, 255).astype(np.uint8))
            drift.on_images(now_s * 10**9, {"front": view})
            drift.on_joint_positions(now_s * 10**9, arm_description.HOME)
        assert words in drift.warning() and bool(words) is bool(drift.warning())
