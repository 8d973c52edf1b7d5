"""What each value of a checkpoint's state or action is on a robot: a joint, a component of the tool's pose, or nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.binding.binding_row import BindingRow
from vla_ros.policies.binding.checkpoint_contract import VectorSpec
from vla_ros.policies.binding.robot_joints import RobotJoints

NOTHING = "-"
"""Entry of a value that the robot has not: a state gets its mean, an action is ignored."""
TOOL = "tool."
POSITIONS = ("x", "y", "z")
ROTATIONS = (("roll", "pitch", "yaw"), ("rx", "ry", "rz"), ("qx", "qy", "qz", "qw"))
"""Ways to give a rotation: a URDF's roll, pitch and yaw; a rotation vector, axis times angle; a quaternion."""
COMPONENTS = (*POSITIONS, *(name for group in ROTATIONS for name in group))
GRIPPER = "gripper"
"""What data call the gripper whatever its joint is called."""
SUFFIXES = (".pos", ".position")
"""Ends of LeRobot's names that say which quantity of a joint is meant."""


@dataclass(frozen=True)
class BoundValue:
    """One value. In robot units (rad, m) it is scale * value + offset.

    Attributes:
        entry: joint, "tool.x", ... or NOTHING.
        joint: its index in q; -1: it is no joint.
        component: of the tool's pose, one of COMPONENTS; empty: it is none.
        scale, offset: never 0 and any number.
        gripper: it is the gripper's opening, with a range of its own.
    """

    entry: str
    joint: int = -1
    component: str = ""
    scale: float = 1.0
    offset: float = 0.0
    gripper: bool = False


def bind_values(
    which: str, spec: VectorSpec, parameters: BindingParameters, names: Sequence[str], joints: RobotJoints | None
) -> tuple[tuple[BoundValue, ...], BindingRow]:
    """Return what each value is, and the row that says so; no values where that row is refused.

    Args:
        which: "state" or "action".
        names: the robot's joints. joints: None: the URDF is not known, and units of grippers and slides neither.
    """
    entries, verdict, source = _entries(which, spec, parameters, names)
    wants = f"{spec.width} values" + (f": {', '.join(spec.names)}" if spec.names else "")
    write = f"write binding.{which}: [...], a joint ({', '.join(names)}), tool.x, ... or - for each value"
    if entries is None:
        return (), BindingRow(which, wants, source, "refused", write)
    fault = _fault(which, entries, spec.width, parameters, names, joints)
    if fault:
        return (), BindingRow(which, wants, fault, "refused", write)
    held = [name for name in names if name not in entries] if which == "action" else []
    if parameters.action_space == "cartesian" and joints is not None:
        held = [name for name in held if names.index(name) not in joints.kinematics.arm]
    elif parameters.action_space == "cartesian":
        held = []
    has = f"{', '.join(entries)} ({source})" + (f"; {', '.join(held)} held" if held else "")
    values = tuple(_value(which, entry, parameters, names, joints) for entry in entries)
    return values, BindingRow(which, wants, has, "mapped" if held or verdict == "mapped" else "ok")


def _entries(
    which: str, spec: VectorSpec, parameters: BindingParameters, names: Sequence[str]
) -> tuple[list[str] | None, str, str]:
    """Return the entry of each value, whether that is "ok" or "mapped", and where it comes from; None: nowhere."""
    given: list[str] = getattr(parameters, which)
    if given:
        return given, "ok" if list(spec.names) == given else "mapped", f"binding.{which}"
    own = [_joint_name(name) for name in spec.names]
    own = [parameters.gripper_joint if name == GRIPPER and parameters.gripper_joint else name for name in own]
    if own and set(own) <= {*names, *(TOOL + component for component in COMPONENTS)}:
        return own, "ok" if own == list(names) else "mapped", "by the checkpoint's names"
    if own:
        strange = [name for name, joint in zip(spec.names, own, strict=True) if joint not in names]
        return None, "", f"{', '.join(strange)} is no joint of the robot ({', '.join(names)})"
    pose = [TOOL + component for component in (*POSITIONS, *ROTATIONS[0])]
    gripper = [parameters.gripper_joint] if parameters.gripper_joint else []
    if which == "action" and parameters.action_space == "cartesian":
        source = "the usual order of poses: the checkpoint names none"
        return [*pose, *gripper], "mapped", source
    if spec.width == len(names):
        return list(names), "mapped", "in the robot's order: the checkpoint names none"
    return None, "", f"the robot has {len(names)} joints ({', '.join(names)}), and the checkpoint names none"


def _joint_name(name: str) -> str:
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def _fault(
    which: str,
    entries: Sequence[str],
    width: int,
    parameters: BindingParameters,
    names: Sequence[str],
    joints: RobotJoints | None,
) -> str:
    """Return why the entries cannot be used; empty: they can."""
    if len(entries) != width:
        return f"{', '.join(entries)} are {len(entries)} values"
    known = {*names, NOTHING, *(TOOL + component for component in COMPONENTS)}
    if unknown := [entry for entry in entries if entry not in known]:
        return f"{', '.join(unknown)} is neither a joint of the robot nor a component of the tool's pose"
    if which == "state":
        return ""
    moved = [entry for entry in entries if entry != NOTHING]
    if twice := sorted({entry for entry in moved if moved.count(entry) > 1}):
        return f"{', '.join(twice)} is moved by two values"
    tool = [entry.removeprefix(TOOL) for entry in moved if entry.startswith(TOOL)]
    if parameters.action_space == "joint":
        return (
            f"tool.{tool[0]} needs binding.action_space: cartesian"
            if tool
            else ""
            if moved
            else "no value moves a joint"
        )
    rotation = [name for name in tool if name not in POSITIONS]
    if not tool:
        return "no value moves the tool, though binding.action_space is cartesian"
    if rotation and not any(sorted(rotation) == sorted(group) for group in ROTATIONS):
        return f"tool.{', tool.'.join(rotation)} is no whole rotation; one is roll pitch yaw, rx ry rz, or qx qy qz qw"
    arm = [] if joints is None else [names[index] for index in joints.kinematics.arm if names[index] in moved]
    return f"{', '.join(arm)} moves the tool, which other values place already" if arm else ""


def _value(
    which: str, entry: str, parameters: BindingParameters, names: Sequence[str], joints: RobotJoints | None
) -> BoundValue:
    angle = math.radians(1.0) if parameters.angle_unit == "deg" else 1.0
    if entry == NOTHING:
        return BoundValue(entry)
    if entry.startswith(TOOL):
        component = entry.removeprefix(TOOL)
        action = which == "action"
        if component in POSITIONS:
            return BoundValue(entry, component=component, scale=parameters.position_scale if action else 1.0)
        if component in ROTATIONS[2]:
            return BoundValue(entry, component=component)
        return BoundValue(entry, component=component, scale=angle * (parameters.rotation_scale if action else 1.0))
    joint = names.index(entry)
    if entry == parameters.gripper_joint:
        opened, closed = gripper_range(parameters, joint, joints)
        scale = (opened - closed) / (parameters.gripper_open - parameters.gripper_closed)
        return BoundValue(entry, joint, "", scale, closed - scale * parameters.gripper_closed, True)
    slides = joints is not None and bool(joints.prismatic[joint])
    return BoundValue(entry, joint, scale=1.0 if slides else angle)


def gripper_range(parameters: BindingParameters, joint: int, joints: RobotJoints | None) -> tuple[float, float]:
    """Return where the gripper's joint is when it is open and closed, rad or m; (1, 0) where the URDF is not known."""
    if parameters.joint_open != parameters.joint_closed:
        return parameters.joint_open, parameters.joint_closed
    return (1.0, 0.0) if joints is None else (float(joints.upper[joint]), float(joints.lower[joint]))
