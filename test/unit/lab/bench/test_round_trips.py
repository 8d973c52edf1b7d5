"""An answer shows its observation, and an answer to another observation is an error."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.lab.bench.round_trips import (
    CAMERAS,
    COLUMNS,
    JOINTS,
    ROWS,
    RoundTripResult,
    measure_round_trips,
    no_op,
    observations,
)


def test_the_chunk_shows_the_observation() -> None:
    chunk = no_op(np.arange(7.0))
    assert chunk.shape == (ROWS, COLUMNS)
    assert chunk[-1].tolist() == [0, 1, 2, 3, 4, 5, 6, 0]
    assert set(observations(3, 1)(2).images) == set(CAMERAS)
    assert observations(3, 1)(2).joints.tolist() == [2.0] * JOINTS


def test_an_answer_to_another_observation_is_an_error() -> None:
    assert measure_round_trips("echo", lambda observation: no_op(observation.joints), [], 20, 1).latencies_s
    with pytest.raises(RuntimeError, match="stuck: round trip 1 came back with"):
        measure_round_trips("stuck", lambda observation: no_op(np.zeros(7)), [], 20, 1)


def test_an_answer_of_another_shape_is_an_error() -> None:
    with pytest.raises(RuntimeError, match=r"short: round trip 0 came back with \(2, 8\)"):
        measure_round_trips("short", lambda observation: no_op(observation.joints)[:2], [], 20, 1)


def test_times_are_shown_in_ms_and_the_rate_per_s() -> None:
    row = RoundTripResult("x", [0.001, 0.003], 0.5, 0.002, 0.004).row()
    assert (row["p50_ms"], row["max_ms"], row["per_s"]) == pytest.approx((1.0, 3.0, 4.0))
    assert (row["client_cpu_ms"], row["server_cpu_ms"]) == pytest.approx((2.0, 4.0))


def test_images_are_noise_that_depends_on_the_seed_alone() -> None:
    first, same, other = (observations(2, seed)(1).images["front"] for seed in (1, 1, 2))
    assert (first == same).all() and (first != other).mean() > 0.9
