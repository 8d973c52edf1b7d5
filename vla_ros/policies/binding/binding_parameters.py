"""How a checkpoint is bound to a robot: what its numbers mean, and which camera it sees where. This file imports no model."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import ParameterError, parameter

ANGLE_UNITS = ("rad", "deg")
ACTION_KINDS = ("absolute", "relative", "step")
ACTION_SPACES = ("joint", "cartesian")


@dataclass(frozen=True)
class BindingParameters:
    """What the numbers of a checkpoint mean on this robot. `vla-ros check` prints what is missing."""

    cameras: list[str] = parameter(
        [],
        description="slot=camera of each image input, e.g. observation.images.top=front; empty: by the last part of the name",
    )
    state: list[str] = parameter(
        [],
        description="joint, tool.x, tool.roll, ... or - (nothing) of each value of the state; empty: by the checkpoint's "
        "names, else the robot's joints in their order",
    )
    action: list[str] = parameter(
        [],
        description="likewise of each value of an action; joints that none of them moves are held",
    )
    angle_unit: str = parameter("rad", description="unit of the checkpoint's angles", choices=ANGLE_UNITS)
    action_kind: str = parameter(
        "absolute",
        description="absolute: targets; relative: from the state at the start of the chunk; step: each row from the row "
        "before. The gripper is always absolute",
        choices=ACTION_KINDS,
    )
    action_space: str = parameter(
        "joint", description="cartesian: poses of the tool in the base frame", choices=ACTION_SPACES
    )
    position_scale: float = parameter(
        1.0, description="meters for a 1 of a tool position in an action, e.g. 0.001 for mm", unit="m", above=0.0
    )
    rotation_scale: float = parameter(
        1.0, description="factor on tool rotations in an action, before angle_unit", above=0.0
    )
    gripper_joint: str = parameter("", description="joint of the gripper; empty: its value is a joint position")
    gripper_open: float = parameter(1.0, description="checkpoint's value of the open gripper")
    gripper_closed: float = parameter(0.0, description="checkpoint's value of the closed gripper")
    joint_open: float = parameter(0.0, description="position of gripper_joint when it is open", unit="rad or m")
    joint_closed: float = parameter(
        0.0,
        description="position of gripper_joint when it is closed; both equal: the URDF's limits, the upper one is open",
        unit="rad or m",
    )
    rate_hz: float = parameter(
        0.0,
        description="rows per second of a chunk; 0: what the checkpoint says",
        unit="Hz",
        minimum=0.0,
        maximum=1000.0,
    )
    first_row: int = parameter(
        0,
        description="rows by which a chunk begins after its frames: 1 where the data pair a frame with the command of the "
        "next one. Steps always begin one row later",
        minimum=0,
        maximum=1,
    )
    unit_factor: float = parameter(
        20.0, description="an action this many times beyond the statistics is refused as a unit error", above=1.0
    )

    def __post_init__(self) -> None:
        if self.gripper_open == self.gripper_closed:
            raise ParameterError(f"gripper_open: must differ from gripper_closed, both are {self.gripper_open:g}")
