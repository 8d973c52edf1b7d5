"""The order of checks between a proposed setpoint and the arm controller.

`SafetyFilter` is given messages and time and returns decisions; it reads no clock, logs nothing and imports no ROS.
All times are monotonic ns; positions come in as rad (m) and are integers (nrad, nm) inside.
"""

from __future__ import annotations

from collections.abc import Sequence as Values
from dataclasses import dataclass, replace

from vla_ros.safety.acceleration_limit import AccelerationLimit
from vla_ros.safety.continuity import Continuity
from vla_ros.safety.finding import Finding
from vla_ros.safety.freshness import Freshness
from vla_ros.safety.jerk_limit import JerkLimit
from vla_ros.safety.joint_state import JointState
from vla_ros.safety.kinodynamics import Bounds, State, admitted, advance, stop, via
from vla_ros.safety.last_check import LastCheck
from vla_ros.safety.limits import NANO, bounds, to_nano
from vla_ros.safety.parameters import SafetyFilterParameters
from vla_ros.safety.position_limit import PositionLimit
from vla_ros.safety.schema import Schema
from vla_ros.safety.sequence import Sequence
from vla_ros.safety.setpoint_spline import SetpointSpline
from vla_ros.safety.state_machine import ARMED, LATCHED, MOVING, TRANSITIONS, SafetyState
from vla_ros.safety.tracking_error import TrackingError
from vla_ros.safety.velocity_limit import VelocityLimit

POLICY, OVERRIDE = "policy", "override"
RULES = (PositionLimit(), VelocityLimit(), AccelerationLimit(), JerkLimit())
NOTICEABLE = 1000  # nrad per tick: a smaller change of the command is rounding, not limiting


@dataclass(frozen=True)
class Decision:
    """What one tick decided.

    positions: (n,) rad or m to send now, None: send nothing. velocities: (n,) per s. finding: the rule that acted.
    source: whose command is followed. frame_stamp_ns: of that command (ROS time), 0 for none.
    """

    state: SafetyState
    positions: tuple[float, ...] | None
    velocities: tuple[float, ...]
    finding: Finding | None
    source: str
    frame_stamp_ns: int


class Source:
    """One origin of commands: its numbers, its newest command and the spline that plays it back."""

    def __init__(self, rest: tuple[int, ...], period_ns: int) -> None:
        self.sequence = Sequence()
        self.period_ns = period_ns
        self.begin(rest)

    def begin(self, rest: tuple[int, ...]) -> None:
        """Forget what was played; the next stream starts at `rest`."""
        self.spline = SetpointSpline(rest, self.period_ns)
        self.received_ns: int | None = None
        self.frame_stamp_ns = 0
        self.refused: tuple[int, Finding] | None = None


class SafetyFilter:
    """The gate.

    Args:
        parameters: checked configuration. urdf: text of the robot's URDF.

    Raises:
        ParameterError: a limit is missing, not finite or empty; it names the joint and the place.

    Guarantee, for every output sequence between two armings, with the limits in integers per tick: q within its
    limits, |v| <= V, |a| <= A, |j| <= J; and from every output the stop policy reaches rest inside the limits.
    """

    def __init__(self, parameters: SafetyFilterParameters, urdf: str) -> None:
        self.parameters = parameters
        self.bounds = bounds(parameters, urdf)
        self.joint_names = tuple(parameters.joint_names)
        limits, timing = parameters.limits, parameters.timing
        tick_s = 1.0 / parameters.rate_hz
        self._schema = Schema(self.joint_names)
        self._continuity = Continuity(self.joint_names, limits.step)
        self._tracking_error = TrackingError(self.joint_names, limits.tracking_error)
        self._freshness = Freshness(
            to_nano(timing.command_timeout_s), to_nano(timing.stamp_age_s), to_nano(timing.stamp_future_s)
        )
        self.measured = JointState(self.joint_names, self.bounds, to_nano(timing.joint_state_timeout_s))
        self._last_check = LastCheck(
            self.joint_names,
            [bound.lower / NANO for bound in self.bounds],
            [bound.upper / NANO for bound in self.bounds],
            [bound.velocity / NANO / tick_s for bound in self.bounds],
            limits.acceleration,
            limits.jerk,
            tick_s,
        )
        self._delay_ns = to_nano(timing.playback_delay_s)
        period_ns = to_nano(timing.command_period_s)
        rest = (0,) * len(self.bounds)
        self._sources = {name: Source(rest, period_ns) for name in (OVERRIDE, POLICY)}
        scale = parameters.override_speed_scale
        self._bounds_of = {
            POLICY: self.bounds,
            OVERRIDE: tuple(replace(b, velocity=max(1, int(b.velocity * scale))) for b in self.bounds),
        }
        self._joints: list[State] = []
        self._target = rest
        self._finding: Finding | None = None
        self.state = SafetyState.DISARMED
        self.ticks = self.accepted = self.rejected = self.limited = 0

    # Messages.

    def joint_state(self, now_ns: int, names: Values[str], q: Values[float], dq: Values[float]) -> None:
        """Take a measured state in, received at `now_ns`."""
        self.measured.receive(now_ns, names, q, dq)

    def command(
        self,
        now_ns: int,
        source: str,
        seq: int,
        stamp_ns: int,
        names: Values[str],
        positions: Values[float],
        frame_stamp_ns: int = 0,
    ) -> Finding | None:
        """Take a command in, received at `now_ns`.

        Args:
            stamp_ns: the time that the setpoint is meant for, on the same monotonic clock as now_ns.
            frame_stamp_ns: ROS time of the frames it descends from, 0 for none; carried, not judged.

        Returns:
            None when it was accepted, else why not; a refused command has no influence on the output.
        """
        if self.state not in ARMED:
            return None  # nobody listens; not counted, so that a policy may run before the arm is armed
        finding = self._refusal(now_ns, source, seq, stamp_ns, names, positions)
        if isinstance(finding, Finding):
            self.rejected += 1
            if source in self._sources:
                self._sources[source].refused = (now_ns, finding)
            return finding
        entry = self._sources[source]
        entry.spline.push(stamp_ns, finding)
        entry.received_ns = now_ns
        entry.frame_stamp_ns = frame_stamp_ns
        self.accepted += 1
        return None

    def _refusal(
        self, now_ns: int, source: str, seq: int, stamp_ns: int, names: Values[str], positions: Values[float]
    ) -> Finding | tuple[int, ...]:
        if source not in self._sources:
            return Finding("schema", f"source {source!r} is neither {POLICY} nor {OVERRIDE}")
        setpoint = self._schema.check(names, positions)
        if isinstance(setpoint, Finding):
            return setpoint
        stale = self._freshness.stamp(now_ns - stamp_ns)
        if stale is not None:
            return stale
        entry = self._sources[source]
        if entry.received_ns is None or self._freshness.silence(now_ns - entry.received_ns) is not None:
            # The stream begins: where the arm is now. A source that was silent may count from the start again.
            entry.sequence.forget()
            entry.begin(tuple(joint.q for joint in self._joints))
        jump = self._continuity.check(setpoint, [joint.q for joint in self._joints])
        if jump is not None:
            return jump
        return entry.sequence.check(seq, stamp_ns) or setpoint

    # People.

    def arm(self, now_ns: int) -> tuple[bool, str]:
        """DISARMED → HOLDING at the measured position, when that is known, at rest and inside the limits."""
        if self.state in ARMED:
            return True, "already armed"
        if self.state in LATCHED:
            return False, f"{self.state.name} is latched: reset first"
        finding = self.measured.check(now_ns)
        if finding is not None:
            return False, f"not armed: {finding.reason}"
        tolerance = to_nano(self.parameters.arm_tolerance)
        joints = []
        for name, q, speed, bound in zip(
            self.joint_names, self.measured.q, self.measured.dq, self.bounds, strict=True
        ):
            inside = max(bound.lower, min(bound.upper, q))
            if abs(inside - q) > tolerance:
                side = "below its lower" if q < bound.lower else "above its upper"
                return False, f"not armed: {name} at {q / NANO:.4f} is {side} limit {inside / NANO:.4f}: move it by hand"
            if abs(speed) > self.parameters.arm_speed:
                return False, f"not armed: {name} is moving ({speed:.3f} per s)"
            joints.append(State(inside, 0, 0))
        self._joints = joints
        self._target = tuple(joint.q for joint in joints)
        self._last_check.begin([joint.q / NANO for joint in joints])
        for entry in self._sources.values():
            entry.begin(self._target)
            entry.sequence.forget()
        self._finding = None
        self._go(SafetyState.HOLDING)
        return True, "armed"

    def disarm(self) -> tuple[bool, str]:
        """HOLDING → DISARMED; refused while the arm moves."""
        if self.state is SafetyState.DISARMED:
            return True, "already disarmed"
        if self.state is not SafetyState.HOLDING:
            return False, f"not disarmed: {self.state.name}; stop the motion first (an empty instruction, or estop)"
        self._go(SafetyState.DISARMED)
        return True, "disarmed"

    def estop(self, reason: str = "e-stop service") -> tuple[bool, str]:
        """Any state → ESTOP: to rest as fast as the limits allow, then hold until reset."""
        if self.state is not SafetyState.ESTOP:
            self._latch(SafetyState.ESTOP, Finding("estop", reason))
        return True, "stopping"

    def reset(self) -> tuple[bool, str]:
        """Latched and at rest → DISARMED. Motion needs an `arm` after it, and a new command after that."""
        if self.state not in LATCHED:
            return True, "nothing to reset"
        if any(joint.v or joint.a for joint in self._joints):
            return False, "not reset: the arm is not at rest yet"
        self._finding = None
        self._go(SafetyState.DISARMED)
        return True, "reset; arm to go on"

    # The tick.

    def tick(self, now_ns: int) -> Decision:
        """Decide what to send now. Called once per period; never raises."""
        self.ticks += 1
        source: str | None = None
        velocities: list[int] | None = None
        try:
            if self.state in ARMED:
                fault = self.measured.check(now_ns) or self._tracking_error.check(
                    self.measured.q, [joint.q for joint in self._joints]
                )
                if fault is not None:
                    self._latch(SafetyState.PROTECTIVE_STOP, fault)
                else:
                    source = self._fresh(now_ns)
            if source is not None:
                velocities = self._limited(source, now_ns)
        except Exception as error:  # a rule that raises means stop, not pass
            self._latch(SafetyState.PROTECTIVE_STOP, Finding("internal_fault", f"{type(error).__name__}: {error}"))
            source = velocities = None
        if velocities is None:
            velocities = [stop(joint, bound) for joint, bound in zip(self._joints, self.bounds, strict=False)]
        return self._send(source, velocities)

    def _fresh(self, now_ns: int) -> str | None:
        """Return the source to follow, override first; None, with the reason noted, when none is fresh."""
        for name, entry in self._sources.items():
            if entry.received_ns is not None and self._freshness.silence(now_ns - entry.received_ns) is None:
                return name
        refused = [entry.refused for entry in self._sources.values() if entry.refused is not None]
        recent = [finding for at_ns, finding in refused if self._freshness.silence(now_ns - at_ns) is None]
        received = max((entry.received_ns for entry in self._sources.values() if entry.received_ns), default=None)
        silence = self._freshness.silence(None if received is None else now_ns - received)
        self._finding = recent[0] if recent else silence
        return None

    def _limited(self, source: str, now_ns: int) -> list[int]:
        """Return the next velocity of every joint: towards the source's setpoint, inside every limit."""
        target = self._sources[source].spline.at(now_ns - self._delay_ns)
        velocities = []
        finding = None
        for i, (joint, bound, scaled) in enumerate(
            zip(self._joints, self.bounds, self._bounds_of[source], strict=True)
        ):
            # Move with the target, and close the gap that remains no faster than can be braked on arrival.
            pace = target[i] - self._target[i]
            gap = target[i] - joint.q - pace
            closing = via(abs(gap), max(1, bound.acceleration // 2))
            wanted = pace + (closing if gap > 0 else -closing)
            velocity, rule = self._granted(joint, bound, scaled, wanted)
            velocities.append(velocity)
            if rule is not None and finding is None and abs(velocity - wanted) > NOTICEABLE:
                rate = self.parameters.rate_hz / NANO
                name = self.joint_names[i]
                finding = Finding(
                    rule, f"{name} limited", name, wanted * rate, bound.velocity * rate, velocity * rate
                )
        self._target = target
        self._finding = finding
        return velocities

    def _granted(self, joint: State, bound: Bounds, scaled: Bounds, wanted: int) -> tuple[int, str | None]:
        """Return the velocity nearest to `wanted` that every rule allows, and the rule that changed it."""
        low = high = joint.v + joint.a
        acted: str | None = None
        first = True
        for rule in reversed(RULES):  # jerk first: its range is never empty; the others cut it down where they can
            least, most = rule.velocities(joint, scaled if rule.name == VelocityLimit.name else bound)
            if first:
                low, high, first = least, most, False
            else:
                low, high = min(max(low, least), high), max(min(high, most), low)
            if acted is None and not low <= wanted <= high:
                acted = rule.name
        velocity = max(low, min(high, wanted))
        braking = stop(joint, bound)
        # Scale back towards the stop policy's action until rest stays in reach; that action always keeps it so.
        for share in (4, 2, 1, 0):
            candidate = braking + (velocity - braking) * share // 4
            if share == 0 or admitted(advance(joint, candidate), bound):
                if share < 4 and acted is None:
                    acted = JerkLimit.name
                return candidate, acted
        raise AssertionError("unreachable: share 0 returns")

    def _send(self, source: str | None, velocities: list[int]) -> Decision:
        following = source is not None
        if self.state is SafetyState.DISARMED or not self._joints:
            return Decision(self.state, None, (), self._finding, "", 0)
        joints = [advance(joint, velocity) for joint, velocity in zip(self._joints, velocities, strict=True)]
        positions = tuple(joint.q / NANO for joint in joints)
        violation = self._last_check.check(positions)
        if violation is not None:
            # Send nothing that was not proved twice: repeat the last setpoint, which the controller already holds.
            self._latch(SafetyState.PROTECTIVE_STOP, violation)
            self._joints = [State(joint.q, 0, 0) for joint in self._joints]
            positions = tuple(joint.q / NANO for joint in self._joints)
            self._last_check.begin(positions)
            following = False
        else:
            self._joints = joints
        moving = any(joint.v or joint.a for joint in self._joints)
        if self.state in ARMED:
            if following:
                limiting = self._finding is not None
                self.limited += limiting
                self._go(SafetyState.LIMITING if limiting else SafetyState.TRACKING)
            elif moving:
                self._go(SafetyState.STOPPING)
            else:
                self._go(SafetyState.HOLDING)
        if not following:
            self._target = tuple(joint.q for joint in self._joints)
        rate = self.parameters.rate_hz / NANO
        return Decision(
            self.state,
            positions,
            tuple(joint.v * rate for joint in self._joints),
            self._finding,
            source if following and source else "",
            self._sources[source].frame_stamp_ns if following and source else 0,
        )

    def command_age_ns(self, now_ns: int) -> int | None:
        """Time since the newest accepted command of any source."""
        times = [entry.received_ns for entry in self._sources.values() if entry.received_ns is not None]
        return now_ns - max(times) if times else None

    def margins(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Distance of every joint to its nearer position limit (rad, m) and to its velocity limit (per s)."""
        rate = self.parameters.rate_hz / NANO
        pairs = list(zip(self._joints, self.bounds, strict=False))
        return (
            tuple(min(joint.q - bound.lower, bound.upper - joint.q) / NANO for joint, bound in pairs),
            tuple((bound.velocity - abs(joint.v)) * rate for joint, bound in pairs),
        )

    def _latch(self, state: SafetyState, finding: Finding) -> None:
        self._finding = finding
        if state in TRANSITIONS[self.state]:
            self._go(state)

    def _go(self, state: SafetyState) -> None:
        if state is self.state:
            return
        if state not in TRANSITIONS[self.state]:
            if self.state in MOVING and state in MOVING:
                raise AssertionError(f"{self.state.name} → {state.name}")
            raise AssertionError(f"no way from {self.state.name} to {state.name}")
        self.state = state
