"""From what a model points at in an image to a place in the base frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.perception.pinhole import PinholeCamera

THOUSANDTHS = 1000.0
DEPTH_WINDOW = 2
"""Pixels to each side whose depth counts: single pixels are often missing."""
SLANT = 0.05
"""Least vertical part of a ray to the table, of 1: a flatter one says little of how far away the place is."""


class NoPlace(ValueError):
    """A point is at no place that is known; the text says why."""


@dataclass(frozen=True)
class PointedPixel:
    """A point in the image of a camera. x, y: thousandths of its width and height, from the upper left corner."""

    camera: str
    x: float
    y: float

    def __str__(self) -> str:
        return f"({self.x:.0f}, {self.y:.0f}) of camera {self.camera!r}"


def place_of(point: PointedPixel, frames: Frames, plane_m: float, reach_m: float) -> Array:
    """Return the place (3,) in the base frame, m, that a model has pointed at.

    Args:
        point: in the image that the model was shown.
        frames: the images that it was shown.
        plane_m: height of the place in the base frame where the camera gives no depth, m.
        reach_m: largest distance from the base that is believed, m.

    Raises:
        NoPlace: the camera is unknown, its image is not to be used, its pose or intrinsics are unknown, or the place is
            out of reach.
    """
    view = frames.views.get(point.camera)
    if view is None:
        raise NoPlace(f"there is no camera {point.camera!r}; there are {', '.join(frames.views) or 'none'}")
    if view.pose_fault or view.k is None or view.T_base_camera is None:
        raise NoPlace(f"camera {point.camera!r}: {view.pose_fault}")
    height, width = view.image.shape[:2]
    # Pixel centres are whole numbers, and 0 is the outer edge of the first pixel.
    pixel = np.array([point.x / THOUSANDTHS * width - 0.5, point.y / THOUSANDTHS * height - 0.5])
    depth = _depth(view, pixel)
    camera = PinholeCamera(view.k, view.T_base_camera)
    if depth is None:
        ray = view.T_base_camera[:3, :3] @ np.linalg.solve(view.k, np.array([*pixel, 1.0]))
        if abs(ray[2]) < SLANT * np.linalg.norm(ray) or (plane_m - view.T_base_camera[2, 3]) * ray[2] <= 0:
            raise NoPlace(f"{point} shows nothing at the height of the table")
        place = camera.point_on_plane(pixel, plane_m)
    else:
        p_camera = depth * np.linalg.solve(view.k, np.array([*pixel, 1.0]))
        place = view.T_base_camera[:3, :3] @ p_camera + view.T_base_camera[:3, 3]
    if not np.isfinite(place).all() or np.linalg.norm(place) > reach_m:
        raise NoPlace(f"{point} is {np.linalg.norm(place):.2f} m from the base; at most {reach_m:g} m is believed")
    return np.asarray(place, np.float64)


def _depth(view: CameraView, pixel: Array) -> float | None:
    """Return the median depth around a pixel, m; None where there is none."""
    if view.depth is None:
        return None
    rows, columns = view.depth.shape
    column, row = (int(np.clip(round(value), 0, most - 1)) for value, most in zip(pixel, (columns, rows), strict=True))
    window = view.depth[
        max(row - DEPTH_WINDOW, 0) : row + DEPTH_WINDOW + 1, max(column - DEPTH_WINDOW, 0) : column + DEPTH_WINDOW + 1
    ]
    known = window[np.isfinite(window) & (window > 0)]
    return float(np.median(known)) if len(known) else None
