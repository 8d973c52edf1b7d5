"""Rates and ages as measured numbers: period error, deadline misses, percentiles over a sliding window; values by stamp.

Times are integers in nanoseconds and come from the caller; nothing here reads a clock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

NS_PER_S = 1_000_000_000
CLOCK_JUMP_NS = 50_000_000
"""A simulated clock whose offset changes by more than this has been set."""


def percentile(values: Iterable[float], share: float) -> float:
    """Nearest-rank percentile of `values` (share in 0..1); NaN when there are none."""
    ordered = sorted(values)
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True)
class Summary:
    """Percentiles of a window, in the unit of what was recorded; NaN when it is empty."""

    count: int
    p50: float
    p95: float
    p99: float
    largest: float


class Window:
    """The newest `size` values of one quantity, e.g. an age in s."""

    def __init__(self, size: int = 1000) -> None:
        self._values: deque[float] = deque(maxlen=size)

    def add(self, value: float) -> None:
        """Add the newest value."""
        self._values.append(value)

    def summary(self) -> Summary:
        """Return the percentiles of the values."""
        ordered = sorted(self._values)
        if not ordered:
            return Summary(0, math.nan, math.nan, math.nan, math.nan)
        return Summary(
            len(ordered), percentile(ordered, 0.5), percentile(ordered, 0.95), percentile(ordered, 0.99), ordered[-1]
        )


class StampedBuffer(Generic[T]):
    """The newest `size` values of something that is stamped, looked up by time."""

    def __init__(self, size: int) -> None:
        self._values: deque[tuple[int, T]] = deque(maxlen=size)

    def add(self, stamp_ns: int, value: T) -> None:
        """Add the newest value; stamp_ns: its time, ns."""
        self._values.appendleft((stamp_ns, value))

    def nearest(self, stamp_ns: int) -> T | None:
        """Return the value stamped nearest to `stamp_ns`; of several equally near, the newest; None when there is none."""
        found = min(self._values, key=lambda stamped: abs(stamped[0] - stamp_ns), default=None)
        return None if found is None else found[1]

    def around(self, stamp_ns: int) -> tuple[tuple[int, T], tuple[int, T]] | None:
        """Return the stamped values next to a moment, the older first; the newest twice where it is older than the moment.

        None: there is none, or all are newer.
        """
        newer = self._values[0] if self._values else None
        for stamped in self._values:
            if stamped[0] <= stamp_ns:
                return stamped, newer if newer is not None and newer[0] > stamp_ns else stamped
            newer = stamped
        return None


class SimulatedClockOffset:
    """Offset of a simulated clock from the monotonic one: the largest of the newest 25 readings.

    /clock arrives in steps and late, so every reading is too small by its delay.
    """

    def __init__(self) -> None:
        self._values: deque[int] = deque(maxlen=25)

    def ahead_ns(self, ros_ns: int, now_ns: int) -> int:
        """Add a reading of both clocks, ns, and return the offset, ns; after a jump older readings do not count."""
        read_ns = ros_ns - now_ns
        if self._values and abs(read_ns - max(self._values)) > CLOCK_JUMP_NS:
            self._values.clear()
        self._values.append(read_ns)
        return max(self._values)


class Rate:
    """How well something that should happen every `period_s` keeps its period.

    Args:
        period_s: nominal period, s.
        tolerance_s: an interval that is off by more counts as a deadline miss, s.
        size: number of intervals that the percentiles look back on.
    """

    def __init__(self, period_s: float, tolerance_s: float, size: int = 2000) -> None:
        self.period_s = period_s
        self.tolerance_s = tolerance_s
        self.ticks = 0
        self.misses = self._reported_misses = 0
        self._last_ns: int | None = None
        self._errors_s = Window(size)
        self._times_ns: deque[int] = deque(maxlen=size)

    def tick(self, now_ns: int) -> None:
        """Record one occurrence at `now_ns`, ns of any monotonic clock."""
        if self._last_ns is not None:
            error_s = abs((now_ns - self._last_ns) / NS_PER_S - self.period_s)
            self._errors_s.add(error_s)
            self.misses += error_s > self.tolerance_s
        self._last_ns = now_ns
        self._times_ns.append(now_ns)
        self.ticks += 1

    def pause(self) -> None:
        """Leave out the interval to the next tick, and start the mean rate anew: nothing is due meanwhile."""
        self._last_ns = None
        self._times_ns.clear()

    @property
    def hz(self) -> float:
        """Mean rate over the window since the last pause, Hz; NaN before its second tick."""
        if len(self._times_ns) < 2 or self._times_ns[-1] == self._times_ns[0]:
            return math.nan
        return (len(self._times_ns) - 1) * NS_PER_S / (self._times_ns[-1] - self._times_ns[0])

    def errors(self) -> Summary:
        """Return the percentiles of the absolute period error over the window, s."""
        return self._errors_s.summary()

    def newly_missed(self) -> int:
        """Return the deadlines missed since the last call."""
        newly, self._reported_misses = self.misses - self._reported_misses, self.misses
        return newly

    def values(self) -> dict[str, object]:
        """Return the rate, misses and period errors for /diagnostics."""
        errors = self.errors()
        return {
            "rate_hz": self.hz,
            "deadline_misses": self.misses,
            "period_error_p50_ms": 1e3 * errors.p50,
            "period_error_p99_ms": 1e3 * errors.p99,
        }
