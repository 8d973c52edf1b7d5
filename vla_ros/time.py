"""Rates and ages as measured numbers: period error, deadline misses, percentiles over a sliding window.

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
CLOCK_SET_NS = 50_000_000
"""A simulated clock that differs by more than this from what was expected has been set."""


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
    """The newest `size` values of one quantity, e.g. an age in seconds."""

    def __init__(self, size: int = 1000) -> None:
        self._values: deque[float] = deque(maxlen=size)

    def add(self, value: float) -> None:
        self._values.append(value)

    def summary(self) -> Summary:
        ordered = sorted(self._values)
        if not ordered:
            return Summary(0, math.nan, math.nan, math.nan, math.nan)
        return Summary(
            len(ordered), percentile(ordered, 0.5), percentile(ordered, 0.95), percentile(ordered, 0.99), ordered[-1]
        )


class Moments(Generic[T]):
    """The newest `size` values of something that is stamped, to be looked up by time."""

    def __init__(self, size: int) -> None:
        self._values: deque[tuple[int, T]] = deque(maxlen=size)

    def add(self, stamp_ns: int, value: T) -> None:
        self._values.appendleft((stamp_ns, value))

    def nearest(self, stamp_ns: int) -> T | None:
        """Return the value stamped nearest to `stamp_ns`, of several the newest; None when there is none."""
        found = min(self._values, key=lambda stamped: abs(stamped[0] - stamp_ns), default=None)
        return None if found is None else found[1]


class SimulatedOffset:
    """What a simulated clock is ahead of the monotonic one. It comes in steps and late, so the most of the newest counts."""

    def __init__(self) -> None:
        self._values: deque[int] = deque(maxlen=25)

    def ahead_ns(self, ros_ns: int, now_ns: int) -> int:
        """Take in a reading of both clocks; a clock that was set is believed at once."""
        read_ns = ros_ns - now_ns
        if self._values and abs(read_ns - max(self._values)) > CLOCK_SET_NS:
            self._values.clear()
        self._values.append(read_ns)
        return max(self._values)


class Rate:
    """How well something that should happen every `period_s` keeps its period.

    Args:
        period_s: nominal period, second.
        tolerance_s: an interval that is off by more counts as a deadline miss, second.
        size: number of intervals that the percentiles look back on.
    """

    def __init__(self, period_s: float, tolerance_s: float, size: int = 2000) -> None:
        self.period_s = period_s
        self.tolerance_s = tolerance_s
        self.ticks = 0
        self.misses = self._told = 0
        self._last_ns: int | None = None
        self._errors_s = Window(size)
        self._times_ns: deque[int] = deque(maxlen=size)

    def tick(self, now_ns: int) -> None:
        """Note one occurrence at `now_ns`, nanosecond on any monotonic clock."""
        if self._last_ns is not None:
            error_s = abs((now_ns - self._last_ns) / NS_PER_S - self.period_s)
            self._errors_s.add(error_s)
            self.misses += error_s > self.tolerance_s
        self._last_ns = now_ns
        self._times_ns.append(now_ns)
        self.ticks += 1

    def pause(self) -> None:
        """The next interval does not count, and the rate begins anew: nothing is meant to happen meanwhile."""
        self._last_ns = None
        self._times_ns.clear()

    @property
    def hz(self) -> float:
        """Mean rate over the window since the last pause; NaN before its second tick."""
        if len(self._times_ns) < 2 or self._times_ns[-1] == self._times_ns[0]:
            return math.nan
        return (len(self._times_ns) - 1) * NS_PER_S / (self._times_ns[-1] - self._times_ns[0])

    def errors(self) -> Summary:
        """Absolute period error over the window, second."""
        return self._errors_s.summary()

    def newly_missed(self) -> int:
        """Deadlines missed since this was last asked."""
        newly, self._told = self.misses - self._told, self.misses
        return newly

    def values(self) -> dict[str, object]:
        """For /diagnostics."""
        errors = self.errors()
        return {
            "rate_hz": self.hz,
            "deadline_misses": self.misses,
            "period_error_p50_ms": 1e3 * errors.p50,
            "period_error_p99_ms": 1e3 * errors.p99,
        }
