"""Rule deadman: the arm moves only while a human holds a switch."""

from __future__ import annotations

from vla_ros.safety.verdict import Verdict

NAME = "deadman"


class Deadman:
    """Args: timeout_s: how long one message counts; 0: there is no switch."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_ns = round(timeout_s * 1e9)
        self._pressed_ns: int | None = None

    def signal(self, receive_ns: int, pressed: bool) -> None:
        """The switch was heard."""
        self._pressed_ns = receive_ns if pressed else None

    def released(self, now_ns: int) -> Verdict | None:
        """Stop when the switch is not held."""
        if not self._timeout_ns or (self._pressed_ns is not None and now_ns - self._pressed_ns <= self._timeout_ns):
            return None
        return Verdict(NAME, "the dead-man switch on vla/deadman is not held")
