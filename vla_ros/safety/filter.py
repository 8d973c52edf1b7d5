"""The safety filter: every setpoint passes here, in the order of the tuples below, or does not pass.

A rule that raises stops the arm and latches. Rejected input changes no output. The filter is given time and messages and owns
neither clock nor log; the same calls give the same outputs to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vla_ros.safety import messages, services
from vla_ros.safety.arm_motion import joint_states
from vla_ros.safety.command.authority import (
    GoalAuthority,
    InputAuthority,
    OutputAuthority,
    SetpointAuthority,
    SourceAuthority,
)
from vla_ros.safety.command.continuity import Continuity
from vla_ros.safety.command.deadman import Deadman
from vla_ros.safety.command.enabling import Enabling
from vla_ros.safety.command.entry import Entry
from vla_ros.safety.command.estop import EStop
from vla_ros.safety.command.freshness import Freshness
from vla_ros.safety.command.open_loop import OpenLoop
from vla_ros.safety.command.resumption import Resumption
from vla_ros.safety.command.safety_monitor import SafetyMonitor
from vla_ros.safety.command.schema import Schema
from vla_ros.safety.command.sequence import SetpointSequence
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.decision import Decision, decision_of
from vla_ros.safety.filter_setup import RuleOrder, checked_limits, filter_setup, initial_state
from vla_ros.safety.geometry.cartesian_speed import CartesianSpeed
from vla_ros.safety.geometry.clearance import NearestPair
from vla_ros.safety.geometry.momentum import Momentum
from vla_ros.safety.geometry.obstacle import ObstacleFeed
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.geometry.reduced_mode import ReducedMode
from vla_ros.safety.geometry.separation import Separation
from vla_ros.safety.geometry.stop_distance import StopDistance
from vla_ros.safety.geometry.tool_orientation import ToolOrientation
from vla_ros.safety.joint.effort_limit import EffortLimit
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.measured import controller_state
from vla_ros.safety.measured.contact import Contact
from vla_ros.safety.measured.controller_state import ControllerState, GripperFollows
from vla_ros.safety.measured.joint_source import JointSource
from vla_ros.safety.measured.joint_state import JointStateConsistent, JointStateFresh, JointStateInRange
from vla_ros.safety.measured.measured_clearance import MeasuredClearance
from vla_ros.safety.measured.overspeed import Overspeed
from vla_ros.safety.measured.speed_scaling import SpeedScaling
from vla_ros.safety.measured.standstill import Standstill
from vla_ros.safety.measured.tcp_overspeed import TcpOverspeed
from vla_ros.safety.measured.tracking_error import TrackingError
from vla_ros.safety.rules import SafetyRule, SetpointRule, StepRule, TickRule, code_of
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.states import Event, State
from vla_ros.safety.takeover import handle_stall
from vla_ros.safety.tick import LastCheckError, checked_positions, miss, move, retract, stop_positions
from vla_ros.safety.verdict import Verdict, raised

SETPOINT_RULES: tuple[type[SetpointRule], ...] = (
    SetpointAuthority,
    Resumption,
    Schema,
    Freshness,
    SetpointSequence,
    Continuity,
    Entry,
)
"""A setpoint on arrival; the first objection refuses it."""
MEASURED_RULES: tuple[type[TickRule], ...] = (Overspeed, TcpOverspeed, Contact)
"""A joint state on arrival, while the filter is armed."""
TICK_RULES: tuple[type[TickRule], ...] = (
    EStop,
    JointSource,
    JointStateConsistent,
    JointStateFresh,
    JointStateInRange,
    TrackingError,
    Standstill,
    MeasuredClearance,
    ControllerState,
    SpeedScaling,
    GripperFollows,
    ObstacleFeed,
    InputAuthority,
    GoalAuthority,
    OutputAuthority,
    Deadman,
    Enabling,
    SafetyMonitor,
    SourceAuthority,
    OpenLoop,
)
"""Every tick; the first objection counts, and its rule's `ACTION` is taken."""
STEP_RULES: tuple[type[StepRule], ...] = (
    EffortLimit,
    ToolOrientation,
    StopDistance,
    Momentum,
    CartesianSpeed,
    ReducedMode,
    Separation,
)
"""The step of all joints, once velocity_limit, acceleration_limit, jerk_limit and position_limit (`joint_motion.py`) have
limited that of each; after these the distances of `collision_constraints.DISTANCE_RULES`; what is then sent, `last_check`."""

ORDER = RuleOrder(SETPOINT_RULES, MEASURED_RULES, TICK_RULES, STEP_RULES)


class SafetyFilter:
    """One filter for one arm: `values`, all that changes, and rules and limits, which do not.

    Args:
        parameters: the configuration.
        limits: of `parameters.joint_names`, see `vla_ros.safety.joint.joint_limits.joint_limits`.
        urdf: text of the URDF; without it the rules that need a model of the arm are off, whatever is configured.
        extra_rules: rules from outside this package, asked after the package's own of the same kind; see `rules`.
        srdf: pairs of links that may touch; None: those of the configured file.

    Raises:
        ParameterError: a limit is nothing within one tick, or the URDF does not do for what is configured.
        ValueError: an extra rule could be mistaken for another one.
    """

    @classmethod
    def from_urdf(
        cls, parameters: SafetyFilterParameters, urdf: str, extra_rules: Sequence[SafetyRule] = ()
    ) -> SafetyFilter:
        """Make the filter with everything that is configured."""
        return cls(parameters, checked_limits(urdf, parameters), urdf, extra_rules)

    def __init__(
        self,
        parameters: SafetyFilterParameters,
        limits: Sequence[JointLimits],
        urdf: str = "",
        extra_rules: Sequence[SafetyRule] = (),
        srdf: Sequence[tuple[str, str]] | None = None,
    ) -> None:
        self.parameters = parameters
        self.limits = tuple(limits)
        self.urdf = urdf
        self.period_s = parameters.period_s
        self._setup = filter_setup(ORDER, parameters, limits, urdf, extra_rules, srdf)
        self._motion = self._setup.motion
        self._constraints = self._setup.constraints
        self.values = initial_state(self._setup)

    def restore(self, values: FilterState) -> None:
        """Go on from the state of a filter with the same parameters, limits, URDF and rules. Only for a filter just made."""
        self.values = values
        if self._constraints is not None:
            self._constraints.show(values)

    # Messages: see `messages`

    def command(self, setpoint: Setpoint) -> Verdict | None:
        """Offer a setpoint.

        Returns:
            None when it is accepted and will be played, else the rule that refused it.
        """
        state = self.values
        state.received_ns = setpoint.receive_ns
        try:
            verdict = messages.offer_setpoint(state, self._setup, setpoint)
        except Exception as error:
            verdict = self._raised(error)
        messages.count_setpoint(state, setpoint, verdict)
        return verdict

    def joint_state(
        self,
        receive_ns: int,
        names: Sequence[str],
        positions: Sequence[float],
        velocities: Sequence[float],
        efforts: Sequence[float] = (),
        stamp_ns: int | None = None,
        publisher: str = "",
    ) -> Verdict | None:
        """Take over what one message says of the measured joints; see `JointStateReader.update`."""
        message = receive_ns, names, positions, velocities, efforts, stamp_ns, publisher
        try:
            return messages.update_joint_state(self.values, self._setup, message)
        except Exception as error:
            return self._raised(error)

    def obstacles(self, receive_ns: int, obstacles: Sequence[Obstacle]) -> Verdict | None:
        """Take over the complete list of obstacles; see `Obstacles.update`."""
        try:
            return messages.update_obstacles(self.values, self._setup, receive_ns, obstacles)
        except Exception as error:
            return self._raised(error)

    def estop_signal(self, pressed: bool, button: str = "") -> None:
        """An e-stop button is pressed, or released; released, the latch stays until reset.

        Args:
            pressed: what it says.
            button: its publisher, as the names in `publishers("estop", names)` hold it; empty: the caller tells none apart.
        """
        messages.update_estop(self.values, pressed, button)

    def heartbeat(self, receive_ns: int) -> None:
        """The e-stop's heartbeat was received."""
        self.values.heartbeat_ns = receive_ns

    def monitor(self, receive_ns: int, violation: str, hears_sent: bool, hears_measured: bool, limits: str) -> None:
        """A report of the safety monitor was received; see `SafetyMonitor.update`."""
        for rule in self._setup.monitor:
            rule.update(self.values, receive_ns, violation, hears_sent, hears_measured, limits)

    def deadman(self, receive_ns: int, pressed: bool) -> None:
        """The dead-man switch was received."""
        self._setup.deadman.update(self.values, receive_ns, pressed)

    def enabling(self, receive_ns: int, position: int) -> None:
        """The enabling device was received: 0 released, 1 pressed, 2 pressed through."""
        self._setup.enabling.update(self.values, receive_ns, position)

    def reduced(self, receive_ns: int, asked_for: bool) -> None:
        """The input of reduced mode was received."""
        messages.update_reduced(self.values, receive_ns, asked_for)

    def publishers(self, channel: str, names: Sequence[str]) -> None:
        """Who publishes now on the topic of a source or of what else must have one: see `authority`."""
        messages.update_publishers(self.values, channel, names)

    def controller_state(
        self,
        receive_ns: int,
        controller: str,
        names: Sequence[str],
        reference: Sequence[float],
        error: Sequence[float],
        speed_scaling: float,
    ) -> None:
        """Take over what a controller of the arm says of itself; see `update_controller_state`."""
        arguments = receive_ns, controller, names, reference, error, speed_scaling
        controller_state.update_controller_state(self.values, self.parameters.joint_names, *arguments)

    def speed_scaling(self, receive_ns: int, told: float) -> None:
        """The arm's driver said at what speed it executes, in its own unit."""
        self.values.speed_scaling, self.values.speed_scaling_ns = told, receive_ns

    def controller_problem(self, reason: str) -> None:
        """A controller does not take what it is sent: come to rest and latch."""
        self.values.latch(Verdict(controller_state.NAME, reason))

    def fault(self, reason: str) -> None:
        """Something around the filter has failed: come to rest and latch."""
        self.values.latch(Verdict("filter", reason))

    def speed_scale(self, scale: float) -> tuple[bool, str]:
        """Scale all velocity limits. Lowering takes effect at once, raising only at rest."""
        return messages.update_speed_scale(self.values, scale)

    # Services: each answers (whether it was done, what or why not); see `services`

    def arm(self, now_ns: int) -> tuple[bool, str]:
        """Start to hold the measured position. Refused unless it is known, fresh, inside the limits and at rest."""
        return services.arm(self.values, self._setup, now_ns)

    def disarm(self) -> tuple[bool, str]:
        """Come to rest, then send nothing any more."""
        return services.disarm(self.values)

    def estop(self, by: str) -> tuple[bool, str]:
        """Come to rest and latch. Works in every state."""
        return services.press_estop(self.values, by)

    def reset(self, now_ns: int) -> tuple[bool, str]:
        """Release a latch. Leads to DISARMED: a reset moves nothing, the arm goes on only when armed."""
        return services.reset(self.values, self._setup, now_ns)

    def release_lost_estop(self) -> tuple[bool, str]:
        """Release the presses of e-stop buttons whose publishers have left. The latch stays until reset."""
        return services.release_lost_estop(self.values)

    # Ticks: see `tick`

    def tick(self, now_ns: int) -> Decision:
        """Decide what to send now.

        Args:
            now_ns: nominal time of the tick on the monotonic clock: consecutive ticks lie exactly one period apart,
                ticks that were missed excepted.
        """
        state, setup = self.values, self._setup
        state.ticks += 1
        state.entry_ticks = max(0, state.entry_ticks - 1)
        state.now_ns = now_ns
        before = joint_states(state)
        try:
            if handle_stall(state, setup, now_ns):
                before = joint_states(state)
            verdict = move(state, setup, now_ns, before)
            positions = checked_positions(state, setup, before)
        except Exception as error:
            verdict = self._raised(error)
            positions = stop_positions(state, setup, before)
        state.ticked_ns = now_ns
        state.before = before
        return decision_of(state, setup.motion, now_ns, positions, verdict)

    def miss(self, now_ns: int, count: int) -> list[tuple[float, ...]]:
        """So many ticks did not come, the last one at `now_ns`. A controller that was sent the way to rest goes along it.

        Returns:
            see `tick.miss`.
        """
        state, setup = self.values, self._setup
        state.ticks += count
        state.ticked_ns = now_ns
        try:
            return miss(state, setup, count)
        except Exception as error:
            self._raised(error)
            state.sending = False
            return []

    def retract(self) -> tuple[float, ...] | None:
        """The newest output could not be sent in time; see `tick.retract`."""
        state, setup = self.values, self._setup
        try:
            return retract(state, setup)
        except Exception as error:
            self._raised(error)
            state.sending = False
            return None

    def clock_was_set(self) -> None:
        """Stamps no longer mean what they did: come to rest by the newest message, then enter anew."""
        state, setup = self.values, self._setup
        if setup.entry_ticks and state.sending:
            state.spline = None
            state.change(Event.ENTER)
            state.entry_ticks = max(state.entry_ticks, setup.rest_ticks + setup.entry_ticks + 1)

    # Views, which change nothing

    @property
    def state(self) -> State:
        """The state by name; all that changes is in `values`."""
        return self.values.state

    @property
    def ticks(self) -> int:
        """Ticks since the start."""
        return self.values.ticks

    @property
    def accepted(self) -> int:
        """Setpoints accepted."""
        return self.values.accepted

    @property
    def rejected(self) -> int:
        """Setpoints refused."""
        return self.values.rejected

    @property
    def limited(self) -> int:
        """Ticks in which a rule changed the command."""
        return self.values.limited

    @property
    def missing(self) -> int:
        """Setpoints of running streams that were refused or never came."""
        return self.values.missing

    @property
    def extra_rules(self) -> list[str]:
        """Names of the rules from outside this package."""
        return [rule.NAME for rule in self._setup.extra]

    @property
    def srdf(self) -> Sequence[tuple[str, str]]:
        """Pairs of links that may touch besides those of the configuration."""
        return () if self._constraints is None else self._constraints.srdf

    @property
    def joints_without_geometry(self) -> list[str]:
        """Joints that move and carry no body, though distances are to be kept."""
        return [] if self._constraints is None else self._constraints.joints_without_geometry

    @property
    def rest_ticks(self) -> int:
        """Ticks until the arm rests for certain, once it brakes."""
        return self._setup.rest_ticks

    def code(self, verdict: Verdict | None) -> int:
        """Return the value of `SafetyStatus.code` for a verdict."""
        return code_of(verdict, self._setup.extra)

    def command_age_s(self, now_ns: int) -> float:
        """Return the time since a setpoint was received, accepted or not; NaN: none yet."""
        return _age_s(self.values.received_ns, now_ns)

    def joint_state_age_s(self, now_ns: int) -> float:
        """Return the age of the measured joint that is oldest; NaN: not every joint has been heard."""
        return _age_s(self.values.measured.receive_ns, now_ns)

    def position_margins(self) -> list[float]:
        """Return the distance of the output to the nearer position limit, rad or m per joint."""
        rows = zip(self.values.joints, self._motion.motions, strict=True)
        return [min(joint.q - m.limits.lower, m.limits.upper - joint.q) / NANO for joint, m in rows]

    def velocity_margins(self) -> list[float]:
        """Return the velocity limit minus the speed of the output, rad/s or m/s per joint."""
        rows = zip(self.values.joints, self._motion.motions, strict=True)
        return [(motion.limits.velocity - abs(joint.v)) / NANO / self.period_s for joint, motion in rows]

    def nearest(self) -> NearestPair | None:
        """Return the pair of bodies nearest to its margin; None: no distance is kept."""
        return None if self._constraints is None else self._constraints.nearest(self.values)

    def in_reduced_mode(self) -> bool:
        """Return whether reduced mode holds, with its own limits."""
        return self._motion.in_reduced_mode(self.values)

    def tool_speed_m_s(self) -> float:
        """Return the speed of the tool centre point of the output; NaN: no tool is configured, or no rule needs the model."""
        return self._motion.tool_speed_m_s(self.values)

    def at_home(self) -> bool:
        """Return whether the arm is measured at rest in its safe home position; False when none is configured."""
        return self._setup.home.reached(self.values, self.values.now_ns)

    def describe(self, nearest: NearestPair) -> str:
        """Return whose distance that is, for people."""
        if self._constraints is None:
            return nearest.pair.description
        return self._constraints.describe(self.values, nearest.pair)

    def active_obstacles(self) -> list[Obstacle]:
        """Return the obstacles that are kept away from."""
        return [obstacle for _, obstacle in self.values.obstacles.active.values()]

    def _raised(self, error: Exception) -> Verdict:
        """Latch because a rule raised, or the last check refused an output."""
        verdict = error.verdict if isinstance(error, LastCheckError) else raised(error, self._setup.extra)
        self.values.latch(verdict)
        return verdict


def _age_s(receive_ns: int | None, now_ns: int) -> float:
    return math.nan if receive_ns is None else max(0, now_ns - receive_ns) / NANO
