"""The shape, place and size of an object, from the segment that shows it.

A segment says in which direction an object lies, and the table says how far. The outline of a cube, a cylinder or a ball that
stands on the table is computed for a guess of its place, yaw and size. The guess is improved until outline and segment cover
each other. That corrects for the height of the object, and tells the shapes apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vla_ros.arrays import Array
from vla_ros.perception.pinhole import PinholeCamera
from vla_ros.policies.classical.segmentation import Segment
from vla_ros.tasks.objects import (
    BOWL_HEIGHT_M,
    BOWL_RADIUS_M,
    CYLINDER_HEIGHT_M,
    OBJECT_WIDTH_M,
    PLATE_HEIGHT_M,
    PLATE_RADIUS_M,
)

SUBPIXELS = 4
"""Per pixel and direction, in which outline and segment are compared."""
CIRCLE = np.stack([np.cos(np.linspace(0, 2 * math.pi, 32, False)), np.sin(np.linspace(0, 2 * math.pi, 32, False))], 1)


@dataclass(frozen=True)
class ShapeModel:
    """The sizes that a shape may have.

    Attributes:
        widths: edge or diameter, from and to, m.
        stretch: height per width, from and to.
        yaws: where the search for its yaw begins, rad.
        foot: width of the foot per width.
        floor: where objects rest in or on it, per height.
    """

    widths: tuple[float, float]
    stretch: tuple[float, float]
    yaws: tuple[float, ...] = (0.0,)
    foot: float = 1.0
    floor: float = 1.0


def _around(value: float, tolerance: float) -> tuple[float, float]:
    return round(value - tolerance, 6), round(value + tolerance, 6)


OBJECT_WIDTHS_M = _around(OBJECT_WIDTH_M, 0.006)
SHAPE_MODELS = {
    "cube": ShapeModel(OBJECT_WIDTHS_M, (1.0, 1.0), yaws=(0.0, math.pi / 6, -math.pi / 6)),
    "cylinder": ShapeModel(OBJECT_WIDTHS_M, _around(CYLINDER_HEIGHT_M / OBJECT_WIDTH_M, 0.15)),
    "ball": ShapeModel(OBJECT_WIDTHS_M, (1.0, 1.0)),
    "bowl": ShapeModel(
        _around(2 * BOWL_RADIUS_M, 0.01), _around(BOWL_HEIGHT_M / (2 * BOWL_RADIUS_M), 0.0), foot=0.67, floor=0.18
    ),
    "plate": ShapeModel(_around(2 * PLATE_RADIUS_M, 0.01), _around(PLATE_HEIGHT_M / (2 * PLATE_RADIUS_M), 0.0)),
}


@dataclass(frozen=True)
class FittedShape:
    """An object as it stands on the table.

    Attributes:
        shape: of `SHAPE_MODELS`.
        p_base: (3,) centre of its foot, m, base frame.
        yaw: of a cube's faces, rad.
        width: edge or diameter, m.
        height: m.
        fit: 0..1, overlap of its outline with the segment (intersection over union).
    """

    shape: str
    p_base: Array
    yaw: float
    width: float
    height: float
    fit: float = 0.0

    def outline(self, camera: PinholeCamera) -> Array:
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
            rim = np.array([[c - s, s + c], [-c - s, -s + c], [-c + s, -s - c], [c + s, s - c]]) * self.width / 2
        else:
            rim = CIRCLE * self.width / 2
        high = np.column_stack([rim, np.full(len(rim), self.height)])
        low = np.column_stack([rim * SHAPE_MODELS[self.shape].foot, np.zeros(len(rim))])
        return camera.project(self.p_base + np.concatenate([low, high]))

    @property
    def floor(self) -> float:
        """Height above the table of the place where objects rest in or on it, m."""
        return self.height * SHAPE_MODELS[self.shape].floor

    @property
    def foot_radius(self) -> float:
        """Half the width of its foot, m."""
        return self.width / 2 * SHAPE_MODELS[self.shape].foot

    def extent(self, direction: Array) -> float:
        """Return how far it extends from its middle along `direction` (2,), m."""
        if self.shape != "cube":
            return self.width / 2
        angle = math.atan2(direction[1], direction[0]) - self.yaw
        return self.width / 2 * (abs(math.cos(angle)) + abs(math.sin(angle)))


def fit_shape(segment: Segment, camera: PinholeCamera, table_height: float, shape: str) -> FittedShape:
    """Return the object of this shape whose outline covers the segment best.

    Args:
        segment: pixels of the object.
        camera: that saw it.
        table_height: m, base frame.
        shape: of `SHAPE_MODELS`.
    """
    model = SHAPE_MODELS[shape]
    overlap = _overlap(segment, camera)
    middle = camera.point_on_plane(segment.centre, table_height + 0.02)
    width = sum(model.widths) / 2
    height = width * sum(model.stretch) / 2
    start = FittedShape(shape, np.array([middle[0], middle[1], table_height]), 0.0, width, height)
    best = max(
        (_better(replace(start, yaw=yaw), model, overlap, 0.008, 0.004) for yaw in model.yaws),
        key=lambda fitted: fitted.fit,
    )
    yaw = (best.yaw + math.pi / 4) % (math.pi / 2) - math.pi / 4
    return replace(_better(best, model, overlap, 0.002, 0.0003), yaw=yaw)


def _better(
    solid: FittedShape, model: ShapeModel, overlap: Callable[[FittedShape], float], step: float, least: float
) -> FittedShape:
    """Pattern search: try a step each way in every quantity, keep what helps, halve the step when noobject does."""
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


def _neighbours(solid: FittedShape, model: ShapeModel, step: float) -> Iterator[FittedShape]:
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


def _overlap(segment: Segment, camera: PinholeCamera) -> Callable[[FittedShape], float]:
    """Return the function that compares a solid's outline with the segment: intersection over union."""
    rows, columns = np.nonzero(segment.mask)
    margin = 12
    top, left = max(int(rows.min()) - margin, 0), max(int(columns.min()) - margin, 0)
    crop = segment.mask[top : int(rows.max()) + margin + 1, left : int(columns.max()) + margin + 1].astype(np.uint8)
    wanted = np.repeat(np.repeat(crop, SUBPIXELS, 0), SUBPIXELS, 1)
    total = int(wanted.sum())
    canvas = np.zeros_like(wanted)
    shift = 4

    def overlap(solid: FittedShape) -> float:
        pixels = (solid.outline(camera) - (left, top) + 0.5) * SUBPIXELS - 0.5
        hull = cv2.convexHull(np.round(pixels * 2**shift).astype(np.int32))
        canvas[:] = 0
        cv2.fillConvexPoly(canvas, hull, 1, shift=shift)
        both = int((canvas & wanted).sum())
        return both / (total + int(canvas.sum()) - both)

    return overlap
