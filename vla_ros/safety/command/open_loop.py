"""Rule open_loop: without a fresh setpoint the arm comes to rest on its own."""

from __future__ import annotations

from vla_ros.safety.verdict import Verdict

NAME = "open_loop"


class OpenLoop:
    """Args: timeout_s: longest time without an accepted setpoint."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_ns = round(timeout_s * 1e9)

    def check(self, now_ns: int, accepted_ns: int, source: str) -> Verdict | None:
        """Stop when the newest accepted setpoint of `source` was received too long before `now_ns`."""
        if now_ns - accepted_ns <= self._timeout_ns:
            return None
        silence_s = (now_ns - accepted_ns) / 1e9
        return Verdict(
            NAME, f"no setpoint from {source} for {silence_s:.3f} s", requested=silence_s, limit=self._timeout_ns / 1e9
        )

    @staticmethod
    def stalled(late_ns: int, longest_ns: int) -> Verdict:
        """The verdict on a filter that has itself not been there for so long."""
        late_s = late_ns / 1e9
        return Verdict(
            NAME,
            f"the filter stood still for {late_s:.3f} s; nothing is sent until the arm has come to rest",
            requested=late_s,
            limit=longest_ns / 1e9,
        )
