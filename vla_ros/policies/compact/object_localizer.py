"""Images to tracked positions of the objects of a step: localizer, refiner, correction of the camera's pose, trackers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array, Image
from vla_ros.perception.frames import CameraView
from vla_ros.policies.compact import projection
from vla_ros.policies.compact.camera_offset import CameraOffset
from vla_ros.policies.compact.graphs import Graphs
from vla_ros.policies.compact.model_config import ROLES, Sizes
from vla_ros.policies.compact.object_tracker import Detection, ObjectTracker
from vla_ros.tasks.vocabulary import CONTAINERS

TOOL = 2  # index of the tool in what is located; x and y come first
REFINEMENTS = 2  # passes of the refiner, each on a crop around the result of the one before
SAME_OBJECT_CELLS = 3.0  # distance within which a peak is the tracked object
OCCLUSION_M = 0.1  # horizontal distance within which the hand hides or holds an object
MAX_RESTING_HEIGHT_M = 0.13  # no object that another one is brought to is higher over the table, whatever it is on


class ObjectLocalizer:
    """Tracks the objects x and y of a step.

    Args:
        graphs: with the graphs "locate" and "refine".
        sizes: of the network.
        table_height_m: of the table top in the base frame.

    Attributes:
        trackers: of x and y; new ones for each step.
    """

    def __init__(self, graphs: Graphs, sizes: Sizes, table_height_m: float) -> None:
        self._graphs, self._sizes, self._table_height_m = graphs, sizes, table_height_m
        self._camera_offsets: dict[int, CameraOffset] = {}
        self._p_tool: Array | None = None
        self.begin_step({})

    def begin_step(self, parsed_step: Mapping[str, str]) -> None:
        """Forget the objects of the step before. parsed_step: field of STEP_FIELDS → value."""
        self.trackers = (ObjectTracker(), ObjectTracker())
        self._colourless = np.array([*(is_colourless(parsed_step, role) for role in ROLES), False])

    def update(
        self,
        views: Sequence[CameraView],
        queries: NDArray[np.float32],
        elapsed_s: float,
        p_tool: Array,
        carried: bool,
    ) -> NDArray[np.float32]:
        """Locate x, y and the tool in new images and update the trackers.

        Args:
            views: one for each camera of the network, with matrix and pose.
            queries: (1, 2, key) of the step.
            elapsed_s: since the last images.
            p_tool: (3,) m, z above the table.
            carried: whether the hand may be moving x.

        Returns:
            (1, cameras, channels, H/8, W/8) coarse features of the images, for the fusion.
        """
        size = self._sizes.image
        images = [projection.resized(view.image, projection.UPSCALE * size) for view in views]
        scores, heights, coarse = self._graphs(
            "locate", np.stack([projection.resized(image, size) for image in images]), queries
        )
        moved_m = np.inf if self._p_tool is None else float(np.linalg.norm(p_tool - self._p_tool))
        speed_m_s, self._p_tool = moved_m / max(elapsed_s, 1e-3), p_tool
        for index, view in enumerate(views):
            camera = self._pinhole(view)
            offset = self._camera_offsets.setdefault(index, CameraOffset())
            tracked = np.full((len(self.trackers), 3), np.nan)
            for role, tracker in enumerate(self.trackers):
                if tracker.known:
                    pixel = projection.downscale(projection.upscale(camera.project(tracker.p)[:2]) + offset.offset)
                    height = p_tool[2] if carried and role == 0 else tracker.initial_height_m
                    tracked[role] = *projection.to_cells(pixel), 10 * height
            pixels, refined, located = self._select(
                images[index], scores[0, index], heights[0, index], queries, tracked
            )
            expected = projection.upscale(camera.project(p_tool)[:2])
            offset.update(pixels[TOOL], expected, float(located[TOOL]), speed_m_s)
            corrected = projection.downscale(pixels - offset.offset)
            points = camera.at_height(corrected, projection.height_m(refined[:, 2]))
            for role, tracker in enumerate(self.trackers):
                if role == 1 and is_other_object(tracker, points[role], p_tool, carried):
                    continue
                if role == 0 and self._colourless[role] and is_hidden(tracker, points[role], p_tool):
                    continue
                detection = Detection(
                    points[role],
                    float(projection.position_std_m(refined[role, 5])),
                    refined[role, 3:5],
                    float(projection.presence_probability(located[role], refined[role])),
                )
                tracker.update(detection, elapsed_s, carried and role == 0)
        return coarse

    def p_camera(self, view: CameraView) -> Array:
        """Return (3,) where the camera of a view is, z above the table."""
        p: Array = self._pinhole(view).T_base_camera[:3, 3]
        return p

    def _pinhole(self, view: CameraView) -> projection.Pinhole:
        """Return the camera of a view, for images of the size of the network, with z above the table."""
        assert view.k is not None and view.T_base_camera is not None
        height, width = view.image.shape[:2]
        T_base_camera = view.T_base_camera.copy()
        T_base_camera[2, 3] -= self._table_height_m
        k = projection.scaled_intrinsics(view.k, height, width, self._sizes.image)
        return projection.Pinhole(k, T_base_camera)

    def _select(
        self,
        image: Image,
        scores: NDArray[np.float32],
        heights: NDArray[np.float32],
        queries: NDArray[np.float32],
        tracked: Array,
    ) -> tuple[Array, Array, Array]:
        """Select one position each for x, y and the tool.

        The tracked position is taken where the refiner agrees, else the best peak. The localizer mostly sees colours: for
        an object that is named without one it finds several peaks, between which the refiner decides. The predicted height
        is the same for all peaks.

        Args:
            image: at the resolution of the refiner.
            scores: (3, cells + 1). heights: (3,) dm. queries: (1, 2, key).
            tracked: (2, 3) cells u, v and height (dm) of x and y, NaN where they are not known.

        Returns:
            pixels: (3, 2) of the refiner's image. refined: (3, REFINED_DIM). located: (3,) probability of the localizer.
        """
        cells, shares, located = projection.peaks(scores, projection.MAX_PEAKS)
        probable = shares > projection.MIN_PEAK_SHARE * shares[0]
        colourless, first_heights, is_tracked = self._colourless, heights.copy(), np.zeros(len(located), bool)
        candidates = probable & colourless
        for role in np.flatnonzero(np.isfinite(tracked).all(1)):
            distance = np.where(probable[:, role], np.abs(cells[:, role] - tracked[role, :2]).max(-1), np.inf)
            nearest = int(distance.argmin())
            is_tracked[role] = distance[nearest] < SAME_OBJECT_CELLS
            if is_tracked[role] and (nearest or colourless[role]):
                cells[[0, nearest], role], first_heights[role] = cells[[nearest, 0], role], tracked[role, 2]
                candidates[nearest, role] = True
        pixels, refined = self._refine(image, cells[0], first_heights, queries)
        for cell, candidate in zip(cells[1:], candidates[1:], strict=True):
            examined = candidate & ~(is_tracked & (refined[:, projection.MATCH] > 0))
            if not examined.any():
                continue
            other_pixels, other = self._refine(image, np.where(examined[:, None], cell, cells[0]), heights, queries)
            better = (examined & (other[:, projection.MATCH] > refined[:, projection.MATCH]))[:, None]
            pixels, refined = np.where(better, other_pixels, pixels), np.where(better, other, refined)
        return pixels, refined, located

    def _refine(
        self, image: Image, cells: Array, heights: NDArray[np.float32], queries: NDArray[np.float32]
    ) -> tuple[Array, Array]:
        """Run the refiner around cells (3, 2), REFINEMENTS times.

        Returns:
            pixels: (3, 2) of the refiner's image. refined: (3, REFINED_DIM) of the last pass.
        """
        side, pixels = self._sizes.crop, projection.upscale(projection.to_pixels(cells))
        for _ in range(REFINEMENTS):
            centres = np.rint(pixels).astype(int)
            crops = np.stack([projection.crop(image, centre, side) for centre in centres])
            given = np.concatenate([projection.normalized(centres, len(image)), heights[:, None]], 1).astype(np.float32)
            refined = self._graphs("refine", crops[None], queries, given[None])[0][0].astype(np.float64)
            pixels = centres + np.clip(refined[:, :2], -1.5, 1.5) * projection.OFFSET_PX
        return pixels, refined


def is_colourless(parsed_step: Mapping[str, str], role: str) -> bool:
    """Return whether x or y is named without a colour though objects of its shape have one."""
    if not parsed_step:
        return False
    return parsed_step[f"{role}_colour"] == "none" and parsed_step[f"{role}_shape"] not in ("none", *CONTAINERS)


def is_hidden(tracker: ObjectTracker, p: Array, p_tool: Array) -> bool:
    """Return whether the hand hides the tracked object, so that a detection at p (3,), far from it, is another object."""
    distance, from_hand = (float(np.hypot(*offset[:2])) for offset in (p - tracker.p, p_tool - tracker.p))
    return tracker.known and distance > OCCLUSION_M > from_hand


def is_other_object(tracker: ObjectTracker, p: Array, p_tool: Array, carried: bool) -> bool:
    """Return whether a detection at p (3,) is another object than the tracked one, which the hand brings something to.

    It is where the tracked object is hidden, or where the hand holds what is detected. A track in the air was wrong, and
    any detection replaces it.

    Args:
        tracker: of the object that something is brought to.
        p: (3,) of the detection.
        p_tool: (3,).
        carried: whether the hand holds something.
    """
    distance, from_hand = (float(np.hypot(*offset[:2])) for offset in (p - tracker.p, p_tool - p))
    in_hand = carried and bool(np.linalg.norm(p - p_tool) < np.linalg.norm(p - tracker.p))
    resting = tracker.known and float(tracker.p[2]) < MAX_RESTING_HEIGHT_M
    return resting and (in_hand or distance > OCCLUSION_M > from_hand or is_hidden(tracker, p, p_tool))
