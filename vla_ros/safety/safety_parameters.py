"""What the safety filter must be told: limits and times have no defaults. Rules of geometry and effort, and inputs such as
a dead-man switch, are off unless configured; `not_checked` in the node's diagnostics names them. Nothing can be changed at
run time.
"""

from __future__ import annotations

import dataclasses

from vla_ros.parameters import Faults, ParameterError, parameter
from vla_ros.safety.controller_parameters import DELIVERY_S, LATENESS_S, ControllerParameters, outputs_of
from vla_ros.safety.geometry_parameters import (
    CartesianSpeedParameters,
    EffortParameters,
    FenceParameters,
    KeepOutParameters,
    MomentumParameters,
    ObstacleParameters,
    PayloadParameters,
    ReducedModeParameters,
    SelfCollisionParameters,
    SeparationParameters,
    StopDistanceParameters,
    TableParameters,
    ToolOrientationParameters,
    ToolParameters,
)
from vla_ros.safety.signal_parameters import (
    DeadmanParameters,
    EnablingParameters,
    EStopParameters,
    OverrideParameters,
    SafetyMonitorParameters,
)

_TIGHTENED = "per joint, in the order of joint_names; may only be tighter than the URDF; empty: the URDF's"


@dataclasses.dataclass(frozen=True)
class LimitsParameters:
    """Per joint, in the order of joint_names; rad for revolute joints, m for prismatic ones."""

    acceleration: list[float] = parameter(
        description="largest acceleration per joint; a URDF does not say it", unit="rad/s^2 or m/s^2", above=0.0
    )
    jerk: list[float] = parameter(
        description="largest jerk per joint; a URDF does not say it", unit="rad/s^3 or m/s^3", above=0.0
    )
    position_lower: list[float] = parameter([], description=f"lower position limit {_TIGHTENED}", unit="rad or m")
    position_upper: list[float] = parameter([], description=f"upper position limit {_TIGHTENED}", unit="rad or m")
    velocity: list[float] = parameter([], description=f"largest speed {_TIGHTENED}", unit="rad/s or m/s", above=0.0)
    scale: list[float] = parameter(
        [], description="share of velocity, acceleration and jerk, per joint; empty: all of it", above=0.0, maximum=1.0
    )
    slow_zone: list[float] = parameter(
        [],
        description="nearer than this to a position limit the speed towards it falls linearly to slow_velocity, per joint; "
        "0: it does not; empty: for no joint",
        unit="rad or m",
        minimum=0.0,
    )
    slow_velocity: list[float] = parameter(
        [], description="largest speed at a position limit, per joint; empty: 0", unit="rad/s or m/s", minimum=0.0
    )


@dataclasses.dataclass(frozen=True)
class CommandParameters:
    """The stream of setpoints."""

    period_s: float = parameter(description="nominal time between two setpoints", unit="s", above=0.0, maximum=1.0)
    delay_s: float = parameter(
        description="setpoints are played back this much after their stamp: two periods and the usual time of arrival, "
        "less what the source stamps ahead",
        unit="s",
        minimum=0.0,
        maximum=1.0,
    )
    timeout_s: float = parameter(
        description="without an accepted setpoint for this long the arm comes to rest", unit="s", above=0.0, maximum=1.0
    )
    max_age_s: float = parameter(
        description="a setpoint with an older stamp is refused", unit="s", above=0.0, maximum=60.0
    )
    max_lead_s: float = parameter(
        description="a setpoint with a stamp further in the future is refused", unit="s", minimum=0.0, maximum=60.0
    )
    step: list[float] = parameter(
        description="a setpoint further from the present output is refused, per joint",
        unit="rad or m",
        above=0.0,
        maximum=100.0,
    )


@dataclasses.dataclass(frozen=True)
class MeasuredParameters:
    """What the arm reports of itself."""

    timeout_s: float = parameter(
        description="without a valid state of each joint for this long the arm comes to rest",
        unit="s",
        above=0.0,
        maximum=1.0,
    )
    position_tolerance: list[float] = parameter(
        description="how far a measured joint may lie outside its position limit (sensor noise), per joint; armed there, "
        "the arm begins with a step of as much",
        unit="rad or m",
        minimum=0.0,
        maximum=0.05,
    )
    tracking_error: list[float] = parameter(
        description="measured position further from the output than this latches a protective stop, per joint",
        unit="rad or m",
        above=0.0,
        maximum=10.0,
    )
    rest_velocity: list[float] = parameter(
        description="a joint that moves faster does not count as at rest when arming, per joint",
        unit="rad/s or m/s",
        above=0.0,
        maximum=10.0,
    )
    standstill: list[float] = parameter(
        [],
        description="a joint that moves further while the arm is held still latches a protective stop, per joint; empty: "
        "half of tracking_error",
        unit="rad or m",
        above=0.0,
        maximum=10.0,
    )
    overspeed: float = parameter(
        1.25,
        description="share of its velocity limit beyond which a measured joint latches a protective stop",
        minimum=1.0,
        maximum=10.0,
    )
    velocity: list[float] = parameter(
        [],
        description="a joint that is measured to move faster latches a protective stop, per joint; 0, or empty: "
        "measured.overspeed times its velocity limit, and measured.rest_velocity. More for a finger that may slip off what "
        "it grips",
        unit="rad/s or m/s",
        minimum=0.0,
        maximum=100.0,
    )
    tcp_speed_m_s: float = parameter(
        0.0,
        description="a tool that is measured to move faster latches a protective stop; 0: it is not watched",
        unit="m/s",
        minimum=0.0,
        maximum=100.0,
    )
    clearance_tolerance_m: float = parameter(
        0.01,
        description="the measured arm may be deeper inside a margin than what is sent by so much",
        unit="m",
        minimum=0.001,
        maximum=1.0,
    )
    settle_s: float = parameter(
        0.2,
        description="joint states must have been without a contradiction for this long when arming",
        unit="s",
        minimum=0.2,
        maximum=5.0,
    )
    clock_drift: float = parameter(
        0.01,
        description="share by which the clock of the joint states' stamps may run faster or slower than the filter's; "
        "more for a simulator that does not keep real time",
        minimum=0.0,
        maximum=1.0,
    )


@dataclasses.dataclass(frozen=True)
class HomeParameters:
    """The safe home position; vla/safe_home tells whether the arm is measured at rest there."""

    position: list[float] = parameter([], description="per joint; empty: there is none", unit="rad or m")
    tolerance: list[float] = parameter(
        [], description="largest distance from it, per joint", unit="rad or m", above=0.0
    )


@dataclasses.dataclass(frozen=True)
class ContactParameters:
    """External effort, measured minus modelled, from the efforts in joint_states."""

    threshold: list[float] = parameter(
        [],
        description="a larger external effort latches a protective stop, per joint; empty: not watched",
        unit="N m or N",
        above=0.0,
    )
    duration_s: float = parameter(
        0.02, description="the threshold must be passed for this long", unit="s", minimum=0.0, maximum=1.0
    )


@dataclasses.dataclass(frozen=True)
class AuditParameters:
    """The log of every call and every decision; see docs/audit.md."""

    directory: str = parameter("", description="folder of the audit log, ~ is the home folder; empty: no log")
    file_mb: float = parameter(16.0, description="a file of this size is followed by a new one", unit="MB", above=0.0)
    total_mb: float = parameter(
        512.0, description="all files of the folder; the oldest are deleted", unit="MB", above=0.0
    )
    keep_incidents: int = parameter(
        16, description="files with a latch, the newest, that are deleted only when nothing else is left", minimum=0
    )

    def __post_init__(self) -> None:
        needed_mb = (self.keep_incidents + 4) * self.file_mb
        if self.total_mb < needed_mb:
            raise ParameterError(
                f"total_mb: {self.total_mb:g} is too little; keep_incidents + 4 files of file_mb take {needed_mb:g}"
            )


@dataclasses.dataclass(frozen=True)
class SafetyFilterParameters:
    """Parameters of the node safety_filter."""

    limits: LimitsParameters
    command: CommandParameters
    measured: MeasuredParameters
    override: OverrideParameters
    controller: ControllerParameters
    estop: EStopParameters
    safety_monitor: SafetyMonitorParameters
    deadman: DeadmanParameters
    fence: FenceParameters
    table: TableParameters
    keep_out: KeepOutParameters
    self_collision: SelfCollisionParameters
    obstacle: ObstacleParameters
    tool: ToolParameters
    payload: PayloadParameters
    effort: EffortParameters
    cartesian_speed: CartesianSpeedParameters
    reduced_mode: ReducedModeParameters
    stop_distance: StopDistanceParameters
    momentum: MomentumParameters
    separation: SeparationParameters
    tool_orientation: ToolOrientationParameters
    enabling: EnablingParameters
    home: HomeParameters
    contact: ContactParameters
    audit: AuditParameters
    joint_names: list[str] = parameter(description="the joints that the filter commands, gripper included")
    period_s: float = parameter(0.004, description="time from tick to tick", unit="s", minimum=0.001, maximum=0.05)
    speed_scale: float = parameter(
        1.0, description="share of the velocity limits at start; vla/speed_scale changes it", minimum=0.01, maximum=1.0
    )
    urdf: str = parameter("", description="URDF file with the limits; empty: from the robot_description topic")
    mesh_folders: list[str] = parameter(
        [],
        description="folders that relative and package:// addresses of the URDF's meshes begin in, besides the folder of the "
        "file `urdf` and the sourced ROS installations",
    )
    unchecked: list[str] = parameter(
        [],
        description="rules and inputs that this robot does without, by name, e.g. fence or heartbeat; what else is off is a "
        "warning in the diagnostics",
    )
    cpu: int = parameter(-1, description="core that the filter's thread is pinned to; -1: any", minimum=-1)

    def without_monitor(self) -> SafetyFilterParameters:
        """Return the same for a filter that runs without a graph, where there is no second channel."""
        alone = dataclasses.replace(self.safety_monitor, timeout_s=0.0)
        return dataclasses.replace(self, safety_monitor=alone)

    def __post_init__(self) -> None:
        joints, faults = len(self.joint_names), Faults()
        if joints == 0 or len(set(self.joint_names)) != joints or "" in self.joint_names:
            faults.found.append(f"joint_names: must be non-empty names, each once; got {self.joint_names}")
        for key, values, optional in (
            ("limits.acceleration", self.limits.acceleration, False),
            ("limits.jerk", self.limits.jerk, False),
            ("limits.position_lower", self.limits.position_lower, True),
            ("limits.position_upper", self.limits.position_upper, True),
            ("limits.velocity", self.limits.velocity, True),
            ("limits.scale", self.limits.scale, True),
            ("limits.slow_zone", self.limits.slow_zone, True),
            ("limits.slow_velocity", self.limits.slow_velocity, True),
            ("command.step", self.command.step, False),
            ("measured.position_tolerance", self.measured.position_tolerance, False),
            ("measured.tracking_error", self.measured.tracking_error, False),
            ("measured.rest_velocity", self.measured.rest_velocity, False),
            ("measured.standstill", self.measured.standstill, True),
            ("measured.velocity", self.measured.velocity, True),
            ("effort.limit", self.effort.limit, True),
            ("contact.threshold", self.contact.threshold, True),
            ("home.position", self.home.position, True),
            ("home.tolerance", self.home.tolerance, True),
        ):
            if len(values) != joints and not (optional and not values):
                faults.found.append(f"{key}: expected {joints} values, one per joint, got {len(values)}")
        if self.command.timeout_s <= self.command.period_s:
            faults.found.append(
                f"command.timeout_s: {self.command.timeout_s} is not more than command.period_s "
                f"{self.command.period_s}: the arm would stop between two setpoints"
            )
        one = ("fence.box", "table.height_m", "tool_orientation.direction")
        for key, values, stride in (
            ("fence.box", self.fence.box, 6),
            ("fence.planes", self.fence.planes, 4),
            ("keep_out.boxes", self.keep_out.boxes, 9),
            ("tool.capsules", self.tool.capsules, 7),
            ("table.height_m", self.table.height_m, 1),
            ("reduced_mode.planes", self.reduced_mode.planes, 4),
            ("tool_orientation.direction", self.tool_orientation.direction, 3),
        ):
            if len(values) % stride or (len(values) > stride and key in one):
                faults.found.append(f"{key}: expected {stride} values each, got {len(values)}")
        if any(not radius > 0.0 for radius in self.tool.capsules[6::7]):
            faults.found.append("tool.capsules: the seventh value of each is its radius, above 0")
        if self.tool.capsules and not self.tool.link:
            faults.found.append("tool.link: must name the link that carries the tool.capsules")
        if self.effort.limit and not self.effort.check:
            faults.found.append("effort.limit: is given, but effort.check is off; switch it on, or give no limit")
        if self.payload.mass_kg and not self.payload.link:
            faults.found.append("payload.link: must name the link that carries payload.mass_kg")
        with faults.collected():
            outputs_of(self.controller, self.joint_names)
        shortest_s = self.controller.shortest_horizon_s(self.period_s)
        if self.controller.stamped and self.controller.horizon_s < shortest_s:
            faults.found.append(
                f"controller.horizon_s: {self.controller.horizon_s} is too short; two period_s, one period of "
                f"controller.update_rate_hz, and {DELIVERY_S + LATENESS_S:g} for delivery are {shortest_s:.4g}"
            )
        if bool(self.home.position) != bool(self.home.tolerance):
            faults.found.append("home.tolerance: give it together with home.position, or neither")
        faults.refuse()
