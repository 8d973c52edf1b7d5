"""Chunks: when they end, when their prefix ends, and what an arm at rest goes on from."""

from __future__ import annotations

import numpy as np

from vla_ros.policies.contract import MOTION_ROWS, Chunk

DT_S, DT_NS = 0.02, 20_000_000


def test_a_chunk_ends_with_its_last_row_and_its_prefix_with_the_last_row_taken_over() -> None:
    chunk = Chunk(np.zeros((10, 2)), DT_S, 5 * DT_NS, prefix_length=4)
    assert (chunk.end_ns, chunk.prefix_end_ns) == (14 * DT_NS, 8 * DT_NS)
    assert Chunk(np.zeros((10, 2)), DT_S, 5 * DT_NS).prefix_end_ns == 4 * DT_NS


def test_an_arm_at_rest_goes_on_from_equal_rows_that_nobody_plays() -> None:
    q = np.array([0.3, -0.2])
    rest = Chunk.rest(q, 7)
    assert rest.positions.tolist() == [[0.3, -0.2]] * MOTION_ROWS
    assert (rest.start_ns, rest.chunk_id) == (7, 0)
