"""A recorded stream of joint positions, as the oracle takes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array

Integers = NDArray[np.int64]

PICO = 1_000_000_000_000
GAP = 10.0
"""An interval of more than so many usual ones is a gap."""


@dataclass(frozen=True)
class StreamFault:
    """What no stream of commands may hold. joint: empty for all; count: of samples; time_s: of the first."""

    what: str
    joint: str
    time_s: float
    count: int = 1


@dataclass(frozen=True)
class Stream:
    """Positions of some joints at N stamps.

    Stamps are whole picoseconds, so that their differences are exact; differences are what the oracle divides by.

    names: of the joints. stamps_ps: (N,) since the first sample. positions: (N, len(names)), rad or m; NaN counts as a
    fault. half_unit: largest rounding of a written position, per joint, beyond that of a float64. starts: rising indices
    at which a stretch begins that has nothing to do with the sample before; the first is 0. period_ps: samples of a
    stretch lie so far apart, whatever their stamps say; 0: their stamps count. rests: start of a stretch → where each joint
    stood before its first sample. from_rest: every other stretch begins at rest, where its first sample is. faults, notes:
    what the reader already found.
    """

    names: tuple[str, ...]
    stamps_ps: Integers
    positions: Array
    half_unit: tuple[float, ...] = ()
    starts: tuple[int, ...] = (0,)
    period_ps: int = 0
    rests: Mapping[int, Sequence[float]] = field(default_factory=dict)
    from_rest: bool = False
    faults: tuple[StreamFault, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @staticmethod
    def evenly_spaced(names: Sequence[str], positions: Array, period_s: float, from_rest: bool = True) -> Stream:
        """Return a stream with one sample per period.

        Args:
            names: of the joints.
            positions: (N, len(names)), rad or m.
            period_s: from sample to sample.
            from_rest: the arm stood at the first sample before it.
        """
        period_ps = round(period_s * PICO)
        stamps = np.arange(len(positions), dtype=np.int64) * period_ps
        return Stream(tuple(names), stamps, np.asarray(positions, np.float64), period_ps=period_ps, from_rest=from_rest)

    def with_period(self, period_s: float, from_rest: bool) -> Stream:
        """Return the same samples, `period_s` apart within each stretch, which then ends at a gap; 0: as they are stamped."""
        stream = dataclasses.replace(self, from_rest=from_rest)
        if not period_s:
            return stream
        period_ps = round(period_s * PICO)
        steps = np.diff(self.stamps_ps)
        gaps = (np.flatnonzero((steps > GAP * period_ps) | (steps < 0)) + 1).tolist()
        return dataclasses.replace(stream, period_ps=period_ps, starts=tuple(sorted({*self.starts, *gaps})))
