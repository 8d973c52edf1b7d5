"""Rows of a chunk as a mean of all chunks that have predicted their time."""

from __future__ import annotations

import math

import numpy as np

from vla_ros.policies.lerobot.temporal_ensemble import TemporalEnsemble

ROW_NS = 100_000_000


def test_the_first_chunk_is_itself() -> None:
    chunk = np.arange(8.0).reshape(4, 2)
    assert (TemporalEnsemble(0.01, 10.0).add(5, chunk) == chunk).all()


def test_weights_fall_from_the_oldest_prediction_on() -> None:
    ensemble = TemporalEnsemble(0.5, 10.0)
    for k in range(3):
        mean = ensemble.add(k * ROW_NS, np.full((3, 1), float(k)))
    w = [1.0, math.exp(-0.5), math.exp(-1.0)]
    first = (0 * w[0] + 1 * w[1] + 2 * w[2]) / sum(w)
    second = (1 * w[0] + 2 * w[1]) / (w[0] + w[1])
    assert np.allclose(mean[:, 0], [first, second, 2.0])


def test_between_rows_lies_a_straight_line() -> None:
    ensemble = TemporalEnsemble(0.0, 10.0)
    ensemble.add(0, np.array([[0.0], [1.0], [2.0]]))
    mean = ensemble.add(ROW_NS // 2, np.array([[10.0], [10.0], [10.0]]))
    assert np.allclose(mean[:, 0], [(0.5 + 10.0) / 2, (1.5 + 10.0) / 2, 10.0])


def test_chunks_that_are_over_or_of_another_instruction_are_forgotten() -> None:
    ensemble = TemporalEnsemble(0.0, 10.0)
    ensemble.add(0, np.zeros((2, 1)))
    assert (ensemble.add(2 * ROW_NS, np.ones((2, 1))) == 1.0).all()
    ensemble.clear()
    assert (ensemble.add(3 * ROW_NS, np.zeros((2, 1))) == 0.0).all()


def test_a_pause_whose_end_cannot_be_seen_ends_when_it_was_predicted_to() -> None:
    """From before the pause: it ends at row 3. In it, every new chunk begins with the whole pause."""
    ensemble, moves = TemporalEnsemble(0.01, 10.0), np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0])[:, None]
    first = [float(ensemble.add(k * ROW_NS, moves)[0, 0]) for k in range(6)]
    assert first[:3] == [0.0, 0.0, 0.0]
    assert first[3] > 0.2 and first[5] > 0.4
