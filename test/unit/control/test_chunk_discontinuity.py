"""The jump of velocity and acceleration from one chunk to the next."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vla_ros.control.chunk_discontinuity import chunk_discontinuity
from vla_ros.policies.contract import Chunk

DT_S = 0.02
DT_NS = 20_000_000


def ramp(start_ns: int, first: float, points: int = 20, slope: float = 0.01) -> Chunk:
    rows = first + slope * np.arange(points)
    return Chunk(np.column_stack([rows, -rows]), DT_S, start_ns)


def test_the_jump_between_chunks_is_measured() -> None:
    smooth = chunk_discontinuity(ramp(0, 0.0), ramp(4 * DT_NS, 0.04), 6 * DT_NS)
    assert smooth == pytest.approx((0.0, 0.0), abs=1e-9)
    velocity, acceleration = chunk_discontinuity(ramp(0, 0.0), ramp(4 * DT_NS, 0.05), 6 * DT_NS)
    assert velocity == pytest.approx(0.01 / DT_S)
    assert acceleration == pytest.approx(0.01 / DT_S**2)


def test_it_is_measured_where_the_paths_part() -> None:
    previous, points = ramp(0, 0.0), ramp(4 * DT_NS, 0.04).positions.copy()
    points[5:] += 0.01 * np.array([1, -1])  # the five points before are the prefix, and the same
    chunk = Chunk(points, DT_S, 4 * DT_NS, prefix_length=5)
    assert chunk_discontinuity(previous, chunk, 6 * DT_NS)[0] == pytest.approx(0.01 / DT_S)


def test_chunks_that_do_not_overlap_there_have_none() -> None:
    assert all(map(math.isnan, chunk_discontinuity(ramp(0, 0.0), ramp(200 * DT_NS, 0.0), 200 * DT_NS)))
    assert all(map(math.isnan, chunk_discontinuity(ramp(0, 0.0), ramp(0, 0.0), 199 * DT_NS)))
