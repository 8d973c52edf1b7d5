"""The table holds everything that a checkpoint wants, refused or not; it raises nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from test.unit.policies.binding.contracts import FRONT, JOINT_NAMES, ROBOT, act, joints, openvla
from vla_ros.parameters import from_mapping
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.binding.checkpoint_contract import CameraSlot, CheckpointContract, VectorSpec
from vla_ros.policies.binding.resolution import Resolution, resolve


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
