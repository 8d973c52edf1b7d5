"""Rule estop: somebody pressed stop, or its heartbeat, once heard, is silent for longer than the longest silence.

It is no safety-rated stop; the robot's own e-stop stays the e-stop.
"""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import Action, RuleCode, Scope, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "estop"


def pressed(by: str) -> Verdict:
    """Return the verdict that latches; `by` says who or what pressed."""
    return Verdict(NAME, f"e-stop by {by}")


class EStop(TickRule):
    """The heartbeat on vla/estop_heartbeat, and what holds the latch of the button on vla/estop.

    Args: parameters: `estop.heartbeat_s`, longest silence; 0: there is no heartbeat. limits, arm: not used.
    """

    NAME, CODE, ACTION, SCOPE = NAME, RuleCode.ESTOP, Action.ESTOP, Scope.ALWAYS

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._longest_ns = round(parameters.estop.heartbeat_s * 1e9)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """E-stop when the heartbeat, once heard, is missing. Before that nothing moves: `held`."""
        if not self._longest_ns or state.heartbeat_ns is None:
            return None
        age_ns = now_ns - state.heartbeat_ns
        if age_ns <= self._longest_ns:
            return None
        silence_s, longest_s = age_ns / 1e9, self._longest_ns / 1e9
        return Verdict(NAME, f"no e-stop heartbeat for {silence_s:.3f} s", requested=silence_s, limit=longest_s)

    def held(self, state: FilterState, now_ns: int) -> str:
        """Return why a reset and an arm are refused; empty: nothing holds the stop."""
        if state.estop_pressed:
            return "the e-stop is still pressed; release it on vla/estop"
        if self._longest_ns and state.heartbeat_ns is None:
            return "no heartbeat yet on vla/estop_heartbeat"
        verdict = self.check(state, now_ns)
        return "" if verdict is None else verdict.reason
