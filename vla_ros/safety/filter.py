"""The safety filter: every setpoint passes here, in the order of the tuples below, or does not pass.

A rule that raises stops the arm and latches. Rejected input changes no output. The filter is given time and messages and owns
neither clock nor log; the same calls give the same outputs to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vla_ros.safety.arm_motion import ArmMotion, joint_states
from vla_ros.safety.command import authority, estop
from vla_ros.safety.command.authority import InputAuthority, SetpointAuthority, SourceAuthority
from vla_ros.safety.command.continuity import Continuity
from vla_ros.safety.command.deadman import Deadman
from vla_ros.safety.command.estop import EStop
from vla_ros.safety.command.freshness import Freshness, due_ns
from vla_ros.safety.command.open_loop import OpenLoop
from vla_ros.safety.command.schema import Schema
from vla_ros.safety.command.sequence import SetpointSequence
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.command.setpoint_spline import SetpointSpline
from vla_ros.safety.geometry.clearance import NearestPair
from vla_ros.safety.geometry.obstacle import ObstacleFeed
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.joint.effort_limit import EffortLimit
from vla_ros.safety.joint.joint_limits import NANO, JointLimits, joint_limits
from vla_ros.safety.measured.contact import Contact
from vla_ros.safety.measured.joint_state import JointStateAtRest, JointStateFresh, JointStateInRange, JointStateReader
from vla_ros.safety.measured.tracking_error import TrackingError
from vla_ros.safety.rules import (
    Action,
    SafetyRule,
    Scope,
    SetpointRule,
    StepRule,
    TickRule,
    check_extra,
    code_of,
    configured_of,
    first_verdict,
)
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, JointStates
from vla_ros.safety.states import ACTIVE, LATCHED, Event, State
from vla_ros.safety.verdict import Verdict, raised

SETPOINT_RULES: tuple[type[SetpointRule], ...] = (SetpointAuthority, Schema, Freshness, SetpointSequence, Continuity)
"""A setpoint on arrival; the first objection refuses it."""
MEASURED_RULES: tuple[type[TickRule], ...] = (Contact,)
"""A joint state on arrival, while the filter is armed."""
TICK_RULES: tuple[type[TickRule], ...] = (
    EStop,
    JointStateFresh,
    JointStateInRange,
    TrackingError,
    ObstacleFeed,
    InputAuthority,
    Deadman,
    SourceAuthority,
    OpenLoop,
)
"""Every tick; the first objection counts, and its rule's `ACTION` is taken."""
STEP_RULES: tuple[type[StepRule], ...] = (EffortLimit,)
"""The step of all joints, once velocity_limit, acceleration_limit, jerk_limit and position_limit (`joint_motion.py`) have
limited that of each; after these the distances of `collision_constraints.DISTANCE_RULES`; what is then sent, `last_check`."""

SLOWEST_SCALE = 0.01
REJECTION_SHOWN_NS = 200_000_000
"""A refused setpoint stays in the decisions for this long, so that a slow status still shows it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one tick decided.

    positions: to be sent, rad or m per joint; None: nothing is sent. velocities: per second. source: whose setpoints are
    followed; empty: nobody's. verdict: the rule that acted; None: none did.
    """

    state: State
    positions: tuple[float, ...] | None
    velocities: tuple[float, ...]
    source: str
    verdict: Verdict | None


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
        return cls(parameters, joint_limits(urdf, parameters), urdf, extra_rules)

    def __init__(
        self,
        parameters: SafetyFilterParameters,
        limits: Sequence[JointLimits],
        urdf: str = "",
        extra_rules: Sequence[SafetyRule] = (),
        srdf: Sequence[tuple[str, str]] | None = None,
    ) -> None:
        check_extra(extra_rules)
        self.parameters = parameters
        self.limits = tuple(limits)
        self.urdf = urdf
        self.period_s = parameters.period_s
        self._extra = tuple(extra_rules)
        self._period_ns = round(parameters.period_s * NANO)
        self._delay_ns = round(parameters.command.delay_s * NANO)
        self._setpoint_period_ns = round(parameters.command.period_s * NANO)
        extra_steps = [rule for rule in extra_rules if isinstance(rule, StepRule)]
        self._motion = ArmMotion(parameters, limits, urdf, STEP_RULES, extra_steps, srdf)
        self._constraints = self._motion.constraints
        arm = None if self._constraints is None else self._constraints.arm
        self._setpoint_rules: list[SetpointRule] = configured_of(SETPOINT_RULES, parameters, limits, arm)
        self._setpoint_rules += [rule for rule in extra_rules if isinstance(rule, SetpointRule)]
        self._measured_rules = configured_of(MEASURED_RULES, parameters, limits, arm)
        ticked: list[TickRule] = configured_of(TICK_RULES, parameters, limits, arm)
        ticked += [rule for rule in extra_rules if isinstance(rule, TickRule)]
        self._always, self._active, self._following = (
            [rule for rule in ticked if rule.SCOPE is scope] for scope in (Scope.ALWAYS, Scope.ACTIVE, Scope.FOLLOWING)
        )
        self._reader = JointStateReader(limits)
        self._continuity = Continuity(parameters, limits)
        self._estop = EStop(parameters, limits)
        self._open_loop = OpenLoop(parameters, limits)
        self._in_range = JointStateInRange(parameters, limits)
        # What must be so before the output is placed where the arm is measured.
        self._standing = [JointStateFresh(parameters, limits), JointStateAtRest(parameters, limits)]
        self._feed = configured_of((ObstacleFeed,), parameters, limits, arm)
        self.values = self._initial()

    def _initial(self) -> FilterState:
        state = FilterState(publishers=authority.no_publishers())
        self._motion.start(state)
        state.extra = {rule.NAME: value for rule in self._extra if (value := rule.initial()) is not None}
        return state

    def restore(self, values: FilterState) -> None:
        """Go on from the state of a filter with the same parameters, limits, URDF and rules. Only for a filter just made."""
        self.values = values
        if self._constraints is not None:
            self._constraints.show(values)

    # Messages

    def command(self, setpoint: Setpoint) -> Verdict | None:
        """Offer a setpoint.

        Returns:
            None when it is accepted and will be played, else the rule that refused it.
        """
        state = self.values
        state.received_ns = setpoint.receive_ns
        try:
            verdict = self._offer(state, setpoint)
        except Exception as error:
            verdict = self._raised(error)
        if verdict is None:
            state.accepted += 1
        else:
            state.rejected += 1
            state.rejection, state.rejection_ns = verdict, setpoint.receive_ns
        return verdict

    def joint_state(
        self,
        receive_ns: int,
        names: Sequence[str],
        positions: Sequence[float],
        velocities: Sequence[float],
        efforts: Sequence[float] = (),
    ) -> Verdict | None:
        """Take over the measured state; see `JointStateReader.update`."""
        state = self.values
        try:
            verdict = self._reader.update(state.measured, receive_ns, names, positions, velocities, efforts)
            if verdict is None and self._measured_rules and state.state in ACTIVE:
                verdict = self._objection(self._measured_rules, state, receive_ns)
            return verdict
        except Exception as error:
            return self._raised(error)

    def obstacles(self, receive_ns: int, obstacles: Sequence[Obstacle]) -> Verdict | None:
        """Take over the complete list of obstacles; see `Obstacles.update`."""
        if self._constraints is None:
            return None
        try:
            return self._constraints.update_obstacles(self.values, receive_ns, obstacles)
        except Exception as error:
            return self._raised(error)

    def estop_signal(self, pressed: bool) -> None:
        """The e-stop button is pressed, or released; released, the latch stays until reset."""
        self.values.estop_pressed = pressed
        if pressed:
            self.values.press(estop.pressed("topic vla/estop"))

    def heartbeat(self, receive_ns: int) -> None:
        """The e-stop's heartbeat was heard."""
        self.values.heartbeat_ns = receive_ns

    def deadman(self, receive_ns: int, pressed: bool) -> None:
        """The dead-man switch was heard."""
        self.values.deadman_ns = receive_ns if pressed else None

    def publishers(self, channel: str, names: Sequence[str]) -> None:
        """Who publishes now on the topic of a source or of what else must have one: see `authority`."""
        self.values.publishers[channel] = tuple(names)

    def fault(self, reason: str) -> None:
        """Something around the filter has failed: come to rest and latch."""
        self.values.latch(Verdict("filter", reason))

    def speed_scale(self, scale: float) -> tuple[bool, str]:
        """Scale all velocity limits. Lowering takes effect at once, raising only at rest."""
        state = self.values
        if not (math.isfinite(scale) and SLOWEST_SCALE <= scale <= 1.0):
            return False, f"speed scale {scale}: must be from {SLOWEST_SCALE} to 1"
        thousandths = int(scale * 1000)
        if thousandths > state.scale and state.state not in (State.DISARMED, State.HOLDING):
            return False, f"the speed scale can be raised to {scale:g} only while the filter is HOLDING or DISARMED"
        state.scale = thousandths
        return True, f"speed scale {scale:g}"

    # Services: each answers (whether it was done, what or why not)

    def arm(self, now_ns: int) -> tuple[bool, str]:
        """Start to hold the measured position. Refused unless it is known, fresh, inside the limits and at rest."""
        state = self.values
        if state.state is not State.DISARMED:
            return False, f"cannot arm: the filter is {state.state.name}" + (
                "; call vla/reset first" if state.state in LATCHED else ""
            )
        held = self._estop.held(state, now_ns)
        if held:
            return False, f"cannot arm: {held}"
        fresh, at_rest = self._standing
        verdict = (
            authority.has_multiple_publishers(state, authority.BUTTON)
            or authority.inputs_ambiguous(state)
            or fresh.check(state, now_ns)
            or self._in_range.check(state, now_ns)
            or at_rest.check(state, now_ns)
        )
        if verdict is not None:
            return False, f"cannot arm: {verdict.reason}"
        verdict = self._place(state, now_ns)
        if verdict is not None:
            return False, f"cannot arm: {verdict.rule}: {verdict.reason}; move the arm clear by its own controls"
        state.release()
        state.stalled_by = None
        state.sending = True
        state.change(Event.ARM)
        return True, "armed; holding the measured position"

    def disarm(self) -> tuple[bool, str]:
        """Come to rest, then send nothing any more."""
        state = self.values
        if state.state in LATCHED:
            return False, f"cannot disarm: {state.state.name} is latched; call vla/reset"
        if state.state is State.DISARMED:
            return True, "disarmed already"
        state.release()
        state.change(Event.DISARM)
        disarming = state.state is State.DISARMING
        state.sending = disarming and state.stalled_by is None
        return True, "coming to rest, then disarmed" if disarming else "disarmed"

    def estop(self, by: str) -> tuple[bool, str]:
        """Come to rest and latch. Works in every state."""
        self.values.press(estop.pressed(by))
        return True, "e-stop is latched; call vla/reset, then vla/arm"

    def reset(self, now_ns: int) -> tuple[bool, str]:
        """Release a latch. Leads to DISARMED: a reset moves nothing, the arm goes on only when armed."""
        state = self.values
        if state.state not in LATCHED:
            return False, f"nothing to reset: the filter is {state.state.name}"
        held = self._estop.held(state, now_ns)
        if held:
            return False, f"cannot reset: {held}"
        buttons = authority.has_multiple_publishers(state, authority.BUTTON)
        if buttons is not None:
            return False, f"cannot reset: {buttons.reason}"
        if state.sending and not state.at_rest:
            return False, "cannot reset: still coming to rest"
        state.change(Event.RESET)
        state.sending = False
        state.latched_by = None
        state.release()
        return True, "reset; call vla/arm to go on"

    # Ticks

    def tick(self, now_ns: int) -> Decision:
        """Decide what to send now.

        Args:
            now_ns: nominal time of the tick on the monotonic clock: consecutive ticks lie exactly one period apart,
                ticks that were missed excepted.
        """
        state = self.values
        state.ticks += 1
        before = joint_states(state)
        try:
            if self._handle_stall(state, now_ns):
                before = joint_states(state)
            verdict = self._move(state, now_ns, before)
            positions = self._checked(state, before)
        except Exception as error:
            verdict = self._raised(error)
            positions = self._stop_from(state, before)
        state.ticked_ns = now_ns
        source = state.followed if state.spline is not None else ""
        if verdict is None and state.rejection is not None and now_ns - state.rejection_ns < REJECTION_SHOWN_NS:
            verdict = state.rejection
        if positions is None:
            return Decision(state.state, None, (), source, verdict)
        return Decision(state.state, positions, self._motion.velocities(state), source, verdict)

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
        return [rule.NAME for rule in self._extra]

    @property
    def srdf(self) -> Sequence[tuple[str, str]]:
        """Pairs of links that may touch besides those of the configuration."""
        return () if self._constraints is None else self._constraints.srdf

    @property
    def joints_without_geometry(self) -> list[str]:
        """Joints that move and carry no body, though distances are to be kept."""
        return [] if self._constraints is None else self._constraints.joints_without_geometry

    def code(self, verdict: Verdict | None) -> int:
        """Return the value of `SafetyStatus.code` for a verdict."""
        return code_of(verdict, self._extra)

    def command_age_s(self, now_ns: int) -> float:
        """Return the time since a setpoint was received, accepted or not; NaN: none yet."""
        return _age_s(self.values.received_ns, now_ns)

    def joint_state_age_s(self, now_ns: int) -> float:
        """Return the time since a valid joint state was received; NaN: none yet."""
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

    def describe(self, nearest: NearestPair) -> str:
        """Return whose distance that is, for people."""
        if self._constraints is None:
            return nearest.pair.description
        return self._constraints.describe(self.values, nearest.pair)

    def active_obstacles(self) -> list[Obstacle]:
        """Return the obstacles that are kept away from."""
        return [obstacle for _, obstacle in self.values.obstacles.active.values()]

    # Inside

    def _offer(self, state: FilterState, setpoint: Setpoint) -> Verdict | None:
        if state.stalled_by is not None:
            return state.stalled_by
        for rule in self._setpoint_rules:
            verdict = rule.check(setpoint, state)
            if verdict is not None:
                return verdict
        for rule in self._setpoint_rules:
            rule.accepted(setpoint, state)
        due = due_ns(setpoint, state)
        if state.spline is None or setpoint.channel != state.followed or not state.spline.continues(due):
            state.spline = SetpointSpline([joint.q for joint in state.joints], self._setpoint_period_ns)
            state.targets = None
            state.followed = setpoint.channel
        state.spline.add(due, self._continuity.point(setpoint))
        state.accepted_ns = setpoint.receive_ns
        return None

    def _place(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Put the output at rest where the arm is measured. Return what is wrong with it there."""
        self._motion.place(state, state.measured.q)
        return first_verdict(self._feed, state, now_ns) or self._motion.placement_violation(state)

    def _handle_stall(self, state: FilterState, now_ns: int) -> bool:
        """Stop sending when ticks have failed to come for so long that the arm's controller has stopped a moving arm.

        From standstill it must not be sent on at its old speed: nothing is sent until it is at rest, then it is taken up
        where it is.

        Returns:
            whether that is over now: the output may be elsewhere.
        """
        stall = self._open_loop.stalled(state, now_ns) if state.sending else None
        if stall is not None and not state.at_rest:
            state.stalled_by = stall
            state.sending = False
            state.spline = None
            state.change(Event.STALL)
            return False  # one tick without an output at least: a stream ends here, and that is seen
        if state.stalled_by is None:
            return False
        if state.state in ACTIVE:
            if first_verdict((*self._standing, *self._feed), state, now_ns) is not None:
                return False
            fault = self._in_range.check(state, now_ns) or self._place(state, now_ns)
            if fault is None:
                state.sending = True
            else:
                state.latch(fault)
        state.stalled_by = None
        return True

    def _objection(self, rules: Iterable[TickRule], state: FilterState, now_ns: int) -> Verdict | None:
        """Return the first objection of `rules`, and take its rule's action if that is a latch."""
        for rule in rules:
            verdict = rule.check(state, now_ns)
            if verdict is not None:
                if rule.ACTION is Action.ESTOP:
                    state.press(verdict)
                elif rule.ACTION is Action.LATCH:
                    state.latch(verdict)
                return verdict
        return None

    def _move(self, state: FilterState, now_ns: int, before: JointStates) -> Verdict | None:
        """Move all joints by one tick and the state with them; return the verdict of the rule that acted."""
        self._objection(self._always, state, now_ns)
        if state.stalled_by is not None:
            return state.stalled_by if state.state in ACTIVE else state.latched_by
        if state.state in ACTIVE:
            if self._constraints is not None:
                self._constraints.start_tick(state)
            return self._follow_or_stop(state, now_ns, before)
        if state.sending:
            self._motion.stop(state)
        return state.latched_by

    def _follow_or_stop(self, state: FilterState, now_ns: int, before: JointStates) -> Verdict | None:
        stop = interrupted = self._objection(self._active, state, now_ns)
        if state.spline is not None:
            stop = state.stopped_by = interrupted or self._objection(self._following, state, now_ns)
            if stop is not None:
                state.spline = None
        elif stop is not None:
            state.stopped_by = stop
        if state.spline is not None and state.state in ACTIVE:
            verdict = self._follow(state, now_ns, before, state.spline)
            state.limited += verdict is not None
            state.change(Event.ACCEPTED if verdict is None else Event.LIMITED)
            return verdict
        self._motion.stop(state)
        if state.state in LATCHED:
            return state.latched_by
        verdict = state.stopped_by
        state.change(Event.REST if state.at_rest else Event.BRAKE)
        if state.state in (State.HOLDING, State.DISARMED):
            state.followed = ""
            state.stopped_by = interrupted
        if state.state is State.DISARMED:
            state.sending = False
        return verdict

    def _follow(self, state: FilterState, now_ns: int, before: JointStates, spline: SetpointSpline) -> Verdict | None:
        """Move every joint towards where the setpoints are now; see `ArmMotion.follow`."""
        time_ns = now_ns - self._delay_ns
        previous = state.targets
        if previous is None or state.ticked_ns is None or now_ns - state.ticked_ns != self._period_ns:
            previous = spline.target(time_ns - self._period_ns)
        targets = state.targets = spline.target(time_ns)
        return self._motion.follow(state, before, targets, previous)

    def _checked(self, state: FilterState, before: JointStates) -> tuple[float, ...] | None:
        """Return the positions to be sent, if any; they count as sent.

        Raises:
            LastCheckError: they break a limit.
        """
        if not state.sending:
            return None
        positions = self._motion.positions(state)
        violation = self._motion.violation(state, positions)
        if violation is not None:
            raise LastCheckError(violation)
        self._motion.sent(state, positions, before)
        return positions

    def _stop_from(self, state: FilterState, before: JointStates) -> tuple[float, ...] | None:
        """Take the stop policy's step from `before` the tick; when even that fails, nothing is sent any more."""
        try:
            self._motion.stop_from(state, before)
            return self._checked(state, before)
        except Exception:
            state.sending = False
            return None

    def _raised(self, error: Exception) -> Verdict:
        """Latch because a rule raised, or the last check refused an output."""
        verdict = error.verdict if isinstance(error, LastCheckError) else raised(error, self._extra)
        self.values.latch(verdict)
        return verdict


class LastCheckError(Exception):
    """The last check refused an output; carries its verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


def _age_s(receive_ns: int | None, now_ns: int) -> float:
    return math.nan if receive_ns is None else max(0, now_ns - receive_ns) / NANO
