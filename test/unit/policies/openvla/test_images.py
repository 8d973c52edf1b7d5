"""Pixels by hand: colours, order of the channels, the three ways to make a square, the centre crop."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.policies.openvla.images import BackboneImage, center_cropped, pixels, resized

pytest.importorskip("PIL")
DINO = BackboneImage(8, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
SIGLIP = BackboneImage(8, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def test_a_colour_is_normalised_for_each_backbone_first_dino_then_siglip() -> None:
    image = np.empty((12, 16, 3), np.uint8)
    image[:] = (255, 0, 102)
    seen = pixels(image, (DINO, SIGLIP), "resize-naive")
    assert seen.shape == (6, 8, 8)
    assert seen.dtype == np.float32
    wanted = [(1 - 0.485) / 0.229, (0 - 0.456) / 0.224, (0.4 - 0.406) / 0.225, 1.0, -1.0, -0.2]
    assert np.allclose(seen, np.array(wanted)[:, None, None], atol=1e-6)


def _half() -> np.ndarray:
    """Return an image of 8 x 16 that is black left and white right, with a red first column."""
    image = np.zeros((8, 16, 3), np.uint8)
    image[:, 8:] = 255
    image[:, 0] = (255, 0, 0)
    return image


def test_naive_stretches() -> None:
    seen = pixels(_half(), (SIGLIP,), "resize-naive")
    assert np.allclose(seen[:, :, -2:], 1.0, atol=1e-6)
    assert seen[0, 4, 0] > seen[1, 4, 0]  # the red column is still there


def test_crop_takes_the_middle() -> None:
    seen = pixels(_half(), (SIGLIP,), "resize-crop")
    assert np.allclose(seen[:, :, :4], -1.0, atol=1e-6)
    assert np.allclose(seen[:, :, 4:], 1.0, atol=1e-6)


def test_letterbox_pads_above_and_below_in_the_last_mean_colour() -> None:
    last = BackboneImage(8, (0.25, 0.5, 0.75), (1.0, 1.0, 1.0))
    image = np.full((16, 32, 3), 255, np.uint8)
    seen = pixels(image, (BackboneImage(8, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)), last), "letterbox")
    border = np.array([63, 127, 191]) / 255
    assert np.allclose(seen[:3, 0, :], border[:, None], atol=0.02)  # bicubic undershoots at an edge
    assert np.allclose(seen[:3, -1, :], border[:, None], atol=0.02)
    assert np.allclose(seen[:3, 4, :], 1.0, atol=0.02)


def test_the_crop_keeps_nine_tenths_of_the_area() -> None:
    ramp = np.repeat(np.linspace(0, 255, 101).round().astype(np.uint8)[None, :, None], 3, axis=2).repeat(101, axis=0)
    seen = center_cropped(ramp, 41)
    share = np.sqrt(0.9)
    ends = np.array([(1 - share) / 2, (1 + share) / 2]) * 255
    assert np.abs(seen[20, [0, -1], 0] - ends).max() <= 1.5
    assert np.abs(seen[20, 20, 0] - 127.5) <= 1.5
    steps = np.diff(seen[20, :, 0].astype(int))
    assert steps.min() >= 5
    assert steps.max() <= 7  # 255 * sqrt(0.9) / 40 = 6.05


def test_a_crop_of_one_colour_is_that_colour() -> None:
    for value in (0, 1, 127, 254, 255):
        assert (center_cropped(np.full((9, 7, 3), value, np.uint8), 5) == value).all()


def test_an_image_of_the_right_size_is_not_resized() -> None:
    image = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)
    assert resized(image, 8) is image
    assert resized(np.full((20, 30, 3), 77, np.uint8), 8).tolist() == np.full((8, 8, 3), 77).tolist()
