"""Freshness: stamps are neither old nor from the future, and what was received is not too long ago."""

from __future__ import annotations

import math

from vla_ros.safety.finding import Finding


class Freshness:
    """Args: all in ns. timeout: since reception. age, future: of the stamp at reception."""

    name = "freshness"

    def __init__(self, timeout_ns: int, age_ns: int, future_ns: int) -> None:
        self._timeout_ns = timeout_ns
        self._age_ns = age_ns
        self._future_ns = future_ns

    def stamp(self, age_ns: int) -> Finding | None:
        """Judge a stamp that was `age_ns` old at reception (negative: in the future)."""
        if age_ns > self._age_ns:
            return Finding(
                self.name, f"stamp {age_ns / 1e9:.3f} s old", requested=age_ns / 1e9, limit=self._age_ns / 1e9
            )
        if -age_ns > self._future_ns:
            return Finding(
                self.name,
                f"stamp {-age_ns / 1e9:.3f} s in the future: clocks disagree",
                requested=age_ns / 1e9,
                limit=-self._future_ns / 1e9,
            )
        return None

    def silence(self, since_ns: int | None) -> Finding | None:
        """Judge the time since the newest valid command; None: there was none."""
        if since_ns is None or since_ns > self._timeout_ns:
            seconds = math.nan if since_ns is None else since_ns / 1e9
            return Finding(self.name, "no fresh command", requested=seconds, limit=self._timeout_ns / 1e9)
        return None
