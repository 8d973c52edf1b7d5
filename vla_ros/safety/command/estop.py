"""Rule estop: somebody pressed stop. It is no safety-rated stop; the robot's own e-stop stays the e-stop."""

from __future__ import annotations

from vla_ros.safety.verdict import Verdict

NAME = "estop"


class EStop:
    """The stop button on vla/estop and the heartbeat on vla/estop_heartbeat.

    Args: heartbeat_s: longest silence of the heartbeat; 0: there is none.
    """

    def __init__(self, heartbeat_s: float) -> None:
        self._longest_ns = round(heartbeat_s * 1e9)
        self._beat_ns: int | None = None
        self._held = False

    def signal(self, pressed: bool) -> Verdict | None:
        """The button is pressed or released; pressed, it stops."""
        self._held = pressed
        return self.pressed("topic vla/estop") if pressed else None

    def heartbeat(self, receive_ns: int) -> None:
        """The heartbeat was heard."""
        self._beat_ns = receive_ns

    def silent(self, now_ns: int) -> Verdict | None:
        """Stop when the heartbeat, once heard, is missing. Before that nothing moves: `holds`."""
        if not self._longest_ns or self._beat_ns is None:
            return None
        age_ns = now_ns - self._beat_ns
        if age_ns <= self._longest_ns:
            return None
        silence_s, longest_s = age_ns / 1e9, self._longest_ns / 1e9
        return Verdict(NAME, f"no e-stop heartbeat for {silence_s:.3f} s", requested=silence_s, limit=longest_s)

    def holds(self, now_ns: int) -> str:
        """Why a reset and an arm are refused; empty: nothing holds the stop."""
        if self._held:
            return "the e-stop is still pressed; release it on vla/estop"
        if self._longest_ns and self._beat_ns is None:
            return "no heartbeat yet on vla/estop_heartbeat"
        verdict = self.silent(now_ns)
        return "" if verdict is None else verdict.reason

    @staticmethod
    def pressed(by: str) -> Verdict:
        """The verdict that latches; `by` says who or what pressed."""
        return Verdict(NAME, f"e-stop by {by}")
