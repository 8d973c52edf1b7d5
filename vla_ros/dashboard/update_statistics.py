"""How regularly the page is updated, and what it costs."""

from __future__ import annotations

import time

from vla_ros.time import NS_PER_S, Rate, Window

WINDOW = 200


class UpdateStatistics:
    """Measures updates of the page.

    Args:
        rate_hz: planned updates per second.
    """

    def __init__(self, rate_hz: float) -> None:
        self._period_s = 1.0 / rate_hz
        self._rate = Rate(self._period_s, 0.5 * self._period_s, WINDOW)
        self._duration_s = Window(WINDOW)
        self._cpu = time.process_time(), time.monotonic()

    def begin(self, now_ns: int) -> None:
        """Note the start of an update; monotonic."""
        self._rate.tick(now_ns)

    def end(self, begun_ns: int, now_ns: int) -> None:
        """Note the end of an update; monotonic."""
        self._duration_s.add((now_ns - begun_ns) / NS_PER_S)

    @property
    def late(self) -> bool:
        """Whether updates take more than half of their period (p95)."""
        return self._duration_s.summary().p95 > 0.5 * self._period_s

    def values(self) -> dict[str, object]:
        """Return the values for /diagnostics; cpu_percent is that of one core since the last call."""
        before, self._cpu = self._cpu, (time.process_time(), time.monotonic())
        return {
            "rate_hz": self._rate.hz,
            "deadline_misses": self._rate.misses,
            "period_error_p95_ms": self._rate.errors().p95 * 1e3,
            "renewal_p95_ms": self._duration_s.summary().p95 * 1e3,
            "cpu_percent": 100 * (self._cpu[0] - before[0]) / (self._cpu[1] - before[1]),
        }
