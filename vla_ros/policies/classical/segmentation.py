"""Coloured segments of an image, by hue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array, Image
from vla_ros.perception.pinhole import PinholeCamera

Mask: TypeAlias = NDArray[np.bool_]
"""(H, W)."""

HUES: dict[str, tuple[float, float]] = {
    "red": (345.0, 15.0),
    "orange": (15.0, 41.0),
    "yellow": (41.0, 70.0),
    "green": (85.0, 160.0),
    "bowl": (165.0, 200.0),
    "blue": (205.0, 252.0),
    "purple": (252.0, 300.0),
    "plate": (308.0, 342.0),
}
"""Colour, or container → hue in degrees, from (inclusive) to (exclusive)."""
MIN_SATURATION = 0.45
MIN_VALUE = 0.12
MIN_PIXELS = 24
"""Of a segment. Smaller ones are noise, or a sliver behind something."""


@dataclass(frozen=True)
class Segment:
    """Connected pixels of one colour.

    Attributes:
        colour: key of `HUES`.
        mask: (H, W).
        pixels: how many.
        centre: (2,) mean pixel.
        whole: whether it is off the border of the image.
    """

    colour: str
    mask: Mask
    pixels: int
    centre: Array
    whole: bool


def segment_image(image: Image, hues: dict[str, tuple[float, float]] = HUES) -> list[Segment]:
    """Return the coloured segments of an rgb image (H, W, 3), largest first."""
    hsv = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hue, vivid = hsv[..., 0], (hsv[..., 1] >= MIN_SATURATION) & (hsv[..., 2] >= MIN_VALUE)
    found = []
    for colour, (start, end) in hues.items():
        inside = (hue >= start) & (hue < end) if start < end else (hue >= start) | (hue < end)
        count, labels, stats, centres = cv2.connectedComponentsWithStats((vivid & inside).astype(np.uint8))
        for label in range(1, count):
            left, top, width, height, pixels = stats[label]
            if pixels < MIN_PIXELS:
                continue
            whole = left > 0 and top > 0 and left + width < image.shape[1] and top + height < image.shape[0]
            mask = _filled(labels == label)
            found.append(Segment(colour, mask, int(mask.sum()), centres[label], whole))
    return sorted(found, key=lambda segment: -segment.pixels)


def resting_place(segment: Segment, camera: PinholeCamera, floor: float, height: float) -> Array:
    """Return (2,) where an object stands, m, base frame.

    Args:
        segment: its pixels.
        camera: that saw it.
        floor: height of what it stands on, m.
        height: of the object, m.
    """
    return camera.point_on_plane(segment.centre, floor + height / 2)[:2]


def _filled(mask: Mask) -> Mask:
    """Fill the holes of a segment: highlights, where light washes the colour out."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(filled, contours, -1, 1, cv2.FILLED)
    return filled.astype(bool)
