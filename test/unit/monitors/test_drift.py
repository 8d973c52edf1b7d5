"""Drift: images and joints unlike the training data, for longer than a moment."""

from __future__ import annotations

import numpy as np
import pytest

from test.unit.monitors.watching import JOINTS, STATS, Q, S, image, monitors, see
from vla_ros.monitors.drift import Drift
from vla_ros.monitors.monitor_parameters import DriftParameters
from vla_ros.monitors.training_statistics import parse_statistics
from vla_ros.perception.frames import CameraHealth, CameraView


def test_images_and_joints_like_those_of_the_training_are_fine() -> None:
    watching = monitors(parse_statistics(STATS, JOINTS))
    see(watching, 3, image(0.47))
    assert watching.warnings() == {}


@pytest.mark.parametrize(
    ("front", "q", "words"),
    [
        (image(0.85), Q, "blue is"),
        (image(0.05), Q, "sigma off"),
        (image(0.47, 0.03), Q, "contrast is"),
        (image(0.47), np.array([1.5, 1.0]), "shoulder at 1.50 was never there (-1.00 to 1.00)"),
        (image(0.47), np.array([0.0, -0.3]), "elbow at -0.30"),
    ],
)
def test_what_was_never_there_is_drift(front: np.ndarray, q: np.ndarray, words: str) -> None:
    watching = monitors(parse_statistics(STATS, JOINTS))
    see(watching, 3, front, q)
    assert words in watching.warnings()["drift"]
    see(watching, 1, image(0.47), Q)
    assert watching.warnings() == {}


def test_a_short_flash_is_no_drift_and_without_statistics_nothing_is() -> None:
    watching = monitors(parse_statistics(STATS, JOINTS))
    for i in range(40):
        watching.on_observation(i * S // 10, {"front": CameraView(image(0.95 if i % 8 == 0 else 0.47))}, Q)
        assert watching.warnings() == {}
    blind = monitors()
    see(blind, 3, image(0.95), np.array([9.0, 9.0]))
    assert blind.warnings() == {}


def test_bad_cameras_and_cameras_that_training_did_not_have_are_not_looked_at() -> None:
    drift = Drift(DriftParameters(), parse_statistics(STATS, JOINTS), JOINTS)
    for i in range(30):
        dark = CameraView(image(0.0), CameraHealth.DARK)
        drift.on_images(i * S // 10, {"front": dark, "wrist": CameraView(image(0.0))})
    assert drift.warning() == ""
