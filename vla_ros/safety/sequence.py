"""Sequence: the commands of a source count up, and their stamps too; repeats and steps back are refused."""

from __future__ import annotations

from vla_ros.safety.finding import Finding


class Sequence:
    """One source's numbers. A gap is allowed: a lost command is not a fault of the next one."""

    name = "sequence"

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Accept any number next: the source was silent long enough to have been restarted."""
        self._seq = -1
        self._stamp_ns: int | None = None

    def check(self, seq: int, stamp_ns: int) -> Finding | None:
        if seq <= self._seq:
            return Finding(self.name, f"number {seq} after {self._seq}", requested=float(seq), limit=float(self._seq + 1))
        if self._stamp_ns is not None and stamp_ns <= self._stamp_ns:
            return Finding(self.name, "stamp not after the one before")
        self._seq, self._stamp_ns = seq, stamp_ns
        return None
