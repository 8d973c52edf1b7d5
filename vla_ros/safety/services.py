"""What a service does: arm, disarm, estop, reset, release_lost_estop. Each returns (whether it was done, what or why not)."""

from __future__ import annotations

from vla_ros.safety.command import authority, estop
from vla_ros.safety.filter_setup import FilterSetup
from vla_ros.safety.rules import first_verdict
from vla_ros.safety.state import FilterState
from vla_ros.safety.states import LATCHED, Event, State
from vla_ros.safety.takeover import take_over

ENDED = "a task that was under way is ended by this stop"
RESUMED = "a task that a stop has ended goes on only when it is told to (vla-ros say --continue)"
OUTLOOK = {"arm": RESUMED, "reset": RESUMED, "estop": ENDED, "disarm": ENDED}
"""What people are told with the answer of a service, once there was a stop: what will move, and what will not."""


def arm(state: FilterState, setup: FilterSetup, now_ns: int) -> tuple[bool, str]:
    """Start to hold the measured position. Refused unless it is known, fresh, inside the limits and at rest."""
    if state.state is not State.DISARMED:
        return False, f"cannot arm: the filter is {state.state.name}" + (
            "; call vla/reset first" if state.state in LATCHED else ""
        )
    held = setup.estop.held(state, now_ns)
    if held:
        return False, f"cannot arm: {held}"
    verdict = (
        authority.has_multiple_publishers(state, estop.BUTTON)
        or authority.has_multiple_publishers(state, authority.DESCRIPTION)
        or authority.inputs_ambiguous(state)
        or setup.one_source.check(state, now_ns)
        or authority.publishing_stranger(state)
        or authority.strangers_goal(state)
        or first_verdict(setup.controllers, state, now_ns)
        or setup.fresh.check(state, now_ns)
        or setup.in_range.check(state, now_ns)
        or setup.at_rest.check(state, now_ns)
        or setup.settled.check(state, now_ns)
        or first_verdict(setup.monitor, state, now_ns)
    )
    if verdict is not None:
        return False, f"cannot arm: {verdict.reason}"
    verdict = take_over(state, setup, now_ns)
    if verdict is not None:
        return False, f"cannot arm: {verdict.rule}: {verdict.reason}; move the arm clear by its own controls"
    state.release()
    state.stalled_by = None
    state.sending = True
    state.entry_ticks = setup.entry_ticks + 1 if setup.entry_ticks else 0
    state.change(Event.ENTER if setup.entry_ticks else Event.ARM)
    return True, "armed; holding the measured position"


def disarm(state: FilterState) -> tuple[bool, str]:
    """Come to rest, then send nothing any more."""
    if state.state in LATCHED:
        return False, f"cannot disarm: {state.state.name} is latched; call vla/reset"
    if state.state is State.DISARMED:
        return True, "disarmed already"
    if state.state is not State.DISARMING:
        state.stops += 1
    state.release()
    state.change(Event.DISARM)
    disarming = state.state is State.DISARMING
    state.sending = disarming and state.stalled_by is None
    return True, "coming to rest, then disarmed" if disarming else "disarmed"


def press_estop(state: FilterState, by: str) -> tuple[bool, str]:
    """Come to rest and latch. Works in every state."""
    state.press(estop.pressed(by))
    return True, "e-stop is latched; call vla/reset, then vla/arm"


def reset(state: FilterState, setup: FilterSetup, now_ns: int) -> tuple[bool, str]:
    """Release a latch. Leads to DISARMED: a reset moves nothing, the arm goes on only when armed."""
    if state.state not in LATCHED:
        return False, f"nothing to reset: the filter is {state.state.name}"
    held = setup.estop.held(state, now_ns)
    if held:
        return False, f"cannot reset: {held}"
    buttons = authority.has_multiple_publishers(state, estop.BUTTON)
    if buttons is not None:
        return False, f"cannot reset: {buttons.reason}"
    if state.sending and not state.at_rest:
        return False, "cannot reset: still coming to rest"
    state.change(Event.RESET)
    state.sending = False
    state.latched_by = None
    state.release()
    return True, "reset; call vla/arm to go on"


def release_lost_estop(state: FilterState) -> tuple[bool, str]:
    """Release the presses of buttons whose publishers have left: whoever calls has looked at them. The latch stays."""
    lost = estop.lost_buttons(state)
    if not lost:
        present = ", ".join(estop.description(state, each) for each in state.estop_buttons)
        return False, f"no press of a button that has left; still pressed by {present}" if present else (
            "no press of a button that has left"
        )
    names = ", ".join(estop.description(state, each) for each in lost)
    for button in lost:
        del state.estop_buttons[button]
    return True, f"released the press of {names}; call vla/reset"
