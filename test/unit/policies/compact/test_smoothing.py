"""Rows of a chunk, smoothed."""

import numpy as np

from vla_ros.policies.compact.smoothing import smooth


def test_smoothing_keeps_what_is_committed_and_removes_noise():
    t = np.linspace(0, 1, 31)
    truth = np.column_stack([t**3, np.sin(2 * t)])
    rng = np.random.default_rng(0)
    rows = truth[::2] + rng.normal(0, 0.002, (16, 2))
    points = smooth(rows, 2, truth[:5])
    np.testing.assert_array_equal(points[:5], truth[:5])
    assert np.abs(points - truth).max() < 0.01
    assert np.abs(np.diff(points, 3, axis=0)).max() < 0.2 * np.abs(np.diff(np.repeat(rows, 2, 0)[1:], 3, axis=0)).max()
