"""Parameters of the safety filter. None of the limits has a default: whoever runs an arm states them."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import ParameterError, parameter


@dataclass(frozen=True)
class LimitParameters:
    """Per joint, ordered as joint_names; the tighter of these and the URDF's holds."""

    position_lower: list[float] = parameter(description="lowest position", unit="rad or m")
    position_upper: list[float] = parameter(description="highest position", unit="rad or m")
    velocity: list[float] = parameter(description="largest speed", unit="rad/s or m/s", above=0.0)
    acceleration: list[float] = parameter(description="largest acceleration", unit="rad/s^2 or m/s^2", above=0.0)
    jerk: list[float] = parameter(description="largest jerk", unit="rad/s^3 or m/s^3", above=0.0)
    tracking_error: list[float] = parameter(
        description="largest distance between the measured position and the setpoint sent", unit="rad or m", above=0.0
    )
    step: list[float] = parameter(
        description="a command farther than this from the last setpoint sent is refused", unit="rad or m", above=0.0
    )


@dataclass(frozen=True)
class TimingParameters:
    """How old things may be."""

    command_period_s: float = parameter(description="nominal time between commands", unit="s", above=0.0)
    playback_delay_s: float = parameter(
        description="commands are played back this late, so that the next two are known; two periods and a margin",
        unit="s",
        above=0.0,
    )
    command_timeout_s: float = parameter(
        description="without a valid command for this long the arm is brought to rest", unit="s", above=0.0
    )
    joint_state_timeout_s: float = parameter(
        description="without a joint state for this long the arm is stopped and latched", unit="s", above=0.0
    )
    stamp_age_s: float = parameter(description="oldest stamp of a command that is accepted", unit="s", above=0.0)
    stamp_future_s: float = parameter(description="farthest stamp in the future that is accepted", unit="s", above=0.0)


@dataclass(frozen=True)
class ControllerParameters:
    """The arm controller behind the filter."""

    type: str = parameter(
        description="joint_trajectory for a joint_trajectory_controller, forward_position for a group of positions",
        choices=("joint_trajectory", "forward_position"),
    )
    topic: str = parameter(description="topic of the controller")
    gripper_joint: str = parameter("", description="joint that goes to gripper_topic; empty: all joints go to topic")
    gripper_topic: str = parameter("gripper_controller/commands", description="topic of the gripper (Float64MultiArray)")
    time_from_start_s: float = parameter(
        0.02, description="when a trajectory point is to be reached (joint_trajectory only)", unit="s", above=0.0
    )


@dataclass(frozen=True)
class SafetyFilterParameters:
    """The whole of the filter's configuration; none of it changes while it runs."""

    limits: LimitParameters
    timing: TimingParameters
    controller: ControllerParameters
    joint_names: list[str] = parameter(description="joints, in the order of every list here and of the controller")
    rate_hz: float = parameter(description="ticks per second", unit="Hz", minimum=50.0, maximum=1000.0)
    arm_tolerance: float = parameter(
        description="arming takes a measured position this far outside the limits as being at the limit",
        unit="rad or m",
        minimum=0.0,
    )
    arm_speed: float = parameter(
        description="arming is refused while a joint moves faster", unit="rad/s or m/s", above=0.0
    )
    override_speed_scale: float = parameter(
        description="share of the velocity limits that a human's override may use", above=0.0, maximum=1.0
    )
    urdf: str = parameter("", description="file with the robot's URDF; empty: wait for the topic robot_description")

    def __post_init__(self) -> None:
        joints = len(self.joint_names)
        if joints == 0 or len(set(self.joint_names)) != joints:
            raise ParameterError(f"joint_names: needs every joint once, got {self.joint_names}")
        for name, values in vars(self.limits).items():
            if len(values) != joints:
                raise ParameterError(f"limits.{name}: {len(values)} values for {joints} joints")
        for joint, lower, upper in zip(
            self.joint_names, self.limits.position_lower, self.limits.position_upper, strict=True
        ):
            if lower >= upper:
                raise ParameterError(f"limits.position_lower: {joint}: {lower} is not below position_upper {upper}")
        if self.timing.command_timeout_s < self.timing.command_period_s:
            raise ParameterError("timing.command_timeout_s: shorter than command_period_s")
        if self.controller.gripper_joint and self.controller.gripper_joint not in self.joint_names:
            raise ParameterError(f"controller.gripper_joint: {self.controller.gripper_joint} is not in joint_names")
