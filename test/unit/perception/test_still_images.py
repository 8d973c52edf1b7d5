"""Identical images are those of a frozen camera only where the camera has noise."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vla_ros.perception.still_images import NOISY_CHANGES, StillImages, is_noise

RANDOM = np.random.default_rng(0)
COARSE = RANDOM.integers(30, 220, (16, 16, 3)).astype(np.uint8)
SCENE = cv2.resize(COARSE, (160, 160), interpolation=cv2.INTER_CUBIC)
"""Soft areas of colour, as a table with objects has them."""


def noisy(sigma: float) -> np.ndarray:
    return np.clip(SCENE + RANDOM.normal(0, sigma, SCENE.shape), 0, 255).astype(np.uint8)


def moved(count: int) -> np.ndarray:
    """The scene as a camera without noise sees it that moves by two pixels an image."""
    return np.roll(SCENE, 2 * count, 1)


def taught(images: list[np.ndarray], noise: bool | None = None) -> StillImages:
    stills = StillImages(noise)
    for image in images:
        stills.add(image)
    return stills


@pytest.mark.parametrize("sigma", [0.7, 3.0, 12.0])
def test_the_noise_of_a_sensor_is_learned(sigma: float) -> None:
    assert not taught([noisy(sigma) for _ in range(NOISY_CHANGES)]).noisy
    stills = taught([noisy(sigma) for _ in range(NOISY_CHANGES + 1)])
    assert stills.noisy and stills.identical == 1
    for _ in range(24):
        stills.add(SCENE)
    assert stills.identical == 24 and stills.noisy


def test_noise_that_a_jpeg_has_gone_through_is_learned() -> None:
    def sent() -> np.ndarray:
        return np.asarray(cv2.imdecode(cv2.imencode(".jpg", noisy(3.0))[1], cv2.IMREAD_COLOR))

    assert taught([sent() for _ in range(NOISY_CHANGES + 1)]).noisy


def test_images_that_a_driver_sends_twice_are_no_scene_at_rest() -> None:
    images = [noisy(2.0) for _ in range(NOISY_CHANGES + 1)]
    assert taught([image for image in images for _ in range(2)]).noisy


def test_a_clean_camera_that_moves_has_no_noise() -> None:
    assert not taught([moved(count) for count in range(60)]).noisy


def test_a_clean_camera_of_a_moving_arm_has_no_noise() -> None:
    images = []
    for count in range(60):
        image = SCENE.copy()
        image[40:120, count : count + 60] = 90
        images.append(image)
    assert not taught(images).noisy


def test_light_that_changes_is_no_noise() -> None:
    dimmed = [np.asarray(SCENE * (1 - 0.004 * count), np.uint8) for count in range(40)]
    assert not taught(dimmed).noisy


def test_what_is_told_is_not_learned() -> None:
    assert taught([SCENE], noise=True).noisy
    assert not taught([noisy(3.0) for _ in range(60)], noise=False).noisy


def test_another_size_and_tiny_images_are_no_noise() -> None:
    stills = taught([noisy(2.0)[:size] for size in range(100, 160)])
    assert not stills.noisy and stills.identical == 1
    assert not is_noise(np.zeros((1, 1, 3), np.uint8), np.ones((1, 1, 3), np.uint8))
