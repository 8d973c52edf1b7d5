"""Rule sequence: within one stream of a source, seq and stamp only rise."""

from __future__ import annotations

from vla_ros.safety.command.setpoint import SOURCES, Command
from vla_ros.safety.verdict import Verdict

NAME = "sequence"


class Sequence:
    """A source that was silent for longer than the timeout begins a new stream (it was restarted).

    missing: how many setpoints in the middle of streams have not come to be accepted.

    Args: timeout_s: command timeout.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_ns = round(timeout_s * 1e9)
        self.missing = 0
        self._last: dict[str, Command | None] = dict.fromkeys(SOURCES)

    def check(self, command: Command) -> Verdict | None:
        """Refuse a repeat and a step back."""
        last = self._last[command.channel]
        if last is None or command.receive_ns - last.receive_ns > self._timeout_ns:
            return None
        if command.seq <= last.seq:
            return Verdict(
                NAME,
                f"seq {command.seq} after {last.seq}: repeated or out of order",
                requested=command.seq,
                limit=last.seq,
            )
        if command.stamp_ns <= last.stamp_ns:
            return Verdict(NAME, f"the stamp of seq {command.seq} is not later than that of seq {last.seq}")
        return None

    def accepted(self, command: Command) -> None:
        """Remember an accepted command; refused ones change nothing."""
        last = self._last[command.channel]
        if last is not None and command.receive_ns - last.receive_ns <= self._timeout_ns:
            self.missing += command.seq - last.seq - 1
        self._last[command.channel] = command
