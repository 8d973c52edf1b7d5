"""The safety filter: every setpoint passes here, in this order, or does not pass.

On arrival of a setpoint: authority, schema, freshness, sequence, continuity. In every tick: latches, joint_state,
tracking_error, contact, obstacle (is the feed alive), deadman, open_loop, then per joint velocity_limit, acceleration_limit,
jerk_limit, position_limit, for all joints together effort_limit, fence, table, keep_out, obstacle, self_collision on the
candidate and its way to rest, and last_check on what is about to be sent. A rule that raises stops the arm and latches.
Rejected input changes no output.

The filter is given time and messages and owns neither clock nor log; the same calls give the same outputs to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from vla_ros.safety.arm_motion import ArmMotion, States
from vla_ros.safety.command.authority import BUTTON, Authority
from vla_ros.safety.command.continuity import Continuity
from vla_ros.safety.command.deadman import Deadman
from vla_ros.safety.command.estop import EStop
from vla_ros.safety.command.freshness import Freshness
from vla_ros.safety.command.open_loop import OpenLoop
from vla_ros.safety.command.schema import Schema
from vla_ros.safety.command.sequence import Sequence as SequenceRule
from vla_ros.safety.command.setpoint import Command
from vla_ros.safety.command.setpoint_spline import Playback
from vla_ros.safety.geometry.clearance import NearestPair
from vla_ros.safety.geometry.obstacle import Obstacle
from vla_ros.safety.joint.joint_limits import NANO, JointLimits, joint_limits
from vla_ros.safety.measured.joint_state import JointState
from vla_ros.safety.measured.tracking_error import TrackingError
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.states import ACTIVE, LATCHED, Event, State, after
from vla_ros.safety.verdict import Verdict, raised

SLOWEST_SCALE = 0.01
REJECTION_SHOWN_NS = 200_000_000
"""A refused setpoint stays in the decisions for this long, so that a slow status still shows it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one tick decided.

    positions: to be sent, rad or m per joint; None: nothing is sent. velocities: per second. source: whose command is
    followed; empty: nobody's. verdict: the rule that acted; None: none did.
    """

    state: State
    positions: tuple[float, ...] | None
    velocities: tuple[float, ...]
    source: str
    verdict: Verdict | None


class SafetyFilter:
    """One filter for one arm.

    Args:
        parameters: the configuration.
        limits: of `parameters.joint_names`, see `vla_ros.safety.joint.joint_limits.joint_limits`.
        urdf: text of the URDF; without it the rules that need a model of the arm are off, whatever is configured.

    Raises:
        ParameterError: a limit is nothing within one tick, or the URDF does not do for what is configured.
    """

    @classmethod
    def from_urdf(cls, parameters: SafetyFilterParameters, urdf: str) -> SafetyFilter:
        """The filter with everything that is configured."""
        return cls(parameters, joint_limits(urdf, parameters), urdf)

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], urdf: str = "") -> None:
        self.state = State.DISARMED
        self.ticks = self.accepted = self.rejected = self.limited = 0
        self.limits = tuple(limits)
        self.period_s = parameters.period_s
        self._period_ns = round(parameters.period_s * NANO)
        self._stall_ns = round(parameters.command.timeout_s * NANO)
        self._delay_ns = round(parameters.command.delay_s * NANO)
        self._command_period_ns = round(parameters.command.period_s * NANO)
        self._motion = ArmMotion(parameters, limits, urdf)
        self._collision_constraints = self._motion.collision_constraints

        names = [joint.name for joint in limits]
        self._authority = Authority()
        self._schema = Schema(limits)
        self._freshness = Freshness(parameters.command.max_age_s, parameters.command.max_lead_s)
        self._sequence = SequenceRule(parameters.command.timeout_s)
        self._continuity = Continuity(names, parameters.command.step)
        self._joint_state = JointState(limits, parameters.measured)
        self._tracking_error = TrackingError(names, parameters.measured.tracking_error)
        self._open_loop = OpenLoop(parameters.command.timeout_s)
        self._estop = EStop(parameters.estop.heartbeat_s)
        self._deadman = Deadman(parameters.deadman.timeout_s)

        self._sending = False
        self._disarming = False
        self._adrift: Verdict | None = None
        self._latched: Verdict | None = None
        self._stopped: Verdict | None = None
        self._rejection: tuple[int, Verdict] | None = None
        self._playback: Playback | None = None
        self._followed = ""
        self._accepted_ns = 0
        self._received_ns: int | None = None
        self._ticked_ns: int | None = None
        self._previous: list[int] | None = None

    # Messages

    def command(self, command: Command) -> Verdict | None:
        """Offer a setpoint.

        Returns:
            None when it is accepted and will be played, else the rule that refused it.
        """
        self._received_ns = command.receive_ns
        try:
            verdict = self._offer(command)
        except Exception as error:
            verdict = raised(error)
            self._latch(verdict)
        if verdict is None:
            self.accepted += 1
        else:
            self.rejected += 1
            self._rejection = command.receive_ns, verdict
        return verdict

    def joint_state(
        self,
        receive_ns: int,
        names: Sequence[str],
        positions: Sequence[float],
        velocities: Sequence[float],
        efforts: Sequence[float] = (),
    ) -> Verdict | None:
        """Take over the measured state; see `JointState.update`."""
        try:
            verdict = self._joint_state.update(receive_ns, names, positions, velocities, efforts)
            if verdict is None and self._collision_constraints is not None and self.state in ACTIVE:
                verdict = self._collision_constraints.check_contact(
                    receive_ns,
                    *self._joint_state.measured(),
                    self._motion.accelerations(),
                    self._joint_state.efforts,
                )
                if verdict is not None:
                    self._latch(verdict)
            return verdict
        except Exception as error:
            verdict = raised(error)
            self._latch(verdict)
            return verdict

    def obstacles(self, receive_ns: int, obstacles: Sequence[Obstacle]) -> Verdict | None:
        """Take over the complete list of obstacles; see `Obstacles.update`."""
        if self._collision_constraints is None:
            return None
        try:
            return self._collision_constraints.update_obstacles(receive_ns, obstacles)
        except Exception as error:
            verdict = raised(error)
            self._latch(verdict)
            return verdict

    def estop_signal(self, pressed: bool) -> None:
        """The e-stop button is pressed, or released; released, the latch stays until reset."""
        verdict = self._estop.signal(pressed)
        if verdict is not None:
            self._press(verdict)

    def heartbeat(self, receive_ns: int) -> None:
        """The e-stop's heartbeat was heard."""
        self._estop.heartbeat(receive_ns)

    def deadman(self, receive_ns: int, pressed: bool) -> None:
        """The dead-man switch was heard."""
        self._deadman.signal(receive_ns, pressed)

    def publishers(self, channel: str, names: Sequence[str]) -> None:
        """Who publishes now on the topic of a source or of what else must have one: see `authority`."""
        self._authority.publishers(channel, names)

    def fault(self, reason: str) -> None:
        """Something around the filter has failed: come to rest and latch."""
        self._latch(Verdict("filter", reason))

    def speed_scale(self, scale: float) -> tuple[bool, str]:
        """Scale all velocity limits. Lowering takes effect at once, raising only at rest."""
        if not (math.isfinite(scale) and SLOWEST_SCALE <= scale <= 1.0):
            return False, f"speed scale {scale}: must be from {SLOWEST_SCALE} to 1"
        thousandths = int(scale * 1000)
        if thousandths > self._motion.scale and self.state not in (State.DISARMED, State.HOLDING):
            return False, f"the speed scale can be raised to {scale:g} only while the filter is HOLDING or DISARMED"
        self._motion.scale = thousandths
        return True, f"speed scale {scale:g}"

    # Services: each answers (whether it was done, what or why not)

    def arm(self, now_ns: int) -> tuple[bool, str]:
        """Start to hold the measured position. Refused unless it is known, fresh, inside the limits and at rest."""
        if self.state is not State.DISARMED:
            return False, f"cannot arm: the filter is {self.state.name}" + (
                "; call vla/reset first" if self.state in LATCHED else ""
            )
        waits = self._estop.holds(now_ns)
        if waits:
            return False, f"cannot arm: {waits}"
        measured = self._joint_state
        verdict = self._authority.crowded(BUTTON) or self._authority.disputed()
        verdict = verdict or measured.stale(now_ns) or measured.outside() or measured.moving()
        if verdict is not None:
            return False, f"cannot arm: {verdict.reason}"
        verdict = self._motion.place(measured.q, now_ns)
        if verdict is not None:
            return False, f"cannot arm: {verdict.rule}: {verdict.reason}; move the arm clear by its own controls"
        self._release()
        self._sending = True
        self.state = after(self.state, Event.ARM)
        return True, "armed; holding the measured position"

    def disarm(self) -> tuple[bool, str]:
        """Come to rest, then send nothing any more."""
        if self.state in LATCHED:
            return False, f"cannot disarm: {self.state.name} is latched; call vla/reset"
        if self.state is State.DISARMED:
            return True, "disarmed already"
        self._release()
        self.state = after(self.state, Event.DISARM)
        self._disarming = self.state is not State.DISARMED
        self._sending = self._disarming and self._adrift is None
        return True, "coming to rest, then disarmed" if self._disarming else "disarmed"

    def estop(self, by: str) -> tuple[bool, str]:
        """Come to rest and latch. Works in every state."""
        self._press(EStop.pressed(by))
        return True, "e-stop is latched; call vla/reset, then vla/arm"

    def reset(self, now_ns: int) -> tuple[bool, str]:
        """Release a latch. Leads to DISARMED: a reset moves nothing, the arm goes on only when armed."""
        if self.state not in LATCHED:
            return False, f"nothing to reset: the filter is {self.state.name}"
        held = self._estop.holds(now_ns)
        if held:
            return False, f"cannot reset: {held}"
        buttons = self._authority.crowded(BUTTON)
        if buttons is not None:
            return False, f"cannot reset: {buttons.reason}"
        if self._sending and not self._motion.at_rest:
            return False, "cannot reset: still coming to rest"
        self.state = after(self.state, Event.RESET)
        self._sending = False
        self._latched = None
        self._release()
        return True, "reset; call vla/arm to go on"

    # Ticks

    def tick(self, now_ns: int) -> Decision:
        """Decide what to send now.

        Args:
            now_ns: nominal time of the tick on the monotonic clock: consecutive ticks lie exactly one period apart,
                ticks that were missed excepted.
        """
        self.ticks += 1
        before: States = self._motion.states()
        try:
            if self._stood_still(now_ns):
                before = self._motion.states()
            verdict = self._move(now_ns, before)
            positions = self._checked(before)
        except Exception as error:
            verdict = error.verdict if isinstance(error, LastCheckError) else raised(error)
            self._latch(verdict)
            positions = self._stop_from(before)
        self._ticked_ns = now_ns
        source = self._followed if self._playback is not None else ""
        if verdict is None and self._rejection is not None and now_ns - self._rejection[0] < REJECTION_SHOWN_NS:
            verdict = self._rejection[1]
        if positions is None:
            return Decision(self.state, None, (), source, verdict)
        return Decision(self.state, positions, self._motion.velocities(), source, verdict)

    def command_age_s(self, now_ns: int) -> float:
        """Time since a setpoint was received, accepted or not; NaN: none yet."""
        return math.nan if self._received_ns is None else max(0, now_ns - self._received_ns) / NANO

    def joint_state_age_s(self, now_ns: int) -> float:
        """Time since a valid joint state was received; NaN: none yet."""
        receive_ns = self._joint_state.receive_ns
        return math.nan if receive_ns is None else max(0, now_ns - receive_ns) / NANO

    @property
    def missing(self) -> int:
        """Setpoints of running streams that were refused or never came."""
        return self._sequence.missing

    def position_margins(self) -> list[float]:
        """Distance of the output to the nearer position limit, rad or m per joint."""
        return [min(j.q - j.limits.lower, j.limits.upper - j.q) / NANO for j in self._motion.joints]

    def velocity_margins(self) -> list[float]:
        """Velocity limit minus speed of the output, rad/s or m/s per joint."""
        return [(j.limits.velocity - abs(j.v)) / NANO / self.period_s for j in self._motion.joints]

    def nearest(self) -> NearestPair | None:
        """The pair of bodies nearest to its margin; None: no distance is kept. It changes nothing."""
        return None if self._collision_constraints is None else self._collision_constraints.nearest()

    def what(self, nearest: NearestPair) -> str:
        """Whose distance that is, for people."""
        return (
            nearest.pair.description
            if self._collision_constraints is None
            else self._collision_constraints.describe(nearest.pair)
        )

    @property
    def bare(self) -> list[str]:
        """Joints that move and carry no body, though distances are to be kept."""
        return [] if self._collision_constraints is None else self._collision_constraints.joints_without_geometry

    def shown(self) -> list[Obstacle]:
        """The obstacles that are kept away from."""
        return [] if self._collision_constraints is None else self._collision_constraints.active_obstacles()

    # Inside

    def _stood_still(self, now_ns: int) -> bool:
        """Whether ticks have failed to come for so long that the arm's controller has stopped it.

        From standstill it must not be sent on at its old speed: nothing is sent until it is at rest, then it is taken up
        where it is. The result says whether that has just happened.
        """
        late_ns = 0 if self._ticked_ns is None else now_ns - self._ticked_ns
        if self._sending and late_ns > self._stall_ns and not self._motion.at_rest:
            self._adrift = OpenLoop.stalled(late_ns, self._stall_ns)
            self._sending = False
            self._playback = None
            if self.state in ACTIVE:
                self.state = after(self.state, Event.BRAKE)
            return False  # one tick without an output at least: a stream ends here, and that is seen
        if self._adrift is None:
            return False
        if self.state in ACTIVE:
            measured = self._joint_state
            if measured.stale(now_ns) or measured.moving() or self._motion.stale(now_ns):
                return False
            fault = measured.outside() or self._motion.place(measured.q, now_ns)
            if fault is None:
                self._sending = True
            else:
                self._latch(fault)
        self._adrift = None
        return True

    def _offer(self, command: Command) -> Verdict | None:
        if self._adrift is not None:
            return self._adrift
        verdict = (
            self._authority.check(command, self.state, self._disarming, self._followed)
            or self._schema.check(command)
            or self._freshness.check(command)
            or self._sequence.check(command)
        )
        if verdict is not None:
            return verdict
        point = self._schema.point(command)
        verdict = self._continuity.check(point, self._motion.q())
        if verdict is not None:
            return verdict
        self._sequence.accepted(command)
        due_ns = self._freshness.due_ns(command)
        if self._playback is None or command.channel != self._followed or not self._playback.continues(due_ns):
            self._playback = Playback(self._motion.q(), self._command_period_ns)
            self._previous = None
            self._followed = command.channel
        self._playback.add(due_ns, point)
        self._accepted_ns = command.receive_ns
        return None

    def _move(self, now_ns: int, before: States) -> Verdict | None:
        """Move all joints by one tick and the state with them; the verdict of the rule that acted."""
        silent = self._estop.silent(now_ns)
        if silent is not None:
            self._press(silent)
        if self._adrift is not None:
            return self._adrift if self.state in ACTIVE else self._latched
        if self.state in ACTIVE:
            stale = self._joint_state.stale(now_ns)
            if stale is None:
                fault = self._joint_state.outside() or self._tracking_error.check(self._joint_state.q, self._motion.q())
                if fault is not None:
                    self._latch(fault)
            if self._collision_constraints is not None:
                self._collision_constraints.start_tick()
                stale = stale or self._collision_constraints.stale(now_ns)
            stale = stale or self._authority.disputed() or self._deadman.released(now_ns)
            return self._follow_or_stop(now_ns, before, stale)
        if self._sending:
            self._motion.stop()
        return self._latched

    def _follow_or_stop(self, now_ns: int, before: States, stale: Verdict | None) -> Verdict | None:
        if self._playback is not None:
            self._stopped = (
                stale
                or self._authority.crowded(self._followed)
                or self._open_loop.check(now_ns, self._accepted_ns, self._followed)
            )
            if self._stopped is not None:
                self._playback = None
        elif stale is not None:
            self._stopped = stale
        if self._playback is not None and self.state in ACTIVE:
            verdict = self._follow(now_ns, before, self._playback)
            self.limited += verdict is not None
            self.state = after(self.state, Event.PASS if verdict is None else Event.BEND)
            return verdict
        self._motion.stop()
        if self.state in LATCHED:
            return self._latched
        verdict = self._stopped
        self.state = after(self.state, Event.REST if self._motion.at_rest else Event.BRAKE)
        if self.state is State.HOLDING:
            self._followed = ""
            self._stopped = stale
            if self._disarming:
                self._disarming = self._sending = False
                self.state = after(self.state, Event.DISARM)
        return verdict

    def _follow(self, now_ns: int, before: States, playback: Playback) -> Verdict | None:
        """Move every joint towards where the setpoints are now; see `ArmMotion.follow`."""
        time_ns = now_ns - self._delay_ns
        previous = self._previous
        if previous is None or self._ticked_ns is None or now_ns - self._ticked_ns != self._period_ns:
            previous = playback.target(time_ns - self._period_ns)
        targets = self._previous = playback.target(time_ns)
        return self._motion.follow(before, targets, previous, self._followed)

    def _checked(self, before: States) -> tuple[float, ...] | None:
        """The positions to be sent, if any; they count as sent.

        Raises:
            LastCheckError: they break a limit.
        """
        if not self._sending:
            return None
        positions = self._motion.positions()
        violation = self._motion.violation(positions)
        if violation is not None:
            raise LastCheckError(violation)
        self._motion.sent(positions, before)
        return positions

    def _press(self, verdict: Verdict) -> None:
        """E-stop, in every state. A latch that is there already keeps its reason."""
        if self.state is not State.ESTOP:
            self._latched = verdict
            self._playback = None
            self.state = after(self.state, Event.ESTOP)

    def _latch(self, verdict: Verdict) -> None:
        """Protective stop. A latch that is there already keeps its reason."""
        if self.state in ACTIVE:
            self.state = after(self.state, Event.FAULT)
            self._latched = verdict
            self._playback = None

    def _stop_from(self, before: States) -> tuple[float, ...] | None:
        """The stop policy's step from the state before the tick; when even that fails, nothing is sent any more."""
        try:
            self._motion.stop_from(before)
            return self._checked(before)
        except Exception:
            self._sending = False
            return None

    def _release(self) -> None:
        """Forget what was followed and why it stopped."""
        self._disarming = False
        self._playback = None
        self._previous = None
        self._stopped = None
        self._followed = ""


class LastCheckError(Exception):
    """The last check refused an output; carries its verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict
