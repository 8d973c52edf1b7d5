"""Everything that a checkpoint wants held against everything that a robot has: the table, and what the rows decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.binding.binding_row import BindingRow
from vla_ros.policies.binding.bound_values import BoundValue, bind_values, gripper_range
from vla_ros.policies.binding.camera_slots import match_cameras
from vla_ros.policies.binding.checkpoint_contract import CheckpointContract
from vla_ros.policies.binding.robot_joints import RobotJoints
from vla_ros.policies.binding.statistics_check import agreement_row, statistics_row, units_row
from vla_ros.policies.registry import Robot


@dataclass(frozen=True)
class Resolution:
    """What a binding is made of.

    Attributes:
        rows: the table. Where one is refused, the other attributes may be incomplete.
        slots: image input → camera; those that are left empty are not in it.
        state, action: what each value is; empty: refused, or the model sees no state.
        joints: None: the URDF is not known.
        rate_hz: rows of a chunk per second; 0: refused.
    """

    rows: tuple[BindingRow, ...]
    slots: Mapping[str, str]
    state: tuple[BoundValue, ...]
    action: tuple[BoundValue, ...]
    joints: RobotJoints | None
    rate_hz: float


def resolve(
    contract: CheckpointContract,
    robot: Robot,
    parameters: BindingParameters,
    cameras: Sequence[str] | None,
    image_size: tuple[int, int] | None = None,
) -> Resolution:
    """Hold a checkpoint against a robot. It raises nothing: what does not fit is a row.

    Args:
        robot: with an empty `urdf`, what needs the URDF is not checked, and a row says so.
        cameras: of the robot; empty: unknown; None: of no concern, as to System 1.
        image_size: (height, width) of their images, pixel; None: unknown.
    """
    rows = [BindingRow("checkpoint", f"{contract.family}, chunks of {contract.chunk_size}", contract.source)]
    joints, robot_row = _joints(robot)
    rate_hz, rate_row = _rate(contract, parameters)
    rows += [robot_row, rate_row]
    slots: dict[str, str] = {}
    if cameras is not None:
        slots, camera_rows = match_cameras(contract.cameras, cameras, parameters.cameras, image_size)
        rows += camera_rows
    bound = {
        which: bind_values(which, spec, parameters, robot.joint_names, joints)
        for which, spec in contract.vectors().items()
    }
    state, action = bound.get("state", ((), None))[0], bound["action"][0]
    rows += _gripper(parameters, robot, joints, action)
    rows.append(_actions(parameters))
    for which, (values, row) in bound.items():
        statistics = statistics_row(which, contract, values)
        rows += [row, statistics]
        if values and joints is not None and statistics.verdict != "refused":
            rows.append(units_row(which, contract, values, parameters, joints))
    if all(row.verdict != "refused" for row in rows):
        disagreement = agreement_row(contract, state, action, parameters)
        rows += [] if disagreement is None else [disagreement]
    return Resolution(tuple(rows), slots, state, action, joints, rate_hz)


def _joints(robot: Robot) -> tuple[RobotJoints | None, BindingRow]:
    wants, names = "a URDF with the robot's joints", ", ".join(robot.joint_names)
    if not robot.urdf:
        return None, BindingRow(
            "robot", wants, f"{names}; limits are checked when robot_description is heard", "mapped"
        )
    try:
        return RobotJoints(robot), BindingRow("robot", wants, names)
    except ParameterError as error:
        remedy = "correct joint_names, tool_frame or the URDF"
        return None, BindingRow("robot", wants, str(error), "refused", remedy)


def _rate(contract: CheckpointContract, parameters: BindingParameters) -> tuple[float, BindingRow]:
    said = contract.rate_hz
    wants = f"{said:g} rows a second" if said else "a rate that its folder does not tell"
    rate_hz = parameters.rate_hz or said or 0.0
    if not rate_hz:
        remedy = "write binding.rate_hz: the frames per second of the data that it was trained on"
        return 0.0, BindingRow("rate", wants, "binding.rate_hz is not given", "refused", remedy)
    same = not parameters.rate_hz or parameters.rate_hz == said
    return rate_hz, BindingRow("rate", wants, f"{rate_hz:g} Hz", "ok" if same else "mapped")


def _gripper(
    parameters: BindingParameters, robot: Robot, joints: RobotJoints | None, action: Sequence[BoundValue]
) -> list[BindingRow]:
    """Return the row on the gripper, where one is named."""
    name = parameters.gripper_joint
    if not name:
        return []
    wants = f"{parameters.gripper_open:g} open, {parameters.gripper_closed:g} closed"
    if name not in robot.joint_names:
        has = f"the robot has no joint {name!r}; it has {', '.join(robot.joint_names)}"
        return [BindingRow("gripper", wants, has, "refused", "correct binding.gripper_joint")]
    index = robot.joint_names.index(name)
    opened, closed = gripper_range(parameters, index, joints)
    if joints is not None:
        low, high = float(joints.lower[index]), float(joints.upper[index])
        slack = 0.01 * abs(high - low)
        if not all(low - slack <= value <= high + slack for value in (opened, closed)) or opened == closed:
            has = f"{name} at {opened:g} and {closed:g}, and its limits are {low:g} to {high:g}"
            return [BindingRow("gripper", wants, has, "refused", "correct binding.joint_open and binding.joint_closed")]
    if action and all(value.joint != index for value in action):
        has = f"no value of the action moves {name}"
        return [
            BindingRow(
                "gripper", wants, has, "refused", f"name {name} in binding.action, or drop binding.gripper_joint"
            )
        ]
    has = f"{name} at {opened:g} open, {closed:g} closed"
    if joints is None and parameters.joint_open == parameters.joint_closed:
        has = f"{name} at its limits"
    return [BindingRow("gripper", wants, has, "mapped")]


def _actions(parameters: BindingParameters) -> BindingRow:
    """Return the row on what an action does."""
    kinds = {"absolute": "targets", "relative": "offsets from the start of the chunk", "step": "steps from row to row"}
    wants = f"{kinds[parameters.action_kind]} of {'joints' if parameters.action_space == 'joint' else 'the tool'}"
    if parameters.action_space == "cartesian":
        return BindingRow("action kind", wants, "joint positions by inverse kinematics", "mapped")
    mapped = parameters.action_kind != "absolute"
    return BindingRow("action kind", wants, "joint positions", "mapped" if mapped else "ok")
