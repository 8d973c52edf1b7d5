"""Camera images to the pixels that the two vision backbones see.

Source: openvla/openvla (c8f03f4), prismatic/extern/hf/processing_prismatic.py (`apply_transform`) and `crop_and_resize` of
experiments/robot/openvla_utils.py; moojink/openvla-oft (213c5ff), `resize_image_for_policy` and `center_crop_image` there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Image

STRATEGIES = ("resize-naive", "resize-crop", "letterbox")
CROP_AREA = 0.9
"""Share of the area that a centre crop keeps: training cropped at random to this share."""


@dataclass(frozen=True)
class BackboneImage:
    """What one vision backbone is shown.

    Attributes:
        size: rows and columns, pixel.
        mean, std: of each colour, in [0, 1]: a pixel becomes (value / 255 - mean) / std.
        interpolation: "bicubic", "bilinear" or "lanczos".
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    interpolation: str = "bicubic"


def pixels(image: Image, backbones: Sequence[BackboneImage], strategy: str) -> NDArray[np.float32]:
    """Return (3 * backbones, size, size): the image as each backbone sees it, one after the other.

    Args:
        image: (H, W, 3) rgb.
        backbones: all of one size; the first of a fused model is DINOv2, the second SigLIP.
        strategy: "resize-naive" stretches the image to a square; "letterbox" pads it to a square in the last backbone's mean
            colour; "resize-crop" takes the middle square.
    """
    import PIL.Image

    picture = PIL.Image.fromarray(np.ascontiguousarray(image))
    if strategy == "letterbox":
        picture = PIL.Image.fromarray(_letterbox(image, backbones[-1].mean))
    planes = []
    for backbone in backbones:
        how = PIL.Image.Resampling[backbone.interpolation.upper()]
        width, height = picture.size
        size = backbone.size
        if strategy == "resize-naive":
            shown = picture.resize((size, size), how)
        else:
            short = min(width, height)
            shown = picture.resize((int(size * width / short), int(size * height / short)), how)
        square = _middle(np.asarray(shown, np.float32) / np.float32(255), size)
        normalised = (square - np.array(backbone.mean, np.float32)) / np.array(backbone.std, np.float32)
        planes.append(normalised.transpose(2, 0, 1))
    return np.ascontiguousarray(np.concatenate(planes), np.float32)


def resized(image: Image, size: int) -> Image:
    """Return (size, size, 3): by Lanczos' filter over 3 lobes with antialiasing, as training data were resized."""
    import PIL.Image

    if image.shape[:2] == (size, size):
        return image
    picture = PIL.Image.fromarray(np.ascontiguousarray(image))
    shown: Image = np.asarray(picture.resize((size, size), PIL.Image.Resampling.LANCZOS))
    return shown


def center_cropped(image: Image, size: int) -> Image:
    """Return (size, size, 3): the middle CROP_AREA of the area, sampled bilinearly from corner to corner.

    Output row i of size shows the image's row y0 + i (y1 - y0) / (size - 1), with y0, y1 = (1 ∓ sqrt(CROP_AREA)) / 2 (H - 1);
    columns alike. A sample s in [0, 1] becomes floor(255.5 s).

    Source: TensorFlow's crop_and_resize and convert_image_dtype, which the authors' code calls.
    """
    values = image.astype(np.float64) / 255
    for axis in (0, 1):
        length = values.shape[axis]
        share = np.sqrt(CROP_AREA)
        at = (length - 1) * np.linspace((1 - share) / 2, (1 + share) / 2, size)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, length - 1)
        weight = (at - low).reshape([-1 if dimension == axis else 1 for dimension in range(3)])
        values = np.take(values, low, axis) * (1 - weight) + np.take(values, high, axis) * weight
    cropped: Image = np.floor(np.clip(values, 0, 1) * 255.5).clip(0, 255).astype(np.uint8)
    return cropped


def _letterbox(image: Image, mean: Sequence[float]) -> Image:
    height, width = image.shape[:2]
    longest = max(height, width)
    top, left = (longest - height) // 2, (longest - width) // 2
    padded = np.empty((height + 2 * top, width + 2 * left, 3), np.uint8)
    padded[:] = [int(value * 255) for value in mean]
    padded[top : top + height, left : left + width] = image
    return padded


def _middle(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    top, left = (round((extent - size) / 2) for extent in values.shape[:2])
    return values[top : top + size, left : left + size]
