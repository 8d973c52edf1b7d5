"""What lies on the table, from one colour image: segmentation by hue, then the solid whose outline fits the segment.

A segment says in which direction a thing lies, and the table says how far. The outline of a cube, a cylinder or a ball
that stands on the table is computed for a guess of its place, turn and size, and the guess is improved until outline
and segment cover each other: that corrects for the height of the thing, and tells the shapes apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vla_ros.policies.contract import CameraView

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

HUES = {  # degrees, from (inclusive) to (exclusive)
    "red": (345.0, 15.0),
    "orange": (15.0, 41.0),
    "yellow": (41.0, 70.0),
    "green": (85.0, 165.0),
    "blue": (195.0, 252.0),
    "purple": (252.0, 310.0),
}
LEAST_SATURATION = 0.45
LEAST_VALUE = 0.12
LEAST_PIXELS = 24  # of a segment; smaller ones are noise, or a sliver behind something
FINER = 4  # sub-pixels per pixel and direction in which outline and segment are compared
CIRCLE = np.stack([np.cos(np.linspace(0, 2 * math.pi, 32, False)), np.sin(np.linspace(0, 2 * math.pi, 32, False))], 1)


@dataclass(frozen=True)
class Camera:
    """Pinhole camera. k: (3, 3), pixel centres at whole numbers. T_base_camera: (4, 4) of the optical frame."""

    k: Array
    T_base_camera: Array

    def project(self, points: Array) -> Array:
        """Return (m, 2) pixels of points (m, 3) in the base frame."""
        rotation, origin = self.T_base_camera[:3, :3], self.T_base_camera[:3, 3]
        rays = (points - origin) @ rotation @ self.k.T
        pixels: Array = rays[:, :2] / rays[:, 2:]
        return pixels

    def on_plane(self, pixel: Array, height: float) -> Array:
        """Return the point (3,) of the base frame that `pixel` (2,) shows if it lies at z = height."""
        ray = self.T_base_camera[:3, :3] @ np.linalg.solve(self.k, np.array([pixel[0], pixel[1], 1.0]))
        origin = self.T_base_camera[:3, 3]
        point: Array = origin + ray * (height - origin[2]) / ray[2]
        return point


@dataclass(frozen=True)
class Segment:
    """Connected pixels of one colour. mask: (H, W). pixels: how many. centre: (2,) mean pixel. whole: off the border."""

    colour: str
    mask: Mask
    pixels: int
    centre: Array
    whole: bool


@dataclass(frozen=True)
class Solid:
    """A thing as it stands on the table.

    shape: "cube", "cylinder", "ball". p_base: (3,) centre of its foot, m. yaw: rad, of a cube's faces. width: edge or
    diameter, m. height: m. fit: 0..1, overlap of its outline with the segment (intersection over union).
    """

    shape: str
    p_base: Array
    yaw: float
    width: float
    height: float
    fit: float = 0.0

    def outline(self, camera: Camera) -> Array:
        """Return (m, 2) pixels whose convex hull is what the camera sees of it."""
        if self.shape == "ball":
            # The circle on which lines of sight touch the ball.
            radius = self.width / 2
            centre = self.p_base + (0.0, 0.0, radius)
            line = camera.T_base_camera[:3, 3] - centre
            distance = float(np.linalg.norm(line))
            line /= distance
            across = np.cross(line, np.eye(3)[np.argmin(np.abs(line))])
            across /= np.linalg.norm(across)
            disc = CIRCLE @ np.stack([across, np.cross(line, across)])
            return camera.project(
                centre + line * radius**2 / distance + disc * radius * math.sqrt(1 - (radius / distance) ** 2)
            )
        if self.shape == "cube":
            c, s = math.cos(self.yaw), math.sin(self.yaw)
            foot = np.array([[c - s, s + c], [-c - s, -s + c], [-c + s, -s - c], [c + s, s - c]]) * self.width / 2
        else:
            foot = CIRCLE * self.width / 2
        low = np.column_stack([foot, np.zeros(len(foot))]) + self.p_base
        return camera.project(np.concatenate([low, low + (0.0, 0.0, self.height)]))


@dataclass(frozen=True)
class Model:
    """What a shape may be like. widths: m, from and to. stretch: range of height per width."""

    widths: tuple[float, float]
    stretch: tuple[float, float]
    yaws: tuple[float, ...] = (0.0,)


MODELS = {
    "cube": Model((0.03, 0.06), (1.0, 1.0), (0.0, math.pi / 6, -math.pi / 6)),
    "cylinder": Model((0.03, 0.06), (0.8, 1.8)),
    "ball": Model((0.03, 0.06), (1.0, 1.0)),
}


def segments(image: NDArray[np.uint8], hues: dict[str, tuple[float, float]] = HUES) -> list[Segment]:
    """Return the coloured segments of an rgb image (H, W, 3), largest first."""
    hsv = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hue, vivid = hsv[..., 0], (hsv[..., 1] >= LEAST_SATURATION) & (hsv[..., 2] >= LEAST_VALUE)
    found = []
    for colour, (start, end) in hues.items():
        inside = (hue >= start) & (hue < end) if start < end else (hue >= start) | (hue < end)
        count, labels, stats, centres = cv2.connectedComponentsWithStats((vivid & inside).astype(np.uint8))
        for label in range(1, count):
            left, top, width, height, pixels = stats[label]
            if pixels < LEAST_PIXELS:
                continue
            whole = left > 0 and top > 0 and left + width < image.shape[1] and top + height < image.shape[0]
            mask = _filled(labels == label)
            found.append(Segment(colour, mask, int(mask.sum()), centres[label], whole))
    return sorted(found, key=lambda segment: -segment.pixels)


def stand(segment: Segment, camera: Camera, table_height: float, shapes: tuple[str, ...] = tuple(MODELS)) -> list[Solid]:
    """Return the solid of each of `shapes` that explains the segment best, best one first."""
    solids = [_fit(segment, camera, table_height, shape) for shape in shapes]
    return sorted(solids, key=lambda solid: -solid.fit)


def _fit(segment: Segment, camera: Camera, table_height: float, shape: str) -> Solid:
    model = MODELS[shape]
    overlap = _overlap(segment, camera)
    middle = camera.on_plane(segment.centre, table_height + 0.02)
    width = sum(model.widths) / 2
    start = Solid(shape, np.array([middle[0], middle[1], table_height]), 0.0, width, width)
    best = max((_better(replace(start, yaw=yaw), model, overlap, 0.008, 0.004) for yaw in model.yaws), key=_fit_of)
    yaw = (best.yaw + math.pi / 4) % (math.pi / 2) - math.pi / 4
    return replace(_better(best, model, overlap, 0.002, 0.0003), yaw=yaw)


def _better(solid: Solid, model: Model, overlap: Callable[[Solid], float], step: float, least: float) -> Solid:
    """Pattern search: try a step each way in every quantity, keep what helps, halve the step when nothing does."""
    best = replace(solid, fit=overlap(solid))
    while step >= least:
        improved = False
        for candidate in _neighbours(best, model, step):
            fit = overlap(candidate)
            if fit > best.fit + 1e-6:
                best, improved = replace(candidate, fit=fit), True
        if not improved:
            step /= 2
    return best


def _neighbours(solid: Solid, model: Model, step: float) -> Iterator[Solid]:
    for sign in (step, -step):
        yield replace(solid, p_base=solid.p_base + (sign, 0.0, 0.0))
        yield replace(solid, p_base=solid.p_base + (0.0, sign, 0.0))
        width = min(max(solid.width + sign, model.widths[0]), model.widths[1])
        yield replace(solid, width=width, height=width * solid.height / solid.width)
        if model.stretch[0] < model.stretch[1]:
            low, high = (limit * solid.width for limit in model.stretch)
            yield replace(solid, height=min(max(solid.height + sign, low), high))
        if len(model.yaws) > 1:
            yield replace(solid, yaw=solid.yaw + sign / 0.03)


def _overlap(segment: Segment, camera: Camera) -> Callable[[Solid], float]:
    """Return the function that compares a solid's outline with the segment: intersection over union."""
    rows, columns = np.nonzero(segment.mask)
    margin = 12
    top, left = max(int(rows.min()) - margin, 0), max(int(columns.min()) - margin, 0)
    crop = segment.mask[top : int(rows.max()) + margin + 1, left : int(columns.max()) + margin + 1].astype(np.uint8)
    wanted = np.repeat(np.repeat(crop, FINER, 0), FINER, 1)
    total = int(wanted.sum())
    canvas = np.zeros_like(wanted)
    shift = 4

    def overlap(solid: Solid) -> float:
        pixels = (solid.outline(camera) - (left, top) + 0.5) * FINER - 0.5
        hull = cv2.convexHull(np.round(pixels * 2**shift).astype(np.int32))
        canvas[:] = 0
        cv2.fillConvexPoly(canvas, hull, 1, shift=shift)
        both = int((canvas & wanted).sum())
        return both / (total + int(canvas.sum()) - both)

    return overlap


def _fit_of(solid: Solid) -> float:
    return solid.fit


def _filled(mask: Mask) -> Mask:
    """Fill the holes of a segment: highlights, where light washes the colour out."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(filled, contours, -1, 1, cv2.FILLED)
    return filled.astype(bool)


def view_camera(view: CameraView) -> Camera | None:
    """Return the view's camera, or None where its matrix or its pose is unknown."""
    if view.k is None or view.T_base_camera is None:
        return None
    return Camera(view.k, view.T_base_camera)
