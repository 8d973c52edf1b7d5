"""Rule enabling: the arm moves only while a human holds a three-position device in its middle position.

Released or pressed through stops the arm, which ends what it was doing. After pressing through it must be released before it
enables again.
"""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.states import ACTIVE
from vla_ros.safety.verdict import Verdict

NAME = "enabling"
RELEASED, PRESSED, PRESSED_THROUGH = 0, 1, 2
"""Positions of the device, as vla/enabling tells them; any other number counts as pressed through."""


class Enabling(TickRule):
    """Args: parameters: `enabling.timeout_s`, how long one message counts; 0: there is no device. limits, arm: not used."""

    NAME, CODE = NAME, RuleCode.ENABLING

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._timeout_ns = round(parameters.enabling.timeout_s * 1e9)

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.enabling.timeout_s)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Stop unless the device is held in its middle position."""
        self.expire(state, now_ns)
        if state.enabling_ns is not None:
            return None
        if state.enabling_locked:
            return Verdict(
                NAME, "the enabling device on vla/enabling was pressed through; release it, then press it again"
            )
        return Verdict(NAME, "the enabling device on vla/enabling is not held in its middle position")

    def update(self, state: FilterState, receive_ns: int, position: int) -> None:
        """The device was received, in one of the three positions."""
        self.expire(state, receive_ns)
        if position != PRESSED:
            state.enabling_locked = position != RELEASED
        if position == PRESSED and not state.enabling_locked:
            state.enabling_ns = receive_ns
        else:
            self._release(state)

    def expire(self, state: FilterState, now_ns: int) -> None:
        """A device whose newest message is too old is released."""
        if state.enabling_ns is not None and now_ns - state.enabling_ns > self._timeout_ns:
            self._release(state)

    def _release(self, state: FilterState) -> None:
        if state.enabling_ns is not None and state.state in ACTIVE:
            state.stops += 1
        state.enabling_ns = None
