"""What lies on the table, from one colour image: segmentation by hue, then the solid whose outline fits the segment.

A segment says in which direction a thing lies, and the table says how far. The outline of a cube, a cylinder or a ball
that stands on the table is computed for a guess of its place, turn and size, and the guess is improved until outline
and segment cover each other: that corrects for the height of the thing, and tells the shapes apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from vla_ros.policies.classical.language import CONTAINERS, Description

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

HUES = {  # degrees, from (inclusive) to (exclusive)
    "red": (345.0, 15.0),
    "orange": (15.0, 41.0),
    "yellow": (41.0, 70.0),
    "green": (85.0, 160.0),
    "bowl": (165.0, 200.0),
    "blue": (205.0, 252.0),
    "purple": (252.0, 300.0),
    "plate": (308.0, 342.0),
}
LEAST_SATURATION = 0.45
LEAST_VALUE = 0.12
LEAST_PIXELS = 24  # of a segment; smaller ones are noise, or a sliver behind something
FINER = 4  # sub-pixels per pixel and direction in which outline and segment are compared
LEAST_FIT = 0.6  # overlap of a segment with the outline of a thing that is believed
DOUBT = 0.05  # difference of overlap that decides between two shapes
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
            rim = np.array([[c - s, s + c], [-c - s, -s + c], [-c + s, -s - c], [c + s, s - c]]) * self.width / 2
        else:
            rim = CIRCLE * self.width / 2
        high = np.column_stack([rim, np.full(len(rim), self.height)])
        low = np.column_stack([rim * MODELS[self.shape].foot, np.zeros(len(rim))])
        return camera.project(self.p_base + np.concatenate([low, high]))

    @property
    def floor(self) -> float:
        """Height above the table of the place where things rest in or on it, m."""
        return self.height * MODELS[self.shape].floor

    def reach(self, direction: Array) -> float:
        """Return how far it extends from its middle along `direction` (2,), m."""
        if self.shape != "cube":
            return self.width / 2
        angle = math.atan2(direction[1], direction[0]) - self.yaw
        return self.width / 2 * (abs(math.cos(angle)) + abs(math.sin(angle)))


@dataclass(frozen=True)
class Thing:
    """A solid with a colour. fits: overlap of the best solid of each shape."""

    colour: str
    solid: Solid
    fits: Mapping[str, float]

    def is_called(self, wanted: Description) -> bool:
        """Return whether the description is true of it, or not spoken against by its outline."""
        shape = wanted.shape or self.solid.shape
        return wanted.colour in ("", self.colour) and self.fits.get(shape, 0.0) > self.solid.fit - DOUBT

    def __str__(self) -> str:
        return f"the {self.solid.shape}" if self.colour == self.solid.shape else f"the {self.colour} {self.solid.shape}"


@dataclass(frozen=True)
class Model:
    """What a shape may be like.

    widths: edge or diameter, from and to, m. stretch: height per width, from and to. yaws: rad, where the search for its
    turn begins. foot: width of the foot per width. floor: where things rest in or on it, per height.
    """

    widths: tuple[float, float]
    stretch: tuple[float, float]
    yaws: tuple[float, ...] = (0.0,)
    foot: float = 1.0
    floor: float = 1.0


MODELS = {
    "cube": Model((0.038, 0.05), (1.0, 1.0), yaws=(0.0, math.pi / 6, -math.pi / 6)),
    "cylinder": Model((0.038, 0.05), (1.1, 1.4)),
    "ball": Model((0.038, 0.05), (1.0, 1.0)),
    "bowl": Model((0.14, 0.16), (0.3, 0.3), foot=0.67, floor=0.18),
    "plate": Model((0.15, 0.17), (0.0625, 0.0625)),
}
MOVABLE = ("cube", "cylinder", "ball")


def look(image: NDArray[np.uint8], hues: dict[str, tuple[float, float]] = HUES) -> list[Segment]:
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


def classify(segment: Segment, camera: Camera, table_height: float) -> Thing:
    """Return the thing whose outline explains the segment best."""
    shapes = (segment.colour,) if segment.colour in MODELS else MOVABLE
    fits = {shape: _fit(segment, camera, table_height, shape) for shape in shapes}
    best = max(fits.values(), key=_fit_of)
    return Thing(segment.colour, best, {shape: solid.fit for shape, solid in fits.items()})


def find(
    image: NDArray[np.uint8], camera: Camera, table_height: float, wanted: Description
) -> tuple[Thing | None, str]:
    """Return the thing in view that `wanted` describes, or None and why there is none."""
    containers = wanted.shape in CONTAINERS
    segments = [segment for segment in look(image) if (segment.colour in CONTAINERS) == containers]
    if containers:
        segments = [segment for segment in segments if segment.colour == wanted.shape]
    elif wanted.colour:
        segments = [segment for segment in segments if segment.colour == wanted.colour]
    things = [classify(segment, camera, table_height) for segment in segments]
    things = [thing for thing in things if thing.solid.fit >= LEAST_FIT]
    fitting = [thing for thing in things if thing.is_called(wanted)]
    if not fitting:
        if things and wanted.colour:
            return None, f"{wanted}: not in view; what is {wanted.colour} is a {things[0].solid.shape}"
        return None, f"{wanted}: not in view"
    exact = [thing for thing in fitting if thing.solid.shape == wanted.shape] or fitting
    if len(exact) > 1:
        return None, f"{wanted}: could be {' or '.join(str(thing) for thing in exact)}; say which"
    return exact[0], ""


def rests_at(segment: Segment, camera: Camera, floor: float, height: float) -> Array:
    """Return (2,) where on a floor a thing of that height stands whose segment this is."""
    return camera.on_plane(segment.centre, floor + height / 2)[:2]


def _fit(segment: Segment, camera: Camera, table_height: float, shape: str) -> Solid:
    model = MODELS[shape]
    overlap = _overlap(segment, camera)
    middle = camera.on_plane(segment.centre, table_height + 0.02)
    width = sum(model.widths) / 2
    height = width * sum(model.stretch) / 2
    start = Solid(shape, np.array([middle[0], middle[1], table_height]), 0.0, width, height)
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
