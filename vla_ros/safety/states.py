"""The states of the filter and every transition between them. docs/safety.md draws this table; a test compares the two."""

from __future__ import annotations

import enum


class State(enum.IntEnum):
    """Values of `SafetyStatus.state`."""

    DISARMED = 0
    HOLDING = 1
    TRACKING = 2
    LIMITING = 3
    STOPPING = 4
    PROTECTIVE_STOP = 5
    ESTOP = 6
    DISARMING = 7
    STALLED = 8
    ENTERING = 9


class Event(enum.Enum):
    """What can change the state."""

    ARM = "arm"
    """Somebody arms, and the measured arm is at rest inside its limits."""
    ENTER = "enter"
    """The same, or the clock was set, and the arm's controller must first be led to where the output is."""
    DISARM = "disarm"
    RESET = "reset"
    """Somebody resets, and the output is at rest."""
    ESTOP = "estop"
    FAULT = "fault"
    """A rule latches: tracking error, joint outside its limits, last check, a rule that raised."""
    ACCEPTED = "accepted"
    """The command of this tick went out unchanged."""
    LIMITED = "limited"
    """A rule changed the command of this tick."""
    BRAKE = "brake"
    """There is nothing to follow and the output still moves."""
    REST = "rest"
    """There is nothing to follow and the output is at rest."""
    STALL = "stall"
    """Ticks did not come for so long that the arm's controller has stopped the moving arm."""


LATCHED = frozenset({State.PROTECTIVE_STOP, State.ESTOP})
MOVING = frozenset({State.TRACKING, State.LIMITING, State.STOPPING, State.DISARMING, State.STALLED, State.ENTERING})
"""In these the arm may move."""
ACTIVE = MOVING | {State.HOLDING}
"""Armed and not latched."""
AT_REST = LATCHED | {State.DISARMED, State.HOLDING}
"""In these nothing moves, except that an arm which has just latched still comes to rest."""

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.DISARMED, Event.ARM): State.HOLDING,
    (State.DISARMED, Event.ENTER): State.ENTERING,
    (State.DISARMED, Event.ESTOP): State.ESTOP,
    (State.HOLDING, Event.ACCEPTED): State.TRACKING,
    (State.HOLDING, Event.LIMITED): State.LIMITING,
    (State.HOLDING, Event.ENTER): State.ENTERING,
    (State.HOLDING, Event.DISARM): State.DISARMED,
    (State.HOLDING, Event.FAULT): State.PROTECTIVE_STOP,
    (State.HOLDING, Event.ESTOP): State.ESTOP,
    (State.TRACKING, Event.LIMITED): State.LIMITING,
    (State.TRACKING, Event.BRAKE): State.STOPPING,
    (State.TRACKING, Event.REST): State.HOLDING,
    (State.TRACKING, Event.ENTER): State.ENTERING,
    (State.TRACKING, Event.DISARM): State.DISARMING,
    (State.TRACKING, Event.STALL): State.STALLED,
    (State.TRACKING, Event.FAULT): State.PROTECTIVE_STOP,
    (State.TRACKING, Event.ESTOP): State.ESTOP,
    (State.LIMITING, Event.ACCEPTED): State.TRACKING,
    (State.LIMITING, Event.BRAKE): State.STOPPING,
    (State.LIMITING, Event.REST): State.HOLDING,
    (State.LIMITING, Event.ENTER): State.ENTERING,
    (State.LIMITING, Event.DISARM): State.DISARMING,
    (State.LIMITING, Event.STALL): State.STALLED,
    (State.LIMITING, Event.FAULT): State.PROTECTIVE_STOP,
    (State.LIMITING, Event.ESTOP): State.ESTOP,
    (State.STOPPING, Event.ACCEPTED): State.TRACKING,
    (State.STOPPING, Event.LIMITED): State.LIMITING,
    (State.STOPPING, Event.REST): State.HOLDING,
    (State.STOPPING, Event.ENTER): State.ENTERING,
    (State.STOPPING, Event.DISARM): State.DISARMING,
    (State.STOPPING, Event.STALL): State.STALLED,
    (State.STOPPING, Event.FAULT): State.PROTECTIVE_STOP,
    (State.STOPPING, Event.ESTOP): State.ESTOP,
    (State.DISARMING, Event.REST): State.DISARMED,
    (State.DISARMING, Event.FAULT): State.PROTECTIVE_STOP,
    (State.DISARMING, Event.ESTOP): State.ESTOP,
    (State.STALLED, Event.REST): State.HOLDING,
    (State.STALLED, Event.DISARM): State.DISARMING,
    (State.STALLED, Event.FAULT): State.PROTECTIVE_STOP,
    (State.STALLED, Event.ESTOP): State.ESTOP,
    (State.ENTERING, Event.REST): State.HOLDING,
    (State.ENTERING, Event.DISARM): State.DISARMING,
    (State.ENTERING, Event.FAULT): State.PROTECTIVE_STOP,
    (State.ENTERING, Event.ESTOP): State.ESTOP,
    (State.PROTECTIVE_STOP, Event.ESTOP): State.ESTOP,
    (State.PROTECTIVE_STOP, Event.RESET): State.DISARMED,
    (State.ESTOP, Event.RESET): State.DISARMED,
}
"""Pairs that are not listed leave the state as it is."""


def after(state: State, event: Event) -> State:
    """Return the state after `event`."""
    return TRANSITIONS.get((state, event), state)
