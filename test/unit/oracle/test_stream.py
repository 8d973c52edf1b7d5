"""A stream with a period: stamps no longer count, but for gaps, which end a stretch."""

from __future__ import annotations

import numpy as np

from vla_ros.oracle.stream import PICO, Stream


def test_evenly_spaced_samples_are_stamped_in_whole_picoseconds() -> None:
    stream = Stream.evenly_spaced(["a"], np.zeros((4, 1)), 0.004)
    assert stream.stamps_ps.tolist() == [0, PICO // 250, 2 * PICO // 250, 3 * PICO // 250]
    assert (stream.period_ps, stream.from_rest) == (PICO // 250, True)


def test_with_a_period_a_stretch_ends_at_a_gap_and_where_stamps_go_back() -> None:
    stamps = np.array([0, 4, 9, 12, 100, 104, 50, 54], np.int64) * (PICO // 1000)
    stream = Stream(("a",), stamps, np.zeros((8, 1)), starts=(0, 2)).with_period(0.004, from_rest=True)
    assert stream.starts == (0, 2, 4, 6)
    assert stream.period_ps == PICO // 250
    assert stream.from_rest


def test_without_a_period_the_stamps_count() -> None:
    stream = Stream(("a",), np.array([0, 5], np.int64), np.zeros((2, 1))).with_period(0.0, from_rest=False)
    assert (stream.period_ps, stream.starts) == (0, (0,))
