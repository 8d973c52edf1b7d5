"""`openvla` and `openvla_oft` as policies: bound to the simulated arm, in steps that move it, without ROS."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("transformers")

from test.models import openvla_folder as made
from vla_ros.parameters import ParameterError
from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState
from vla_ros.policies.registry import Robot, system1, system2
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

ROBOT = Robot(urdf(), JOINT_NAMES)
FORWARD = [0.9, 0.0, -0.21, 0.01, 0.13, -0.01, 0.99]
"""In [-1, 1]: by BRIDGE's range 25 mm ahead, neither sideways nor up, hardly a turn; the gripper is open."""
REST = JointState(0, HOME, np.zeros(8))
STATE = ["tool.x", "tool.y", "tool.z", "tool.rx", "tool.ry", "tool.rz", "finger_joint", "finger_joint"]

OFT_BINDING: dict[str, Any] = {
    "state": STATE,
    "cameras": ["full_image=front", "wrist_image=wrist"],
    "position_scale": 0.005,  # a random head does not know where the arm can go
    "rotation_scale": 0.05,
}


def _frames(*names: str, health: CameraHealth = CameraHealth.OK) -> Frames:
    blank = np.full((64, 64, 3), 90, np.uint8)
    return Frames(1_000_000_000, {name: CameraView(blank, health) for name in names})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.write(tmp_path_factory.mktemp("openvla"), made.answering(FORWARD))


@pytest.fixture(scope="module")
def oft_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made.write_oft(tmp_path_factory.mktemp("oft"))


def _options(folder: Path, binding: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    bound = {"cameras": ["full_image=front"], **(binding or {})}
    return {"checkpoint": str(folder), "device": "cpu", "binding": bound, **changes}


def test_a_step_ahead_moves_the_tool_ahead(folder: Path) -> None:
    plan = system2("openvla", ROBOT, _options(folder)).plan(_frames("front"), Instruction(1, "go"), REST)
    assert plan.state is PlanState.ACTIVE, plan.reasoning
    assert plan.kind == "actions"
    assert plan.data.shape == (11, 8)  # 0.2 s in rows of 0.02 s
    kinematics = Kinematics(ROBOT.urdf, JOINT_NAMES, "tool")
    moved = kinematics.forward(np.asarray(plan.data[-1]))[:3, 3] - kinematics.forward(HOME)[:3, 3]
    low, high = made.BRIDGE["action"]["q01"][0], made.BRIDGE["action"]["q99"][0]
    assert moved[0] == pytest.approx(0.5 * 1.9 * (high - low) + low, abs=3e-4)
    assert np.abs(moved[1:]).max() < 1e-3
    finger = plan.data[-1, JOINT_NAMES.index("finger_joint")]
    assert finger == pytest.approx(kinematics.upper[JOINT_NAMES.index("finger_joint")] * 0.996, abs=1e-3), "1 is open"


def test_system1_plays_it_within_the_limits_and_knows_its_plans(folder: Path) -> None:
    planner, player = (half("openvla", ROBOT, _options(folder)) for half in (system2, system1))
    assert planner.checkpoint == player.checkpoint
    assert planner.checkpoint != system2("openvla", ROBOT, _options(folder, center_crop=True)).checkpoint
    plan = planner.plan(_frames("front"), Instruction(1, "go"), REST)
    chunk = player.chunk(plan, REST, Chunk.rest(HOME, plan.frame_stamp_ns), 2, plan.frame_stamp_ns)
    kinematics = Kinematics(ROBOT.urdf, JOINT_NAMES, "tool")
    assert np.array_equal(chunk.positions[:2], [HOME, HOME])
    assert kinematics.forward(chunk.positions[-1])[0, 3] > kinematics.forward(HOME)[0, 3] + 0.02
    speed = np.abs(np.diff(chunk.positions, axis=0)) / chunk.dt_s
    assert (speed <= kinematics.velocity).all()


def test_no_words_hold_the_arm_and_no_healthy_camera_does(folder: Path) -> None:
    planner = system2("openvla", ROBOT, _options(folder))
    assert planner.plan(_frames("front"), Instruction(1, " "), REST).state is PlanState.HOLD
    plan = planner.plan(_frames("front", health=CameraHealth.STALE), Instruction(2, "go"), REST)
    assert plan.state is PlanState.HOLD
    assert "front" in plan.reasoning
    assert planner.plan(_frames("front"), Instruction(2, "go"), REST).state is PlanState.ACTIVE


def test_an_answer_in_words_fails_the_instruction(tmp_path: Path) -> None:
    weights = made.answering(FORWARD)
    weights["language_model.lm_head.weight"][:] = 0  # the first of equals is token 0
    planner = system2("openvla", ROBOT, _options(made.write(tmp_path, weights)))
    plan = planner.plan(_frames("front"), Instruction(1, "go"), REST)
    assert plan.state is PlanState.FAILED
    assert "token 0, which stands for no action" in plan.reasoning


def test_oft_moves_by_liberos_units(oft_folder: Path) -> None:
    options = _options(oft_folder, OFT_BINDING)
    planner = system2("openvla_oft", ROBOT, options)
    plan: Plan = planner.plan(_frames("front", "wrist"), Instruction(1, "go"), REST)
    assert plan.state is PlanState.ACTIVE, plan.reasoning
    assert plan.data.shape == (21, 8)  # 8 steps at 20 Hz
    reach_m = np.abs(plan.path[:, :3] - plan.path[0, :3]).max()
    assert 0.001 < reach_m < 8 * OFT_BINDING["position_scale"] * 1.2
    assert system1("openvla_oft", ROBOT, options).checkpoint == planner.checkpoint


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unnorm_key": "kuka"}, "openvla.unnorm_key: .* has no data set 'kuka'.*bridge_orig"),
        ({"device": "cuda:77"}, "openvla.device: 'cuda:77' is not there"),
        ({"device": "nonsense"}, "openvla.device: 'nonsense' is not there"),
        ({"binding": {"gripper_joint": "claw"}}, "claw"),
        ({"binding": {"rate_hz": 0.0}}, "rate_hz"),
        ({"binding": {"cameras": ["top=front"]}}, "top"),
        ({"checkpoint": "/nowhere"}, "/nowhere: no such folder"),
        ({"checkpoint": ""}, "openvla.checkpoint: name the folder"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_moves(folder: Path, changes: dict[str, Any], said: str) -> None:
    robot = dataclasses.replace(ROBOT, cameras=("front", "wrist"))
    changes = dict(changes)
    with pytest.raises(ParameterError, match=said) as error:
        system2("openvla", robot, {**_options(folder, changes.pop("binding", {})), **changes})
    assert "\n" not in str(error.value)


def test_liberos_units_are_not_taken_for_meters(tmp_path: Path) -> None:
    folder = made.write(tmp_path, made.answering(FORWARD), dataset_statistics={"libero_spatial": made.LIBERO})
    with pytest.raises(ParameterError, match=r"4.5 m/s; for data of LIBERO write binding.position_scale: 0.05"):
        system2("openvla", ROBOT, _options(folder))
    binding = {"position_scale": 0.05, "rotation_scale": 0.5, "rate_hz": 20.0}
    planner = system2("openvla", ROBOT, _options(folder, binding=binding))
    assert planner.plan(_frames("front"), Instruction(1, "go"), REST).state is PlanState.ACTIVE


def test_a_state_that_nobody_bound_is_refused(oft_folder: Path) -> None:
    with pytest.raises(ParameterError, match="finger_left, finger_right is no joint.*binding.state"):
        system2("openvla_oft", ROBOT, _options(oft_folder, {**OFT_BINDING, "state": []}))
