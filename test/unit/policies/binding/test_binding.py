"""A bound checkpoint: values go through in the other side's order and unit, and back; what does not fit never moves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from test.unit.policies.binding.contracts import (
    FRONT,
    HIGH,
    HOME,
    JOINT_NAMES,
    LOW,
    ROBOT,
    act,
    joints,
    openvla,
    statistics,
)
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.policies.binding.action_mapping import ActionFault
from vla_ros.policies.binding.binding import Binding
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.binding.camera_slots import CameraFault
from vla_ros.policies.binding.checkpoint_contract import CameraSlot, CheckpointContract, VectorSpec
from vla_ros.policies.contract import JointState

CARTESIAN = {
    **{"action_space": "cartesian", "action_kind": "step", "rate_hz": 5.0, "cameras": ["image=front"]},
    "gripper_joint": "finger_joint",
}


def bind(contract: CheckpointContract, **options: object) -> Binding:
    return Binding(contract, ROBOT, from_mapping(BindingParameters, options, "binding."), ROBOT.cameras)


def refusal(contract: CheckpointContract, **options: object) -> str:
    with pytest.raises(ParameterError) as error:
        bind(contract, **options)
    assert "\n" not in str(error.value) and str(error.value).startswith(contract.source)
    return str(error.value)


def at(q: np.ndarray) -> JointState:
    return JointState(0, q, np.zeros(8))


def picture(level: int, health: CameraHealth = CameraHealth.OK) -> CameraView:
    return CameraView(np.full((4, 6, 3), level, np.uint8), health)


def test_a_checkpoint_of_this_arm_passes_values_through_unchanged() -> None:
    bound = bind(act())
    chunk = HOME + np.linspace(0.0, 0.1, 10)[:, None] * np.array([1, 1, 1, 1, 1, 1, 1, 0.0])
    assert bound.positions(chunk, HOME) == pytest.approx(chunk)
    assert bound.state(at(HOME)) == pytest.approx(HOME)
    assert bound.rate_hz == 50.0
    assert {row.verdict for row in bound.rows()} == {"ok", "mapped"}


# Order of joints.


@pytest.mark.parametrize("by", ["names", "entries"])
def test_another_order_of_joints_is_brought_into_the_robots(by: str) -> None:
    order = np.array([7, 3, 1, 0, 6, 5, 4, 2])
    names = tuple(JOINT_NAMES[index] for index in order)
    spec = joints(LOW[order], HIGH[order], tuple(f"{name}.pos" for name in names) if by == "names" else ())
    options = {} if by == "names" else {"state": list(names), "action": list(names)}
    bound = bind(act(spec, spec), **options)
    assert bound.state(at(HOME)) == pytest.approx(HOME[order])
    assert bound.positions(HOME[order][None], np.zeros(8))[0] == pytest.approx(HOME)
    row = next(row for row in bound.rows() if row.what == "action")
    assert row.verdict == "mapped" and row.has.startswith("finger_joint, joint4, joint2")


def test_an_order_that_is_not_the_robots_is_told_by_the_statistics() -> None:
    order = np.array([3, 0, 1, 2, 4, 5, 6, 7])  # joint4, which is always bent, comes first
    spec = joints(LOW[order], HIGH[order])
    text = refusal(act(spec, spec))
    assert "value 1 (joint2) is -1.96 to 1.96 rad, and its limits are -1.76 to 1.76" in text
    assert "name the joint of each value in binding.state" in text


def test_names_of_another_robot_are_refused_with_both_sides() -> None:
    spec = joints(names=("shoulder_pan.pos", *JOINT_NAMES[1:]))
    text = refusal(act(spec, spec))
    assert "shoulder_pan.pos is no joint of the robot (joint1, joint2" in text and "binding.state: [...]" in text


@pytest.mark.parametrize("width", [6, 7, 14])
def test_a_checkpoint_of_an_arm_with_another_number_of_joints_is_refused(width: int) -> None:
    spec = VectorSpec((), width, statistics([-1.0] * width, [1.0] * width))
    assert "the robot has 8 joints" in refusal(act(spec, spec))


def test_joints_that_no_value_moves_are_held() -> None:
    spec = joints(LOW[:7], HIGH[:7])
    bound = bind(act(spec, spec), state=list(JOINT_NAMES[:7]), action=list(JOINT_NAMES[:7]))
    held = HOME - np.array([0.0] * 7 + [0.017])
    assert bound.positions(HOME[None, :7] + 0.1, held)[0] == pytest.approx([*HOME[:7] + 0.1, held[7]])
    assert "finger_joint held" in next(row.has for row in bound.rows() if row.what == "action")


# Units.


def test_degrees_become_radians_and_the_finger_stays_in_meters() -> None:
    factor = np.array([180 / math.pi] * 7 + [1.0])
    spec = joints(LOW * factor, HIGH * factor)
    bound = bind(act(spec, spec), angle_unit="deg")
    assert bound.state(at(HOME)) == pytest.approx(HOME * factor)
    assert bound.positions((HOME * factor)[None], HOME)[0] == pytest.approx(HOME)


def test_degrees_where_radians_are_expected_are_named() -> None:
    factor = np.array([180 / math.pi] * 7 + [1.0])
    spec = joints(LOW * factor, HIGH * factor)
    assert "they look like degrees: write binding.angle_unit: deg" in refusal(act(spec, spec))


def test_radians_where_degrees_are_expected_are_named() -> None:
    assert "write binding.angle_unit: rad" in refusal(act(), angle_unit="deg")


def test_an_action_far_beyond_the_statistics_is_a_unit_error() -> None:
    low, high = HOME - 0.1, HOME + 0.1
    low[7], high[7] = 0.0, 0.04
    bound = bind(act(joints(low, high), joints(low, high)))
    inside = HOME.copy()
    inside[0] += 1.9  # 19 half widths
    bound.positions(inside[None], HOME)
    inside[0] += 0.2
    with pytest.raises(ActionFault, match=r"row 1: value 0 \(joint1\) is .*, 21 times beyond .* a unit error"):
        bound.positions(np.stack([HOME, inside]), HOME)
    degrees = np.stack([HOME, HOME])
    degrees[1, 3] = np.degrees(HOME[3])
    with pytest.raises(ActionFault, match=r"row 1: value 3 \(joint4\).*degrees where radians are expected"):
        bound.positions(degrees, HOME)


def test_the_factor_is_the_users() -> None:
    far = HOME.copy()
    far[0] = 2 * 3.0
    bind(act()).positions(far[None], HOME)
    with pytest.raises(ActionFault, match="3 times beyond"):
        bind(act(), unit_factor=2.5).positions(far[None], HOME)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_action_that_is_not_finite_is_refused(value: float) -> None:
    chunk = np.tile(HOME, (5, 1))
    chunk[3, 2] = value
    with pytest.raises(ActionFault, match=r"row 3: value 2 \(joint3\) is (nan|inf|-inf)"):
        bind(act()).positions(chunk, HOME)


@pytest.mark.parametrize("shape", [(0, 8), (5, 7), (8,), (2, 5, 8)])
def test_actions_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ActionFault, match="expected rows of 8 values, got shape"):
        bind(act()).positions(np.zeros(shape), HOME)


def test_positions_stay_inside_the_limits() -> None:
    bound = bind(act())
    positions = bound.positions((HIGH + np.array([2.0] * 7 + [0.01]))[None], HOME)
    assert (positions <= bound.joints.upper).all() and (positions >= bound.joints.lower).all()


# The gripper.


@pytest.mark.parametrize(("opened", "closed"), [(1.0, 0.0), (0.0, 1.0), (-1.0, 1.0), (100.0, 0.0), (0.0, 255.0)])
def test_a_gripper_of_any_polarity_and_range_opens_when_it_is_meant_to(opened: float, closed: float) -> None:
    ends = sorted((opened, closed))
    spec = joints(np.append(LOW[:7], ends[0]), np.append(HIGH[:7], ends[1]))
    bound = bind(act(spec, spec), gripper_joint="finger_joint", gripper_open=opened, gripper_closed=closed)
    chunk = np.tile(HOME, (3, 1))
    chunk[:, 7] = [opened, closed, (opened + closed) / 2]
    assert bound.positions(chunk, HOME)[:, 7] == pytest.approx([0.04, 0.0, 0.02])
    wide, shut = HOME.copy(), HOME.copy()
    wide[7], shut[7] = 0.04, 0.0
    assert [bound.state(at(wide))[7], bound.state(at(shut))[7]] == pytest.approx([opened, closed])


def test_a_gripper_in_numbers_of_its_own_is_refused_until_it_is_said_what_they_mean() -> None:
    spec = joints(np.append(LOW[:7], 0.0), np.append(HIGH[:7], 1.0))
    assert "binding.gripper_joint: finger_joint" in refusal(act(spec, spec))
    assert "binding.gripper_open" in refusal(act(joints(), joints()), gripper_joint="finger_joint", gripper_open=0.0001)


def test_a_range_of_the_gripper_of_ones_own() -> None:
    spec = joints(np.append(LOW[:7], 0.0), np.append(HIGH[:7], 1.0))
    bound = bind(act(spec, spec), gripper_joint="finger_joint", joint_open=0.03, joint_closed=0.005)
    assert bound.positions(np.append(HOME[:7], 1.0)[None], HOME)[0, 7] == pytest.approx(0.03)
    assert "correct binding.joint_open" in refusal(act(spec, spec), gripper_joint="finger_joint", joint_open=0.8)


def test_equal_ends_of_a_gripper_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"binding\.gripper_open: must differ from gripper_closed, both are 1"):
        bind(act(), gripper_closed=1.0)


# Kinds of actions.


@pytest.mark.parametrize("kind", ["relative", "step"])
def test_offsets_are_from_the_start_or_from_row_to_row_and_the_gripper_is_absolute(kind: str) -> None:
    spec = joints(np.append(np.full(7, -0.05), 0.0), np.append(np.full(7, 0.05), 1.0))
    bound = bind(act(action=spec), action_kind=kind, gripper_joint="finger_joint", state=list(JOINT_NAMES[:7]) + ["-"])
    offsets = np.zeros((3, 8))
    offsets[:, 0], offsets[:, 7] = [0.01, 0.02, 0.04], 0.5
    positions = bound.positions(offsets, HOME)
    expected = [0.01, 0.02, 0.04] if kind == "relative" else [0.01, 0.03, 0.07]
    assert positions[:, 0] - HOME[0] == pytest.approx(expected)
    assert positions[:, 7] == pytest.approx(0.02)


def test_steps_that_are_taken_for_targets_are_refused() -> None:
    low, high = np.append(np.full(7, -0.02), 0.0), np.append(np.full(7, 0.02), 0.04)
    text = refusal(act(action=joints(low, high)))
    assert "joint4" in text and "binding.action_kind" in text


def test_targets_that_are_taken_for_steps_are_refused() -> None:
    assert "binding.action_kind: absolute" in refusal(act(), action_kind="step")


def test_steps_of_the_tool_move_it_in_the_base_frame() -> None:
    bound = bind(openvla(), **CARTESIAN)
    actions = np.zeros((4, 7))
    actions[:, 0], actions[:, 6] = 0.02, [1.0, 1.0, 0.0, 0.0]
    positions = bound.positions(actions, HOME)
    start = bound.joints.kinematics.forward(HOME)
    for row, position in enumerate(positions, start=1):
        pose = bound.joints.kinematics.forward(position)
        assert pose[:3, 3] - start[:3, 3] == pytest.approx([0.02 * row, 0, 0], abs=1e-4)
        assert pose[:3, :3] == pytest.approx(start[:3, :3], abs=1e-3)
    assert positions[:, 7] == pytest.approx([0.04, 0.04, 0.0, 0.0])


def test_a_turn_of_the_tool_is_about_the_axes_of_the_base() -> None:
    bound = bind(openvla(), **CARTESIAN)
    actions = np.zeros((1, 7))
    actions[0, 5] = 0.2
    pose = bound.joints.kinematics.forward(bound.positions(actions, HOME)[0])
    start = bound.joints.kinematics.forward(HOME)
    turn = np.array([[math.cos(0.2), -math.sin(0.2), 0], [math.sin(0.2), math.cos(0.2), 0], [0, 0, 1]])
    assert pose[:3, :3] == pytest.approx(turn @ start[:3, :3], abs=1e-3)
    assert pose[:3, 3] == pytest.approx(start[:3, 3], abs=1e-4)


def test_scales_of_a_controller_that_takes_shares_of_its_largest_step() -> None:
    bound = bind(openvla(-1.0, 1.0), **CARTESIAN, position_scale=0.05, rotation_scale=0.5)
    actions = np.zeros((1, 7))
    actions[0, 2] = 0.5
    moved = bound.joints.kinematics.forward(bound.positions(actions, HOME)[0])
    assert moved[2, 3] - bound.joints.kinematics.forward(HOME)[2, 3] == pytest.approx(0.025, abs=1e-4)


def test_a_pose_out_of_reach_is_refused() -> None:
    bound = bind(openvla(), **CARTESIAN)
    actions = np.zeros((60, 7))
    actions[:, 0] = 0.03
    with pytest.raises(ActionFault, match=r"action row \d+: the arm cannot bring its tool to"):
        bound.positions(actions, HOME)


def test_millimeters_are_named() -> None:
    bound = bind(openvla(), **CARTESIAN)
    actions = np.zeros((1, 7))
    actions[0, 1] = 20.0
    with pytest.raises(ActionFault, match=r"value 1 \(tool\.y\).*millimeters where meters are expected"):
        bound.positions(actions, HOME)


# Inverses.

SMALL = st.floats(-1.0, 1.0, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["absolute", "relative", "step"]),
    unit=st.sampled_from(["rad", "deg"]),
    ends=st.sampled_from([(1.0, 0.0), (0.0, 1.0), (-1.0, 1.0)]),
    order=st.permutations(range(8)),
    moves=st.lists(st.lists(SMALL, min_size=8, max_size=8), min_size=1, max_size=5),
)
def test_actions_are_the_inverse_of_positions_of_joints(
    kind: str, unit: str, ends: tuple[float, float], order: list[int], moves: list[list[float]]
) -> None:
    wide = np.array([400.0] * 7 + [1.0])
    spec = VectorSpec((), 8, statistics(-wide[order], wide[order]))
    names = [JOINT_NAMES[index] for index in order]
    raw = replace(act(spec, spec), normalization={"state": "identity", "action": "identity"})
    raw = replace(raw, state=VectorSpec((), 8), action=VectorSpec((), 8))
    options = {"action_kind": kind, "angle_unit": unit, "gripper_open": ends[0], "gripper_closed": ends[1]}
    bound = bind(raw, **options, gripper_joint="finger_joint", state=names, action=names)
    positions = HOME + np.cumsum(np.array(moves), axis=0) * np.array([0.05] * 7 + [0.0])
    positions[:, 7] = 0.02 + 0.02 * np.array(moves)[:, 7]
    assert bound.positions(bound.actions(positions, HOME), HOME) == pytest.approx(positions, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from(["absolute", "relative", "step"]),
    rotation=st.sampled_from([("roll", "pitch", "yaw"), ("rx", "ry", "rz"), ("qx", "qy", "qz", "qw")]),
    moves=st.lists(st.lists(SMALL, min_size=7, max_size=7), min_size=1, max_size=4),
)
def test_actions_are_the_inverse_of_positions_of_the_tool(
    kind: str, rotation: tuple[str, ...], moves: list[list[float]]
) -> None:
    entries = [*(f"tool.{name}" for name in ("x", "y", "z", *rotation)), "finger_joint"]
    raw = replace(openvla(), action=VectorSpec((), len(entries)), normalization={"action": "identity"})
    options = {**CARTESIAN, "action_kind": kind, "action": entries}
    bound = bind(raw, **options)
    positions = HOME + np.cumsum(np.array([[*move, 0.0] for move in moves]) * 0.03, axis=0)
    actions = bound.actions(positions, HOME)
    again = bound.positions(actions, HOME)
    forward = bound.joints.kinematics.forward
    for one, other in zip(again, positions, strict=True):
        assert forward(one) == pytest.approx(forward(other), abs=2e-3)


# The state.


def test_a_state_of_the_tools_pose() -> None:
    entries = ["tool.x", "tool.y", "tool.z", "tool.roll", "tool.pitch", "tool.yaw", "-", "finger_joint"]
    spec = VectorSpec((), 8, statistics([-0.8, -0.8, 0, -3.1, -1.5, -3.1, 4, 0], [0.8, 0.8, 1, 3.1, 1.5, 3.1, 6, 0.04]))
    bound = bind(act(state=spec), state=entries)
    state, pose = bound.state(at(HOME)), bound.joints.kinematics.forward(HOME)
    assert state[:3] == pytest.approx(pose[:3, 3])
    assert state[6] == 5.0, "what the robot has not is the mean"
    assert state[7] == pytest.approx(HOME[7])


@pytest.mark.parametrize(("usual", "sign"), [(3.0, 1.0), (-3.0, -1.0)])
def test_a_roll_of_half_a_turn_has_the_sign_of_the_data(usual: float, sign: float) -> None:
    entries = ["tool.roll", "tool.x", "tool.y", "tool.z", "tool.pitch", "tool.yaw", "joint1", "finger_joint"]
    ends = statistics([usual - 0.4, -0.8, -0.8, 0, -1, -3, -2, 0], [usual + 0.4, 0.8, 0.8, 1, 1, 3, 2, 0.04])
    bound = bind(act(state=VectorSpec((), 8, ends)), state=entries)
    for tilt in (-0.05, 0.05):
        q = HOME.copy()
        q[6] += tilt
        q[5] += tilt
        assert abs(bound.state(at(q))[0] - sign * math.pi) < 0.2
    spec = VectorSpec(
        (), 8, statistics([-0.8, -0.8, 0, usual - 0.4, -1, -3, 0, 0], [0.8, 0.8, 1, usual + 0.4, 1, 3, 1, 1])
    )
    tool = ["tool.x", "tool.y", "tool.z", "tool.roll", "tool.pitch", "tool.yaw", "-", "finger_joint"]
    bound = bind(act(action=spec), action=tool, action_space="cartesian", gripper_joint="finger_joint")
    assert bound.actions(HOME[None], HOME)[0, 3] == pytest.approx(sign * math.pi, abs=1e-3)


def test_a_model_without_a_state_gets_none() -> None:
    assert bind(openvla(), **CARTESIAN).state(at(HOME)).shape == (0,)


# Images.


def test_each_input_sees_its_camera() -> None:
    slots = (FRONT, CameraSlot("observation.images.hand", 256, 256))
    bound = bind(act(cameras=slots), cameras=["hand=wrist"])
    images = bound.images(Frames(0, {"front": picture(1), "wrist": picture(2)}))
    assert {name: int(image.max()) for name, image in images.items()} == {
        "observation.images.front": 1,
        "observation.images.hand": 2,
    }
    assert images["observation.images.front"].shape == (4, 6, 3)


@pytest.mark.parametrize("health", [health for health in CameraHealth if health is not CameraHealth.OK])
def test_an_unhealthy_camera_is_a_fault(health: CameraHealth) -> None:
    with pytest.raises(CameraFault, match=f"camera front is {health.words}, and the checkpoint sees it as observation"):
        bind(act()).images(Frames(0, {"front": picture(1, health)}))
    with pytest.raises(CameraFault, match="camera front is absent"):
        bind(act()).images(Frames(0, {}))


def test_cameras_that_are_not_known_are_matched_with_the_first_frames() -> None:
    slots = (FRONT, CameraSlot("observation.images.top", 256, 256))
    bound = Binding(act(cameras=slots), ROBOT, BindingParameters(), ())
    with pytest.raises(ParameterError, match=r"observation\.images\.top.*wrist may be meant.*binding\.cameras"):
        bound.images(Frames(0, {"front": picture(1), "wrist": picture(2)}))
    assert len(bound.images(Frames(0, {"front": picture(1), "top": picture(2)}))) == 2


def test_system1_needs_no_camera() -> None:
    slots = (CameraSlot("observation.images.nowhere", 0, 0),)
    assert Binding(act(cameras=slots), ROBOT, BindingParameters(), None).rate_hz == 50.0


def test_a_robot_without_a_urdf_cannot_be_bound() -> None:
    with pytest.raises(ParameterError, match="needs the robot's URDF"):
        Binding(act(), replace(ROBOT, urdf=""), BindingParameters(), ())
