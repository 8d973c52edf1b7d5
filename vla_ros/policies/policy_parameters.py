"""Options of the policies that ship with the project, as the planner and the action expert declare them.

Both halves of a policy must be given the same options: they are part of the checkpoint hash by which System 1 knows
its System 2. This file imports neither a policy nor a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vla_ros.parameters import ParameterError, parameter


@dataclass(frozen=True)
class MotionParameters:
    """How fast System 1 of a policy without weights may move: inside what the safety filter grants."""

    velocity_share: float = parameter(
        0.5, description="share of the URDF's joint velocity limits that is used", above=0.0, maximum=1.0
    )
    acceleration_rad_s2: list[float] = parameter(
        [6.7, 3.3, 4.5, 5.6, 6.7, 9.0, 9.0],
        description="largest acceleration of each joint of the arm",
        unit="rad/s^2",
        above=0.0,
    )
    jerk_rad_s3: list[float] = parameter(
        [670.0, 330.0, 450.0, 560.0, 670.0, 900.0, 900.0],
        description="largest jerk of each joint of the arm",
        unit="rad/s^3",
        above=0.0,
    )
    finger_velocity_m_s: float = parameter(0.08, description="largest finger speed", unit="m/s", above=0.0)
    finger_acceleration_m_s2: float = parameter(0.6, description="largest finger acceleration", unit="m/s^2", above=0.0)
    finger_jerk_m_s3: float = parameter(12.0, description="largest finger jerk", unit="m/s^3", above=0.0)

    def arm_limits(self, velocity: Sequence[float]) -> tuple[list[float], list[float], list[float]]:
        """Return velocity, acceleration and jerk limits of the joints of an arm.

        Args:
            velocity: the URDF's velocity limit of each joint, rad/s.

        Raises:
            ParameterError: a list is for another number of joints.
        """
        for name in ("acceleration_rad_s2", "jerk_rad_s3"):
            if (given := len(getattr(self, name))) != len(velocity):
                raise ParameterError(f"motion.{name}: has {given} values, but {len(velocity)} joints move the tool")
        return [self.velocity_share * limit for limit in velocity], self.acceleration_rad_s2, self.jerk_rad_s3


@dataclass(frozen=True)
class ClassicalParameters:
    """Sense, plan, act."""

    motion: MotionParameters
    camera: str = parameter("front", description="camera that looks at the table; its pose and CameraInfo are needed")
    gripper_joint: str = parameter("finger_joint", description="joint that opens the gripper")
    table_height_m: float = parameter(0.0, description="height of the table top in the base frame", unit="m")
    speed_m_s: float = parameter(0.35, description="tool speed in free space", unit="m/s", above=0.0)
    slow_speed_m_s: float = parameter(0.12, description="tool speed near objects", unit="m/s", above=0.0)
    attempts: int = parameter(3, description="tries for each step of an instruction", minimum=1)


@dataclass(frozen=True)
class ScriptedParameters:
    """Motions from a file, for the first minutes with a new arm."""

    motion: MotionParameters
    plan: str = parameter("wave", description="a file, or the name of one of the plans that ship (config/scripted/)")
    speed_scale: float = parameter(
        0.1, description="1.0 plays the plan in the time it states, 0.1 in ten times that", above=0.0, maximum=1.0
    )


@dataclass(frozen=True)
class CompactParameters:
    """The model of our own: a checkpoint of `vla-ros train`."""

    checkpoint: str = parameter("compact", description="folder of a checkpoint, or the name of one that ships")
    table_height_m: float = parameter(0.0, description="height of the table top in the base frame", unit="m")
    least_height_m: float = parameter(0.014, description="least height of a waypoint over the table", unit="m")
    least_understood: float = parameter(
        0.5, description="an instruction with a lower probability of making sense is refused", minimum=0.0, maximum=1.0
    )
    hysteresis: float = parameter(
        0.15, description="another subtask must be more probable than the present one by this", minimum=0.0, maximum=1.0
    )
    euler_steps: int = parameter(4, description="steps from noise to action", minimum=1, maximum=50)
    noise: float = parameter(0.3, description="share of the noise that a chunk begins with", minimum=0.0, maximum=1.0)
    seed: int = parameter(0, description="seed of that noise", minimum=0)
