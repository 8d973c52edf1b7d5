"""What the safety filter must be told: limits and times have no defaults. Rules of geometry and effort, and inputs such as
a dead-man switch, are off unless configured; `not_checked` in the node's diagnostics names them. Nothing can be changed at
run time.
"""

from __future__ import annotations

import dataclasses

from vla_ros.parameters import ParameterError, parameter
from vla_ros.safety.controller_parameters import DELIVERY_S, LATENESS_S, ControllerParameters, outputs_of

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
class OverrideParameters:
    """A human's device on vla/override; it has priority over the policy."""

    speed_scale: float = parameter(
        description="share of the velocity limits that it may use", minimum=0.01, maximum=1.0
    )
    delay_s: float = parameter(
        0.028,
        description="as command.delay_s, for its setpoints: a device does not know what it will send",
        unit="s",
        minimum=0.0,
        maximum=1.0,
    )


@dataclasses.dataclass(frozen=True)
class EStopParameters:
    """Besides the service vla/estop and the topic vla/estop."""

    heartbeat_s: float = parameter(
        0.0,
        description="vla/estop_heartbeat silent for this long is an e-stop; 0: there is no heartbeat",
        unit="s",
        minimum=0.0,
        maximum=10.0,
    )


@dataclasses.dataclass(frozen=True)
class SafetyMonitorParameters:
    """The second channel: the node safety_monitor judges what is sent and measured; the filter wants its reports."""

    timeout_s: float = parameter(
        0.0,
        description="without a report of the node safety_monitor for this long the arm comes to rest, and it is not armed; "
        "0: there is no second channel",
        unit="s",
        minimum=0.0,
        maximum=10.0,
    )
    rate_hz: float = parameter(
        50.0, description="how often the node safety_monitor judges", unit="Hz", minimum=50.0, maximum=500.0
    )
    measured_tolerance_m: float = parameter(
        0.01,
        description="how much nearer than a margin the measured arm may be: tracking error and sensor noise",
        unit="m",
        minimum=0.0,
        maximum=0.5,
    )

    def __post_init__(self) -> None:
        if 0.0 < self.timeout_s < 0.2:
            raise ParameterError(
                f"timeout_s: {self.timeout_s} is less than 0.2, two reports of the monitor; 0: there is none"
            )


@dataclasses.dataclass(frozen=True)
class DeadmanParameters:
    """A switch that a human holds on vla/deadman."""

    timeout_s: float = parameter(
        0.0,
        description="without a pressed switch for this long the arm comes to rest; 0: there is no switch",
        unit="s",
        minimum=0.0,
        maximum=10.0,
    )


_MARGIN = "distance that every body of the arm keeps, now and on the whole path to rest"
_SLOW = "the arm slows down from this distance beyond the margin on; 0: it does not"


@dataclasses.dataclass(frozen=True)
class FenceParameters:
    """A convex space, in the base frame, that the arm does not leave."""

    box: list[float] = parameter([], description="x_min y_min z_min x_max y_max z_max; empty: no box", unit="m")
    planes: list[float] = parameter(
        [], description="further sides: nx ny nz d each, the arm stays where n.p <= d; empty: none", unit="m"
    )
    margin_m: float = parameter(0.0, description=_MARGIN, unit="m", minimum=0.0)
    slow_m: float = parameter(0.05, description=_SLOW, unit="m", minimum=0.0)


@dataclasses.dataclass(frozen=True)
class TableParameters:
    """The plane that the arm works on."""

    height_m: list[float] = parameter([], description="z of the plane in the base frame; empty: no table", unit="m")
    margin_m: float = parameter(0.0, description=_MARGIN, unit="m", minimum=0.0)
    slow_m: float = parameter(0.0, description=_SLOW, unit="m", minimum=0.0)


@dataclasses.dataclass(frozen=True)
class KeepOutParameters:
    """Boxes, fixed in the base frame, that the arm stays out of."""

    boxes: list[float] = parameter(
        [], description="centre x y z, size x y z, roll pitch yaw (fixed axes) each; empty: none", unit="m, rad"
    )
    margin_m: float = parameter(0.0, description=_MARGIN, unit="m", minimum=0.0)
    slow_m: float = parameter(0.05, description=_SLOW, unit="m", minimum=0.0)


@dataclasses.dataclass(frozen=True)
class SelfCollisionParameters:
    """Bodies of the arm against each other; neighbours in the chain are always allowed to touch."""

    check: bool = parameter(False, description="whether the arm's bodies keep away from each other")
    allowed: list[str] = parameter([], description='further pairs of links that may touch: "link_a link_b" each')
    srdf: str = parameter("", description="SRDF file whose disable_collisions pairs may touch; empty: none")
    margin_m: float = parameter(0.0, description=_MARGIN, unit="m", minimum=0.0)
    slow_m: float = parameter(0.0, description=_SLOW, unit="m", minimum=0.0)


@dataclasses.dataclass(frozen=True)
class ObstacleParameters:
    """Boxes, balls and capsules from vla/obstacles."""

    timeout_s: float = parameter(
        0.0,
        description="without a valid message for this long the arm comes to rest; 0: nothing is subscribed to",
        unit="s",
        minimum=0.0,
        maximum=10.0,
    )
    frame_id: str = parameter("base", description="frame that the messages must be in: the URDF's root link")
    maximum: int = parameter(
        16, description="most obstacles at once; a message with more is refused", minimum=1, maximum=64
    )
    margin_m: float = parameter(0.02, description=_MARGIN, unit="m", minimum=0.0)
    slow_m: float = parameter(0.1, description=_SLOW, unit="m", minimum=0.0)


@dataclasses.dataclass(frozen=True)
class ToolParameters:
    """What is mounted on the arm beyond its URDF."""

    link: str = parameter("", description="link that carries the tool; empty: no tool")
    capsules: list[float] = parameter(
        [], description="in the link's frame: start x y z, end x y z, radius each; empty: none", unit="m"
    )
    point: list[float] = parameter(
        [0.0, 0.0, 0.0], description="tool centre point in the link's frame", unit="m", length=3
    )
    axis: list[float] = parameter(
        [0.0, 0.0, 1.0], description="direction in which the tool points, in the link's frame", length=3
    )


@dataclasses.dataclass(frozen=True)
class PayloadParameters:
    """What the arm carries."""

    link: str = parameter("", description="link that carries it; empty: no payload")
    mass_kg: float = parameter(0.0, description="its mass", unit="kg", minimum=0.0)
    centre: list[float] = parameter(
        [0.0, 0.0, 0.0], description="its centre of mass in the link's frame", unit="m", length=3
    )


@dataclasses.dataclass(frozen=True)
class EffortParameters:
    """Inverse dynamics against the URDF's effort limits; the URDF's inertias must be right."""

    check: bool = parameter(False, description="whether efforts are limited")
    limit: list[float] = parameter([], description=f"largest effort {_TIGHTENED}", unit="N m or N", above=0.0)


_LINKS = 'tighter ones for single links: "link m/s" each; "tool" is the tool centre point; empty: none'


@dataclasses.dataclass(frozen=True)
class CartesianSpeedParameters:
    """How fast the tool, the elbow and every other body may be."""

    limit_m_s: float = parameter(
        0.0, description="largest speed of any point of the arm; 0: not limited", unit="m/s", minimum=0.0
    )
    links: list[str] = parameter([], description=_LINKS)


@dataclasses.dataclass(frozen=True)
class ReducedModeParameters:
    """A mode with limits of its own, entered by an input or by a plane."""

    input: bool = parameter(
        False, description="whether vla/reduced is heard: true begins reduced mode, only false ends it"
    )
    timeout_s: float = parameter(
        0.5, description="vla/reduced silent for this long counts as true", unit="s", above=0.0, maximum=60.0
    )
    planes: list[float] = parameter(
        [], description="nx ny nz d each, in the base frame: reduced where n.p > d; empty: none", unit="m"
    )
    speed_m_s: float = parameter(0.25, description="largest speed of any point of the arm", unit="m/s", above=0.0)
    links: list[str] = parameter([], description=_LINKS)
    joint_share: float = parameter(0.5, description="share of the joints' velocity limits", minimum=0.01, maximum=1.0)


@dataclasses.dataclass(frozen=True)
class StopDistanceParameters:
    """How long and how far the arm may take to come to rest; its speed is kept so low that it does not take more."""

    time_s: float = parameter(0.0, description="longest time to rest; 0: not limited", unit="s", minimum=0.0)
    distance_m: float = parameter(
        0.0, description="longest way to rest of any point of the arm; 0: not limited", unit="m", minimum=0.0
    )


@dataclasses.dataclass(frozen=True)
class MomentumParameters:
    """What the arm's motion may amount to, by the URDF's inertias, which must be right."""

    limit_kg_m_s: float = parameter(
        0.0, description="largest sum of mass times speed; 0: not limited", unit="kg m/s", minimum=0.0
    )
    power_w: float = parameter(
        0.0, description="largest power that moves the arm; 0: not limited", unit="W", minimum=0.0
    )


@dataclasses.dataclass(frozen=True)
class SeparationParameters:
    """The protective distance to people and to what moves, after ISO 13855 and ISO 10218-2."""

    check: bool = parameter(False, description="whether the protective distance is kept; needs obstacle.timeout_s")
    human_speed_m_s: float = parameter(
        1.6, description="of a human whose velocity is not told", unit="m/s", minimum=0.0, maximum=20.0
    )
    reaction_s: float = parameter(
        0.1, description="from what is sensed until the filter brakes, T_r", unit="s", minimum=0.0, maximum=5.0
    )
    intrusion_m: float = parameter(
        0.85, description="how far a human may reach before the sensor sees it, C", unit="m", minimum=0.0
    )
    position_uncertainty_m: float = parameter(0.05, description="of the obstacles' places, Z_d", unit="m", minimum=0.0)
    arm_uncertainty_m: float = parameter(
        0.01, description="of the arm's place: tracking error, Z_r", unit="m", minimum=0.0
    )


@dataclasses.dataclass(frozen=True)
class ToolOrientationParameters:
    """A cone in which the tool's axis stays; tool.link and tool.axis say which axis."""

    direction: list[float] = parameter([], description="axis of the cone in the base frame, x y z; empty: no cone")
    angle_rad: float = parameter(
        0.5, description="largest angle between the tool's axis and direction", unit="rad", above=0.0, maximum=3.15
    )


@dataclasses.dataclass(frozen=True)
class EnablingParameters:
    """A three-position enabling device on vla/enabling: 0 released, 1 pressed, 2 pressed through."""

    timeout_s: float = parameter(
        0.0,
        description="without a message that it is pressed for this long the arm comes to rest; 0: there is no device",
        unit="s",
        minimum=0.0,
        maximum=10.0,
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
        joints = len(self.joint_names)
        if joints == 0 or len(set(self.joint_names)) != joints or "" in self.joint_names:
            raise ParameterError(f"joint_names: must be non-empty names, each once; got {self.joint_names}")
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
            ("effort.limit", self.effort.limit, True),
            ("contact.threshold", self.contact.threshold, True),
            ("home.position", self.home.position, True),
            ("home.tolerance", self.home.tolerance, True),
        ):
            if len(values) != joints and not (optional and not values):
                raise ParameterError(f"{key}: expected {joints} values, one per joint, got {len(values)}")
        if self.command.timeout_s <= self.command.period_s:
            raise ParameterError(
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
                raise ParameterError(f"{key}: expected {stride} values each, got {len(values)}")
        if any(not radius > 0.0 for radius in self.tool.capsules[6::7]):
            raise ParameterError("tool.capsules: the seventh value of each is its radius, above 0")
        if self.tool.capsules and not self.tool.link:
            raise ParameterError("tool.link: must name the link that carries the tool.capsules")
        if self.effort.limit and not self.effort.check:
            raise ParameterError("effort.limit: is given, but effort.check is off; switch it on, or give no limit")
        if self.payload.mass_kg and not self.payload.link:
            raise ParameterError("payload.link: must name the link that carries payload.mass_kg")
        outputs_of(self.controller, self.joint_names)
        shortest_s = self.controller.shortest_horizon_s(self.period_s)
        if self.controller.stamped and self.controller.horizon_s < shortest_s:
            raise ParameterError(
                f"controller.horizon_s: {self.controller.horizon_s} is too short; two period_s, one period of "
                f"controller.update_rate_hz, and {DELIVERY_S + LATENESS_S:g} for delivery are {shortest_s:.4g}"
            )
        if bool(self.home.position) != bool(self.home.tolerance):
            raise ParameterError("home.tolerance: give it together with home.position, or neither")
