"""The filter's states and the only ways between them. docs/safety.md draws this table; a test compares the two."""

from __future__ import annotations

import enum


class SafetyState(enum.IntEnum):
    """Values of `SafetyStatus.state`."""

    DISARMED = 0
    HOLDING = 1
    TRACKING = 2
    LIMITING = 3
    STOPPING = 4
    PROTECTIVE_STOP = 5
    ESTOP = 6


LATCHED = frozenset({SafetyState.PROTECTIVE_STOP, SafetyState.ESTOP})
MOVING = frozenset({SafetyState.TRACKING, SafetyState.LIMITING, SafetyState.STOPPING})
ARMED = MOVING | {SafetyState.HOLDING}

_S = SafetyState
TRANSITIONS: dict[SafetyState, frozenset[SafetyState]] = {
    _S.DISARMED: frozenset({_S.HOLDING, _S.ESTOP}),
    _S.HOLDING: frozenset({_S.TRACKING, _S.LIMITING, _S.DISARMED, _S.PROTECTIVE_STOP, _S.ESTOP}),
    _S.TRACKING: frozenset({_S.LIMITING, _S.STOPPING, _S.HOLDING, _S.PROTECTIVE_STOP, _S.ESTOP}),
    _S.LIMITING: frozenset({_S.TRACKING, _S.STOPPING, _S.HOLDING, _S.PROTECTIVE_STOP, _S.ESTOP}),
    _S.STOPPING: frozenset({_S.TRACKING, _S.LIMITING, _S.HOLDING, _S.PROTECTIVE_STOP, _S.ESTOP}),
    _S.PROTECTIVE_STOP: frozenset({_S.DISARMED, _S.ESTOP}),
    _S.ESTOP: frozenset({_S.DISARMED}),
}
