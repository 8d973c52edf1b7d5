"""What a source of setpoints learns of the filter that refuses them: that it does, why, and when to begin anew."""

from __future__ import annotations

from vla_ros.safety.rules import RuleCode
from vla_ros.time import NS_PER_S

SETPOINT_CODES = range(RuleCode.AUTHORITY, RuleCode.ESTOP)
"""Codes of the rules that refuse setpoints."""
MEMORY_NS = NS_PER_S
"""A refusal is told for so long: the filter's status comes 25 times a second and shows the newest for 0.2 s."""
SENDING_NS = NS_PER_S // 2
"""Refusals count as this source's own for so long after it has sent."""
SILENCE_NS = 1_100_000_000
"""Longer than any `command.timeout_s`: after it, setpoints are a new stream."""


class Refusals:
    """Reads the filter's counter of refused setpoints, and the reason that its status gives."""

    def __init__(self) -> None:
        self._rejected: int | None = None
        self._reason = ""
        self._sent_ns = self._refused_ns = self._silent_until_ns = -(10**18)

    def on_sent(self, now_ns: int) -> None:
        """A setpoint was sent."""
        self._sent_ns = now_ns

    def on_status(self, now_ns: int, rejected: int, code: int, reason: str) -> None:
        """The filter's status has come.

        Args:
            now_ns: monotonic. rejected: setpoints refused since the filter's start. code, reason: of the rule that acted.
        """
        before, self._rejected = self._rejected, rejected
        sending = now_ns - self._sent_ns <= SENDING_NS
        if before is None or rejected <= before or not sending:
            return
        self._refused_ns = now_ns
        if code in SETPOINT_CODES:
            self._reason = reason
        if code == RuleCode.RESUMPTION:
            self._silent_until_ns = now_ns + SILENCE_NS

    def silence_due(self, now_ns: int) -> bool:
        """Return whether nothing is to be sent now, so that what comes next is a new stream to the filter."""
        return now_ns < self._silent_until_ns

    def explanation(self, now_ns: int) -> str:
        """Return why setpoints are refused; empty: they have not been of late."""
        if now_ns - self._refused_ns > MEMORY_NS and not self.silence_due(now_ns):
            return ""
        return f"the safety filter refuses the setpoints: {self._reason or 'see vla/safety_status'}"
