"""Weights and gain of the guidance, against the formulas of arXiv 2506.07339."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vla_ros.policies.split.real_time_chunking import SCHEDULES, guidance_gain, prefix_weights


def test_weights_fall_from_the_prefix_to_the_free_rows() -> None:
    weights = prefix_weights(3, 8, 12, "exponential")
    assert (weights[:3] == 1.0).all()
    assert (weights[8:] == 0.0).all()
    assert (np.diff(weights[2:9]) < 0).all()
    c = (8 - 5) / (8 - 3 + 1)
    assert weights[5] == pytest.approx(c * (math.exp(c) - 1) / (math.e - 1))
    assert prefix_weights(3, 8, 12, "linear")[5] == pytest.approx(c)
    assert prefix_weights(3, 8, 12, "ones").tolist() == [1.0] * 8 + [0.0] * 4
    assert prefix_weights(3, 8, 12, "zeros").tolist() == [1.0] * 3 + [0.0] * 9


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("prefix_length", range(0, 9))
@pytest.mark.parametrize("overlap", range(0, 12))
def test_weights_are_bounded_and_never_rise(prefix_length: int, overlap: int, schedule: str) -> None:
    weights = prefix_weights(prefix_length, overlap, 8, schedule)
    assert weights.shape == (8,)
    assert ((weights >= 0.0) & (weights <= 1.0)).all()
    assert (np.diff(weights) <= 0).all()
    assert (weights[min(overlap, 8) :] == 0.0).all()
    assert (weights[: min(prefix_length, overlap, 8)] == 1.0).all()


def test_the_gain_is_clipped_at_the_noise_and_falls_to_the_actions() -> None:
    assert guidance_gain(0.0, 5.0) == 5.0
    assert guidance_gain(0.5, 5.0) == pytest.approx(0.5 / 0.5 * (0.25 + 0.25) / 0.25)
    assert guidance_gain(0.01, 5.0) == 5.0
    assert guidance_gain(0.9, 50.0) == pytest.approx(0.1 / 0.9 * (0.81 + 0.01) / 0.01)
