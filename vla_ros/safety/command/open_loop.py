"""Rule open_loop: without a setpoint for longer than the timeout the arm comes to rest on its own."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import RuleCode, Scope, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "open_loop"


class OpenLoop(TickRule):
    """Args: parameters: `command.timeout_s`, longest time without an accepted setpoint. limits, arm: not used."""

    NAME, CODE, SCOPE = NAME, RuleCode.OPEN_LOOP, Scope.FOLLOWING

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._timeout_ns = round(parameters.command.timeout_s * 1e9)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Stop when the newest accepted setpoint was received too long before `now_ns`."""
        silence_ns = now_ns - state.accepted_ns
        if silence_ns <= self._timeout_ns:
            return None
        silence_s = silence_ns / 1e9
        reason = f"no setpoint from {state.followed} for {silence_s:.3f} s"
        return Verdict(NAME, reason, requested=silence_s, limit=self._timeout_ns / 1e9)

    def stalled(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Object when the filter did not tick for longer than the timeout: the arm's controller has stopped the arm."""
        if state.ticked_ns is None or now_ns - state.ticked_ns <= self._timeout_ns:
            return None
        late_s = (now_ns - state.ticked_ns) / 1e9
        return Verdict(
            NAME,
            f"the filter stood still for {late_s:.3f} s; nothing is sent until the arm has come to rest",
            requested=late_s,
            limit=self._timeout_ns / 1e9,
        )
