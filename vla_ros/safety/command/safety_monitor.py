"""Rule safety_monitor: the second channel must run, hear what is sent, hold the same limits, and find nothing broken.

It is another process with other code (`vla_ros/oracle/live`). What it finds broken latches an e-stop when its report arrives;
its silence stops the arm, and the arm is not armed without it.
"""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.limits_summary import difference, limits_summary
from vla_ros.safety.rules import RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "safety_monitor"
LONGEST_REASON = 300
"""Characters of a reason that come from outside."""


class SafetyMonitor(TickRule):
    """Age of the newest report <= timeout, and the report says the same limits, nothing broken, and that all is heard.

    Args: parameters: `safety_monitor.timeout_s`; 0: there is no second channel. limits: of the joints. arm: not used.
    """

    NAME, CODE = NAME, RuleCode.SAFETY_MONITOR

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._timeout_ns = round(parameters.safety_monitor.timeout_s * 1e9)
        joints = [(j.name, j.lower, j.upper, j.velocity, j.acceleration, j.jerk) for j in limits]
        self._limits = limits_summary(joints, parameters)

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.safety_monitor.timeout_s)

    def update(
        self, state: FilterState, receive_ns: int, violation: str, hears_sent: bool, hears_measured: bool, limits: str
    ) -> None:
        """Take over a report. What it finds broken latches while something is sent.

        Args:
            receive_ns: of the report.
            violation, hears_sent, hears_measured, limits: see SafetyMonitorReport.msg; limits are empty where they are
                those of the report before, which keeps the audit log short.
        """
        heard = state.monitor
        heard.receive_ns = receive_ns
        heard.violation, heard.hears_measured = violation[:LONGEST_REASON], hears_measured
        if limits:
            heard.other_limits = difference(self._limits, limits)[:LONGEST_REASON]
        if hears_sent or not state.sending:
            heard.deaf_since_ns = None
        elif heard.deaf_since_ns is None:
            heard.deaf_since_ns = receive_ns
        if heard.violation and state.sending:
            state.press(Verdict(NAME, f"the safety monitor: {heard.violation}"))

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Stop when it is silent, deaf, or holds other limits; it is asked before the arm is armed, too."""
        heard = state.monitor
        if heard.receive_ns is None:
            return Verdict(
                NAME, "no report of the safety monitor yet on vla/safety_monitor; start the node safety_monitor"
            )
        age_ns = now_ns - heard.receive_ns
        if age_ns > self._timeout_ns:
            silence_s, longest_s = age_ns / 1e9, self._timeout_ns / 1e9
            reason = f"no report of the safety monitor for {silence_s:.3f} s"
            return Verdict(NAME, reason, requested=silence_s, limit=longest_s)
        if heard.other_limits:
            return Verdict(NAME, f"the safety monitor has other limits: {heard.other_limits}")
        if not heard.hears_measured:
            return Verdict(NAME, "the safety monitor does not hear every joint on joint_states")
        if heard.deaf_since_ns is not None and heard.receive_ns - heard.deaf_since_ns > self._timeout_ns:
            return Verdict(NAME, "the safety monitor does not hear what is sent; see the topics of its controllers")
        if heard.violation:
            return Verdict(NAME, f"the safety monitor: {heard.violation}")
        return None
