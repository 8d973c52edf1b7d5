"""Rule freshness: a setpoint is neither old nor from the future; and where its stamp lies on the filter's own clock."""

from __future__ import annotations

from vla_ros.safety.command.setpoint import Command
from vla_ros.safety.verdict import Verdict

NAME = "freshness"

STEP_NS = 2_000_000
"""Two clocks that moved apart by more since the last setpoint were set; less is jitter of the reading, and averaged."""
AVERAGED = 64


class Freshness:
    """Args: max_age_s, max_lead_s: how far a stamp may lie in the past and in the future."""

    def __init__(self, max_age_s: float, max_lead_s: float) -> None:
        self._max_age_ns = round(max_age_s * 1e9)
        self._max_lead_ns = round(max_lead_s * 1e9)
        self._offset_ns: int | None = None

    def check(self, command: Command) -> Verdict | None:
        """Refuse a missing, an old and an early stamp."""
        if command.stamp_ns <= 0:
            return Verdict(NAME, "header.stamp is zero; it must say when the setpoint is meant for")
        age_s = command.age_ns / 1e9
        if command.age_ns > self._max_age_ns:
            return Verdict(
                NAME,
                f"the stamp is {age_s:.3f} s old; compare the clocks",
                requested=age_s,
                limit=self._max_age_ns / 1e9,
            )
        if -command.age_ns > self._max_lead_ns:
            return Verdict(
                NAME,
                f"the stamp lies {-age_s:.3f} s ahead; compare the clocks",
                requested=-age_s,
                limit=self._max_lead_ns / 1e9,
            )
        return None

    def due_ns(self, command: Command) -> int:
        """The stamp on the filter's clock. The offset between the clocks is held, or its jitter would be motion."""
        measured_ns = command.receive_ns - command.age_ns - command.stamp_ns
        if self._offset_ns is None or abs(measured_ns - self._offset_ns) > STEP_NS:
            self._offset_ns = measured_ns
        else:
            self._offset_ns += (measured_ns - self._offset_ns) // AVERAGED
        return command.stamp_ns + self._offset_ns
