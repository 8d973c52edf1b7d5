"""How often the filter acted, and by which rule."""

from __future__ import annotations

from collections import Counter

SPELL_NS = 100_000_000  # ticks of the same rule that are nearer to each other than this are one intervention


class InterventionCounter:
    """Counts in how many ticks each rule of the filter acted, and how often it began to."""

    def __init__(self) -> None:
        self.ticks: Counter[str] = Counter()
        self.begun: Counter[str] = Counter()
        self._last_ns: dict[str, int] = {}

    def add(self, rule: str, now_ns: int, ticks: int = 1) -> None:
        """The rule has acted now, and in so many ticks since the last time."""
        self.ticks[rule] += ticks
        if now_ns - self._last_ns.get(rule, -SPELL_NS) >= SPELL_NS:
            self.begun[rule] += 1
        self._last_ns[rule] = now_ns
