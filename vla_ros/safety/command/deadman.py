"""Rule deadman: the arm moves only while a human holds a switch, whose newest message is no older than the timeout.

Letting go is a stop like any other: it ends what was going on, and pressing the switch again moves nothing; see `resumption`.
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

NAME = "deadman"


class Deadman(TickRule):
    """Args: parameters: `deadman.timeout_s`, how long one message counts; 0: there is no switch. limits, arm: not used."""

    NAME, CODE = NAME, RuleCode.DEADMAN

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._timeout_ns = round(parameters.deadman.timeout_s * 1e9)

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.deadman.timeout_s)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Stop when the switch is not held."""
        self.expire(state, now_ns)
        if state.deadman_ns is not None:
            return None
        return Verdict(NAME, "the dead-man switch on vla/deadman is not held")

    def update(self, state: FilterState, receive_ns: int, pressed: bool) -> None:
        """The switch was received, held or released."""
        self.expire(state, receive_ns)
        if pressed:
            state.deadman_ns = receive_ns
        else:
            self._release(state)

    def expire(self, state: FilterState, now_ns: int) -> None:
        """A switch whose newest message is too old is released."""
        if state.deadman_ns is not None and now_ns - state.deadman_ns > self._timeout_ns:
            self._release(state)

    def _release(self, state: FilterState) -> None:
        if state.deadman_ns is not None and state.state in ACTIVE:
            state.stops += 1
        state.deadman_ns = None
