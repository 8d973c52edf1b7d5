"""The table holds everything that a checkpoint wants, refused or not; it raises nothing."""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from test.unit.policies.binding.contracts import FRONT, HOME, JOINT_NAMES, ROBOT, act, joints, openvla, statistics
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.binding.action_mapping import ActionFault
from vla_ros.policies.binding.binding import Binding
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.binding.checkpoint_contract import NORMALIZATIONS, CameraSlot, CheckpointContract, VectorSpec
from vla_ros.policies.binding.resolution import Resolution, resolve
from vla_ros.policies.contract import JointState


def table(contract: CheckpointContract, **options: object) -> Resolution:
    return resolve(contract, ROBOT, from_mapping(BindingParameters, options), ROBOT.cameras)


def verdicts(resolution: Resolution) -> dict[str, str]:
    return {row.what: row.verdict for row in resolution.rows}


def test_a_checkpoint_of_this_arm_fits() -> None:
    spec = joints(names=tuple(JOINT_NAMES))
    assert set(verdicts(table(act(spec, spec))).values()) == {"ok"}


def test_all_that_is_refused_is_in_the_table() -> None:
    slots = (FRONT, CameraSlot("observation.images.top", 0, 0))
    contract = act(VectorSpec((), 5), VectorSpec((), 8), slots, rate_hz=None)
    found = verdicts(table(contract, gripper_joint="thumb"))
    refused = ["rate", "camera observation.images.top", "gripper", "state", "state statistics", "action statistics"]
    assert [what for what, verdict in found.items() if verdict == "refused"] == refused
    assert all(row.remedy for row in table(contract).rows if row.verdict == "refused")


@pytest.mark.parametrize(
    ("said", "given", "rate", "verdict"),
    [
        (50.0, 0.0, 50.0, "ok"),
        (50.0, 50.0, 50.0, "ok"),
        (50.0, 25.0, 25.0, "mapped"),
        (None, 5.0, 5.0, "mapped"),
        (None, 0.0, 0.0, "refused"),
    ],
)
def test_the_rate_is_the_bindings_else_the_checkpoints(
    said: float | None, given: float, rate: float, verdict: str
) -> None:
    found = table(act(rate_hz=said), rate_hz=given)
    assert found.rate_hz == rate and verdicts(found)["rate"] == verdict


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"gripper_joint": "thumb"}, "the robot has no joint 'thumb'"),
        (
            {"gripper_joint": "finger_joint", "joint_open": 0.08},
            "finger_joint at 0.08 and 0, and its limits are 0 to 0.04",
        ),
        (
            {"gripper_joint": "finger_joint", "action": [*JOINT_NAMES[:7], "-"]},
            "no value of the action moves finger_joint",
        ),
    ],
)
def test_a_gripper_that_cannot_be_is_refused(options: dict[str, object], text: str) -> None:
    (row,) = [row for row in table(act(), **options).rows if row.what == "gripper"]
    assert row.verdict == "refused" and text in row.has


def test_without_a_urdf_what_needs_none_is_checked() -> None:
    bare = replace(ROBOT, urdf="")
    found = resolve(act(), bare, BindingParameters(), ("front",))
    assert verdicts(found)["robot"] == "mapped" and "state units" not in verdicts(found) and found.joints is None
    narrow = resolve(act(VectorSpec((), 3)), bare, BindingParameters(), ())
    assert verdicts(narrow)["state"] == "refused"


def test_a_robot_that_is_none_is_a_row() -> None:
    found = resolve(act(), replace(ROBOT, urdf="<nothing"), BindingParameters(), ())
    assert verdicts(found)["robot"] == "refused"


def test_the_tools_actions_are_said_to_be_mapped() -> None:
    found = table(openvla(), action_space="cartesian", action_kind="step", rate_hz=5.0, gripper_joint="finger_joint")
    (row,) = [row for row in found.rows if row.what == "action kind"]
    assert (row.wants, row.verdict) == ("steps from row to row of the tool", "mapped")


NUMBERS = st.one_of(st.floats(-400, 400), st.sampled_from([0.0, math.nan, math.inf, -1e300, 1e-12]))
TOOL = ["tool.x", "tool.y", "tool.z", "tool.roll", "tool.pitch", "tool.yaw", "-", "finger_joint"]
ENTRIES = st.sampled_from([*JOINT_NAMES, *TOOL, "tool.qw", "nose"])
NAMED = st.one_of(st.sampled_from([[], list(JOINT_NAMES), TOOL]), st.lists(ENTRIES, max_size=8))
MODES = st.sampled_from([*NORMALIZATIONS, "other"])
POSES = VectorSpec((), 8, statistics([-0.5, -0.5, 0.1, -3, -1, -3, 0, 0], [0.5, 0.5, 0.7, 3, 1, 3, 1, 0.04]))
STEPS = VectorSpec((), 8, statistics([-0.02] * 7 + [0.0], [0.02] * 7 + [0.04]))
OF_JOINTS = {"state": joints(), "action": joints(), "modes": ("mean_std", "mean_std"), "slots": ["a.front"]}
OF_THE_TOOL = {**OF_JOINTS, "action": POSES, "action_space": "cartesian", "actions": TOOL}
BASES = (OF_JOINTS, OF_THE_TOOL, {**OF_JOINTS, "action": STEPS, "action_kind": "step"}, {**OF_JOINTS, "state": None})


@st.composite
def vectors(draw: st.DrawFn) -> VectorSpec:
    width = draw(st.sampled_from([1, 3, 7, 8]))
    names = draw(st.sampled_from([(), JOINT_NAMES, ("a", "b", "c")]))
    found = {}
    for name in draw(st.lists(st.sampled_from(["mean", "std", "min", "max", "q01", "q99", "mask"]), unique=True)):
        length = draw(st.sampled_from([width, width, width, width - 1]))
        found[name] = np.array(draw(st.lists(NUMBERS, min_size=length, max_size=length)))
    return VectorSpec(tuple(names) if len(names) == width else (), width, found)


CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "state": st.one_of(st.none(), st.just(VectorSpec((), 8)), vectors()),
    "action": st.one_of(st.just(VectorSpec((), 8)), vectors()),
    "modes": st.tuples(MODES, MODES),
    "slots": st.lists(st.sampled_from(["a.front", "a.top", "image", "", "a.b.wrist"]), max_size=3),
    "required": st.booleans(),
    "seen": st.sampled_from([None, (), ("front",), ("front", "wrist")]),
    "urdf": st.just(""),
    "cameras": st.lists(st.sampled_from(["front=front", "top=-", "=", "image=wrist", "top=nowhere"]), max_size=2),
    "states": NAMED,
    "actions": NAMED,
    "angle_unit": st.sampled_from(["rad", "deg"]),
    "action_kind": st.sampled_from(["absolute", "relative", "step"]),
    "action_space": st.sampled_from(["joint", "cartesian"]),
    "gripper_joint": st.sampled_from(["", "finger_joint", "joint3", "thumb"]),
    "gripper_open": st.sampled_from([0.04, -1.0, 400.0]),
    "joint_open": st.sampled_from([0.0, 0.03, 9.0]),
    "rate_hz": st.sampled_from([0.0, 10.0, 1000.0]),
    "first_row": st.sampled_from([0, 1]),
}


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    """Draw one that fits, with up to two things changed."""
    case = {
        "required": True,
        "seen": ("front", "wrist"),
        "urdf": ROBOT.urdf,
        "rate_hz": 50.0,
        **draw(st.sampled_from(BASES)),
    }
    for name in draw(st.lists(st.sampled_from(sorted(CHANGES)), max_size=2)):
        case[name] = draw(CHANGES[name])
    return case


@settings(max_examples=200, deadline=None)
@given(case=cases())
def test_whatever_is_held_against_the_robot_is_a_table_and_what_it_accepts_can_be_used(case: dict[str, Any]) -> None:
    modes, robot = dict(zip(("state", "action"), case.pop("modes"), strict=True)), replace(ROBOT, urdf=case.pop("urdf"))
    required, cameras = case.pop("required"), case.pop("seen")
    images = tuple(CameraSlot(name, 8, 8, required) for name in case.pop("slots"))
    contract = CheckpointContract("x", "/x", images, case.pop("state"), case.pop("action"), 5, modes)
    named = {"state": case.pop("states", []), "action": case.pop("actions", [])}
    parameters = from_mapping(BindingParameters, {**case, **named})
    found = resolve(contract, robot, parameters, cameras)
    assert all(row.remedy for row in found.rows if row.verdict == "refused")
    try:
        bound = Binding(contract, robot, parameters, cameras)
    except ParameterError as error:
        assert not robot.urdf or "refused" in {row.verdict for row in found.rows}
        assert "\n" not in str(error)
        return
    action = contract.action
    middle = np.nan_to_num(np.array(action.statistics.get("mean", np.zeros(action.width))))
    with contextlib.suppress(ActionFault):
        positions = bound.positions(np.tile(middle, (2, 1)), HOME)
        assert positions.shape == (2, 8) and np.isfinite(positions).all()
        assert bound.actions(positions, HOME).shape == (2, action.width)
    assert np.isfinite(bound.state(JointState(0, HOME, np.zeros(8)))).all()
