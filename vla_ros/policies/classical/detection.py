"""The objects in view: which one a description means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vla_ros.arrays import Image
from vla_ros.language.steps import ObjectPhrase
from vla_ros.language.view import SeenThing
from vla_ros.perception.pinhole import PinholeCamera
from vla_ros.policies.classical.segmentation import Segment, segment_image
from vla_ros.policies.classical.shape_fitting import SHAPE_MODELS, FittedShape, fit_shape
from vla_ros.tasks.vocabulary import CONTAINERS, MOVABLE_SHAPES

MIN_FIT = 0.6
"""Overlap of a segment with the outline of an object that is believed."""
AMBIGUITY = 0.05
"""Difference of overlap that decides between two shapes."""


@dataclass(frozen=True)
class DetectedObject:
    """An object that was seen.

    Attributes:
        colour: key of `segmentation.HUES`.
        fitted: its shape, place and size.
        fits: shape → overlap of the best fit of that shape.
    """

    colour: str
    fitted: FittedShape
    fits: Mapping[str, float]

    def is_called(self, wanted: ObjectPhrase) -> bool:
        """Return whether the description is true of it, or not spoken against by its outline."""
        shape = wanted.shape or self.fitted.shape
        return wanted.colour in ("", self.colour) and self.fits.get(shape, 0.0) > self.fitted.fit - AMBIGUITY

    def __str__(self) -> str:
        return (
            f"the {self.fitted.shape}" if self.colour == self.fitted.shape else f"the {self.colour} {self.fitted.shape}"
        )


def classify(segment: Segment, camera: PinholeCamera, table_height: float) -> DetectedObject:
    """Return the object whose outline explains the segment best."""
    shapes = (segment.colour,) if segment.colour in SHAPE_MODELS else MOVABLE_SHAPES
    fits = {shape: fit_shape(segment, camera, table_height, shape) for shape in shapes}
    best = max(fits.values(), key=lambda fitted: fitted.fit)
    return DetectedObject(segment.colour, best, {shape: fitted.fit for shape, fitted in fits.items()})


def find_object(
    image: Image, camera: PinholeCamera, table_height: float, wanted: ObjectPhrase
) -> tuple[DetectedObject | None, str]:
    """Return the object in view that `wanted` describes, or None and why there is none."""
    containers = wanted.shape in CONTAINERS
    segments = [segment for segment in segment_image(image) if (segment.colour in CONTAINERS) == containers]
    if containers:
        segments = [segment for segment in segments if segment.colour == wanted.shape]
    elif wanted.colour:
        segments = [segment for segment in segments if segment.colour == wanted.colour]
    items = [classify(segment, camera, table_height) for segment in segments]
    items = [item for item in items if item.fitted.fit >= MIN_FIT]
    fitting = [item for item in items if item.is_called(wanted)]
    if not fitting:
        if items and wanted.colour:
            return None, f"{wanted}: not in view; what is {wanted.colour} is a {items[0].fitted.shape}"
        return None, f"{wanted}: not in view"
    exact = [item for item in fitting if item.fitted.shape == wanted.shape] or fitting
    if len(exact) > 1:
        return None, f"{wanted}: could be {' or '.join(str(item) for item in exact)}; say which"
    return exact[0], ""


def things_in_view(image: Image, camera: PinholeCamera, table_height: float) -> tuple[SeenThing, ...]:
    """Return everything in view that has a name."""
    items = [classify(segment, camera, table_height) for segment in segment_image(image)]
    return tuple(
        SeenThing(
            "" if item.colour in CONTAINERS else item.colour,
            item.fitted.shape,
            (float(item.fitted.p_base[0]), float(item.fitted.p_base[1])),
            item.fitted.width,
            item.fitted.height,
        )
        for item in items
        if item.fitted.fit >= MIN_FIT
    )
