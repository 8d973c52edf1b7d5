"""What a tick does: follow the setpoints or stop, and check what is about to be sent."""

from __future__ import annotations

from vla_ros.safety.arm_motion import joint_states
from vla_ros.safety.command.setpoint_spline import SetpointSpline
from vla_ros.safety.filter_setup import FilterSetup
from vla_ros.safety.rules import enforce
from vla_ros.safety.state import FilterState, JointStates
from vla_ros.safety.states import ACTIVE, LATCHED, Event, State
from vla_ros.safety.verdict import Verdict


class LastCheckError(Exception):
    """The last check refused an output; carries its verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


def move(state: FilterState, setup: FilterSetup, now_ns: int, before: JointStates) -> Verdict | None:
    """Move all joints by one tick and the state with them; return the verdict of the rule that acted."""
    enforce(setup.always, state, now_ns)
    if state.stalled_by is not None:
        return state.stalled_by if state.state in ACTIVE else state.latched_by
    if state.state in ACTIVE:
        if setup.constraints is not None:
            setup.constraints.start_tick(state)
        return _follow_or_stop(state, setup, now_ns, before)
    if state.sending and state.state in LATCHED and state.at_rest and setup.standstill.is_elsewhere(state):
        state.sending = False  # who activates its controller again must not get a jump back to the old pose
    if state.sending:
        setup.motion.stop(state)
    return state.latched_by


def checked_positions(state: FilterState, setup: FilterSetup, before: JointStates) -> tuple[float, ...] | None:
    """Return the positions to be sent, rad or m per joint, if any; they count as sent.

    Raises:
        LastCheckError: they break a limit.
    """
    if not state.sending:
        return None
    motion = setup.motion
    positions = motion.positions(state)
    violation = motion.violation(state, positions)
    if violation is not None:
        raise LastCheckError(violation)
    motion.sent(state, positions, before)
    return positions


def stop_positions(state: FilterState, setup: FilterSetup, before: JointStates) -> tuple[float, ...] | None:
    """Take the stop policy's step from `before` the tick; when even that fails, nothing is sent any more."""
    try:
        setup.motion.stop_from(state, before)
        return checked_positions(state, setup, before)
    except Exception:
        state.sending = False
        return None


def miss(state: FilterState, setup: FilterSetup, count: int) -> list[tuple[float, ...]]:
    """Take the stop policy's step for each of `count` ticks that did not come: the controller takes it by the newest message.

    Returns:
        the outputs, rad or m per joint; the last one holds for the ticks that are left when the arm is at rest.
    """
    rows: list[tuple[float, ...]] = []
    state.targets = None
    while state.sending and len(rows) < count and not (rows and state.at_rest):
        before = joint_states(state)
        setup.motion.stop(state)
        positions = checked_positions(state, setup, before)
        if positions is not None:
            rows.append(positions)
    return rows


def retract(state: FilterState, setup: FilterSetup) -> tuple[float, ...] | None:
    """The newest output was not sent in time: take the stop policy's step instead, as the controller does.

    Returns:
        the output, rad or m per joint; None: nothing is sent.
    """
    if not state.sending:
        return None
    setup.motion.forget(state, state.before)
    taken = joint_states(state)
    setup.motion.stop_from(state, state.before)
    state.targets = None
    return checked_positions(state, setup, taken)


def _follow_or_stop(state: FilterState, setup: FilterSetup, now_ns: int, before: JointStates) -> Verdict | None:
    stop = interrupted = enforce(setup.active, state, now_ns)
    if state.spline is not None:
        stop = state.stopped_by = interrupted or enforce(setup.following, state, now_ns)
        if stop is not None:
            state.spline = None
    elif stop is not None:
        state.stopped_by = stop
    if state.spline is not None and state.state in ACTIVE:
        verdict = _follow(state, setup, now_ns, before, state.spline)
        state.limited += verdict is not None
        state.change(Event.ACCEPTED if verdict is None else Event.LIMITED)
        return verdict
    setup.motion.stop(state)
    verdict = state.stopped_by  # of a rule that has just latched, too
    state.change(Event.REST if state.at_rest and not state.entry_ticks else Event.BRAKE)  # a latched state stays
    if state.state in (State.HOLDING, State.DISARMED):
        state.followed = ""
        state.stopped_by = interrupted
    if state.state is State.DISARMED:
        state.sending = False
    return verdict


def _follow(
    state: FilterState, setup: FilterSetup, now_ns: int, before: JointStates, spline: SetpointSpline
) -> Verdict | None:
    """Move every joint towards where the setpoints are now; see `ArmMotion.follow`."""
    time_ns = now_ns - setup.delay_ns[state.followed]
    previous = state.targets
    if previous is None or state.ticked_ns is None or now_ns - state.ticked_ns != setup.period_ns:
        previous = spline.target(time_ns - setup.period_ns)
    targets = state.targets = spline.target(time_ns)
    return setup.motion.follow(state, before, targets, previous)
