"""Everything that a message or a tick changes in the safety filter: one `FilterState` of plain values.

Numbers, strings, lists of them, arrays of numbers, and dataclasses of these. A filter that is made of the same parameters
and given a copy of this state goes on to the bit as the first one (`audit/snapshot.py` writes and reads it). The states by
name and the transitions between them are in `states.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vla_ros.safety.command.setpoint import SOURCES
from vla_ros.safety.command.setpoint_spline import SetpointSpline
from vla_ros.safety.geometry.active_set import DistanceState
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.joint.joint_motion import JointOutput
from vla_ros.safety.measured.measured_state import MeasuredState
from vla_ros.safety.states import ACTIVE, Event, State, after
from vla_ros.safety.verdict import Verdict

JointStates = list[tuple[int, int, int]]
"""(q, v, a) per joint: nanoradian (nanometre), per tick, per tick squared."""


@dataclass(slots=True)
class StreamState:
    """The newest accepted setpoint of a source: its count, its stamp on the sender's clock, its reception."""

    seq: int
    stamp_ns: int
    receive_ns: int


@dataclass(slots=True)
class OfferedStream:
    """The stream of setpoints that a source sends, accepted or not.

    stops: `FilterState.stops` when it began. receive_ns: reception of its newest setpoint.
    """

    stops: int
    receive_ns: int


@dataclass(slots=True)
class ObstacleState:
    """The obstacles of the newest valid message.

    active: id → its slot and the obstacle that is kept away from. newest: the list of the message. receive_ns: when it was
    received; None: none was. refused: why the newest message was refused; empty: it was not.
    """

    active: dict[str, tuple[int, Obstacle]] = field(default_factory=dict)
    newest: list[Obstacle] = field(default_factory=list)
    receive_ns: int | None = None
    refused: str = ""


@dataclass(slots=True)
class ControllerReport:
    """The newest state of a controller of the arm.

    receive_ns: reception on the monotonic clock. joints: indices of its joints; reference, error: of each, nanoradian or
    nanometre. speed_scaling: share of the speed at which it executes; 0: not told. refused: why it cannot be judged, as the
    end of a sentence; empty: it can.
    """

    receive_ns: int
    joints: list[int] = field(default_factory=list)
    reference: list[int] = field(default_factory=list)
    error: list[int] = field(default_factory=list)
    speed_scaling: float = 0.0
    refused: str = ""


@dataclass(slots=True)
class GripperState:
    """Where a gripper is sent: to which side of where it stands (-1, 1; 0: neither), since when, and where it stood then;
    blocked: where it was blocked on the lower and on the upper side, nanoradian or nanometre; None: it was not.
    """

    side: int = 0
    since_ns: int = 0
    began: int = 0
    blocked: list[int | None] = field(default_factory=lambda: [None, None])


@dataclass(slots=True)
class MonitorState:
    """The newest report of the safety monitor.

    receive_ns: its reception; None: none was heard yet. violation: what it finds broken; empty: nothing. other_limits: how
    its limits differ from the filter's; empty: not at all. hears_measured: of every joint. deaf_since_ns: reception of the
    first of its reports that hear nothing sent, while something is sent; None: it hears.
    """

    receive_ns: int | None = None
    violation: str = ""
    other_limits: str = "it has told none"
    hears_measured: bool = False
    deaf_since_ns: int | None = None


@dataclass(slots=True)
class FilterState:
    """What one filter is at between two calls.

    state: see `states`. sending: whether a tick sends positions. scale: thousandths of the velocity limits that hold now.
    latched_by, stalled_by, stopped_by: why the filter is latched; why nothing is sent until the arm is at rest; why nothing
    is followed; None: it is not so. rejection: why the newest refused setpoint was refused, rejection_ns: when.
    followed: source of the motion that is not at rest yet; empty: none. spline: the setpoints that are followed; None: none
    are. targets: of the tick before, nanoradian or nanometre per joint; None: there were none.
    accepted_ns: reception of the newest accepted setpoint. received_ns: of the newest one, accepted or not. ticked_ns: time
    of the newest tick. ticks, accepted, rejected, limited, missing: counters, see SafetyStatus.msg.
    stops: e-stops, latches, disarming and releases of the dead-man switch since the start; each ends what was going on.
    publishers: topic's role → who publishes there. streams: source → its newest accepted setpoint. offered: source → the
    stream that it sends. clock_offset_ns: filter's clock minus setpoint's clock, averaged. estop_buttons: e-stop buttons that
    are pressed: publisher → its name, as far as it is known. heartbeat_ns: newest heartbeat. deadman_ns: when the switch was
    last heard to be held; None: it is not held. enabling_ns: the same of the enabling device's middle position;
    enabling_locked: it was pressed through and not released since. reduced: what the input of reduced mode said last;
    reduced_ns: when; None: nothing yet. now_ns: time of the newest tick, the one in progress included. contact_since_ns:
    since when each joint is pushed.
    controllers: topic → what the controller there says of itself. gripper: whether it follows. speed_scaling: what the
    driver told last of its speed, in its own unit; speed_scaling_ns: when; None: nothing yet.
    joints: the output. before: (q, v, a) of the joints before the newest tick. entry_ticks: until the stream begins; see
    `trajectory`. sent: the newest three outputs, oldest first, rad or m per joint. distances: what is known of the
    distances that are kept; None: none are. extra: values of rules from outside the package, by name.
    """

    state: State = State.DISARMED
    sending: bool = False
    scale: int = 1000
    latched_by: Verdict | None = None
    stalled_by: Verdict | None = None
    stopped_by: Verdict | None = None
    rejection: Verdict | None = None
    rejection_ns: int = 0
    followed: str = ""
    spline: SetpointSpline | None = None
    targets: list[int] | None = None
    accepted_ns: int = 0
    received_ns: int | None = None
    ticked_ns: int | None = None
    ticks: int = 0
    accepted: int = 0
    rejected: int = 0
    limited: int = 0
    missing: int = 0
    stops: int = 0
    publishers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    streams: dict[str, StreamState | None] = field(default_factory=lambda: dict.fromkeys(SOURCES))
    offered: dict[str, OfferedStream | None] = field(default_factory=lambda: dict.fromkeys(SOURCES))
    clock_offset_ns: int | None = None
    estop_buttons: dict[str, str] = field(default_factory=dict)
    heartbeat_ns: int | None = None
    speed_scaling: float = 0.0
    speed_scaling_ns: int | None = None
    deadman_ns: int | None = None
    enabling_ns: int | None = None
    enabling_locked: bool = False
    reduced: bool = False
    reduced_ns: int | None = None
    now_ns: int = 0
    measured: MeasuredState = field(default_factory=MeasuredState)
    controllers: dict[str, ControllerReport] = field(default_factory=dict)
    gripper: GripperState = field(default_factory=GripperState)
    contact_since_ns: list[int | None] = field(default_factory=list)
    joints: list[JointOutput] = field(default_factory=list)
    before: list[tuple[int, int, int]] = field(default_factory=list)
    entry_ticks: int = 0
    sent: tuple[tuple[float, ...], ...] = ()
    distances: DistanceState | None = None
    obstacles: ObstacleState = field(default_factory=ObstacleState)
    monitor: MonitorState = field(default_factory=MonitorState)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def at_rest(self) -> bool:
        """Whether no joint of the output moves or is about to."""
        return not any(joint.v or joint.a for joint in self.joints)

    def change(self, event: Event) -> None:
        """Take the transition that `event` causes."""
        self.state = after(self.state, event)

    def press(self, verdict: Verdict) -> None:
        """E-stop, from every state. A latch that is there already keeps its reason."""
        if self.state is not State.ESTOP:
            self.stops += 1
            self.latched_by = verdict
            self.spline = None
            self.change(Event.ESTOP)

    def latch(self, verdict: Verdict) -> None:
        """Protective stop. A latch that is there already keeps its reason."""
        if self.state in ACTIVE:
            self.stops += 1
            self.change(Event.FAULT)
            self.latched_by = verdict
            self.spline = None

    def release(self) -> None:
        """Forget what was followed and why it stopped."""
        self.spline = None
        self.targets = None
        self.stopped_by = None
        self.followed = ""
