"""Appearances vary inside their bounds, and only in what is asked for."""

from __future__ import annotations

import colorsys

import numpy as np

from vla_ros.sim.appearance import CAMERA_TURN_RAD, WRIST_SHIFT_M, Appearance, sample_appearance, sample_shade


def test_nothing_varies_unless_asked_for() -> None:
    assert sample_appearance(np.random.default_rng(0), surfaces=False, cameras=False) == Appearance()


def test_cameras_alone_leave_the_surfaces() -> None:
    for seed in range(20):
        varied = sample_appearance(np.random.default_rng(seed), surfaces=False, cameras=True)
        assert (varied.table, varied.wall, varied.brightness) == (Appearance().table, Appearance().wall, 1.0)
        assert 0 < np.linalg.norm(varied.wrist[:3]) <= WRIST_SHIFT_M
        assert 0 < np.linalg.norm(varied.front[3:]) <= CAMERA_TURN_RAD


def test_a_shade_keeps_its_hue() -> None:
    red = (0.85, 0.07, 0.06)
    for seed in range(40):
        shade = sample_shade(np.random.default_rng(seed), red)
        turn = (colorsys.rgb_to_hsv(*shade)[0] - colorsys.rgb_to_hsv(*red)[0] + 0.5) % 1.0 - 0.5
        assert abs(turn) < 0.016 and all(0.0 <= part <= 1.0 for part in shade)
