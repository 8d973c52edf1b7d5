"""Where the output begins: at the measured arm, when it is armed and after a stall of the filter."""

from __future__ import annotations

from vla_ros.safety.filter_setup import FilterSetup
from vla_ros.safety.rules import first_verdict
from vla_ros.safety.state import FilterState
from vla_ros.safety.states import ACTIVE, Event
from vla_ros.safety.verdict import Verdict


def take_over(state: FilterState, setup: FilterSetup, now_ns: int) -> Verdict | None:
    """Put the output at rest where the arm is measured. Return what is wrong with it there."""
    setup.motion.place(state, state.measured.q)
    return first_verdict(setup.feed, state, now_ns) or setup.motion.placement_violation(state)


def handle_stall(state: FilterState, setup: FilterSetup, now_ns: int) -> bool:
    """Stop sending when ticks have failed to come for so long that the arm's controller has stopped a moving arm.

    From standstill it must not be sent on at its old speed: nothing is sent until it is at rest, then it is taken over
    where it is.

    A controller that follows a trajectory has gone to rest along it, and the output with it: see `tick.miss`.

    Returns:
        whether that is over now: the output may be elsewhere.
    """
    stall = setup.open_loop.stalled(state, now_ns) if state.sending and not setup.entry_ticks else None
    if stall is not None and not state.at_rest:
        state.stalled_by = stall
        state.sending = False
        state.spline = None
        state.change(Event.STALL)
        return False  # one tick without an output at least: a stream ends here, and that is seen
    if state.stalled_by is None:
        return False
    if state.state in ACTIVE:
        if first_verdict((setup.fresh, setup.at_rest, *setup.feed), state, now_ns) is not None:
            return False
        fault = setup.in_range.check(state, now_ns) or take_over(state, setup, now_ns)
        if fault is None:
            state.sending = True
        else:
            state.latch(fault)
    state.stalled_by = None
    return True
