"""Which position in an image is taken for an object, and which detections belong to another one."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vla_ros.policies.compact import projection
from vla_ros.policies.compact.object_localizer import ObjectLocalizer, is_colourless, is_hidden, is_other_object
from vla_ros.policies.compact.object_tracker import Detection, ObjectTracker

SIDE = 16
NEAR, FAR = (3.0, 4.0), (12.0, 9.0)  # cells u, v of two things; the localizer prefers FAR
Cell = tuple[float, float]
NOWHERE = np.full((2, 3), np.nan)


class Refinements:
    """Stands for the refiner. match: its logit for each object. calls: cells of x and heights that it was given."""

    def __init__(self, match: dict[Cell, float]) -> None:
        self.match = match
        self.calls: list[tuple[Cell, float]] = []

    def __call__(
        self, picture: object, cells: NDArray[np.float64], heights: NDArray[np.float32], queries: object
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        refined = np.zeros((3, projection.REFINED_DIM))
        cell = rounded(cells[0])
        self.calls.append((cell, round(float(heights[0]), 6)))
        refined[0, projection.MATCH] = self.match[cell]
        return projection.upscale(projection.to_pixels(cells)), refined


def rounded(cell: NDArray[np.float64]) -> Cell:
    return round(float(cell[0])), round(float(cell[1]))


def found(
    match: dict[Cell, float], colour: str, tracked: NDArray[np.float64] = NOWHERE
) -> tuple[Cell, list[tuple[Cell, float]]]:
    """Return the cell that was decided on, and cells and heights of the refinements that were taken."""
    localizer, refinements = object.__new__(ObjectLocalizer), Refinements(match)
    localizer.begin_step({"x_colour": colour, "x_shape": "cube", "y_colour": "none", "y_shape": "bowl"})
    localizer._refine = refinements  # type: ignore[method-assign]
    scores = np.full((3, SIDE, SIDE), -30.0)
    for (u, v), score in ((NEAR, 1.0), (FAR, 2.0)):
        scores[:, int(v), int(u)] = score
    flat = np.concatenate([scores.reshape(3, -1), np.zeros((3, 1))], 1).astype(np.float32)
    picture, queries = np.zeros(0, np.uint8), np.zeros((1, 2, 4), np.float32)
    pixels, _, _ = localizer._select(picture, flat, np.full(3, 0.9, np.float32), queries, tracked)
    return rounded(projection.to_cells(projection.downscale(pixels[0]))), refinements.calls


def test_the_localizer_decides_where_a_colour_is_named() -> None:
    cell, calls = found({NEAR: 5.0, FAR: 1.0}, "red")
    assert calls == [(FAR, 0.9)] and cell == FAR


@pytest.mark.parametrize(("near", "far", "cell"), [(5.0, 1.0, NEAR), (-1.0, 1.0, FAR)])
def test_the_refiner_decides_where_none_is(near: float, far: float, cell: Cell) -> None:
    assert found({NEAR: near, FAR: far}, "none")[0] == cell


@pytest.mark.parametrize("colour", ["red", "none"])
@pytest.mark.parametrize(("near", "cell"), [(0.5, NEAR), (-0.5, FAR)])
def test_what_is_tracked_stays_while_the_refiner_agrees(near: float, cell: Cell, colour: str) -> None:
    taken, calls = found({NEAR: near, FAR: 5.0}, colour, np.array([[NEAR[0] + 1.5, NEAR[1], 0.2], [np.nan] * 3]))
    assert calls[0] == (NEAR, 0.2), "at the height that is tracked"
    assert taken == cell


def test_what_is_tracked_and_not_seen_there_is_sought_elsewhere() -> None:
    assert found({NEAR: 0.5, FAR: 5.0}, "none", np.array([[8.0, 14.0, 0.2], [np.nan] * 3]))[0] == FAR


@pytest.mark.parametrize(
    ("seen", "tool", "carried", "another"),
    [
        ((0.41, 0.17, 0.0), (0.62, -0.24, 0.1), False, True),  # the hand hides it
        ((0.41, 0.17, 0.0), (0.43, 0.20, 0.1), False, True),  # that is in the hand
        ((0.64, -0.21, 0.0), (0.62, -0.24, 0.1), False, False),  # it has slipped
        ((0.41, 0.17, 0.0), (0.50, -0.24, 0.1), False, False),  # nothing is over it: it has been moved point
        ((0.62, -0.20, 0.09), (0.62, -0.22, 0.1), True, True),  # what the hand brings, over it
        ((0.62, -0.23, 0.02), (0.62, -0.24, 0.1), True, False),  # itself, under what the hand brings
        ((0.62, -0.20, 0.09), (0.62, -0.22, 0.1), False, False),  # it has been lifted
    ],
)
def test_what_the_hand_holds_or_hides_is_not_taken_for_another_thing(
    seen: tuple[float, float, float], tool: tuple[float, float, float], carried: bool, another: bool
) -> None:
    tracker = ObjectTracker()
    place, point, hand = np.array([0.62, -0.24, 0.0]), np.array(seen), np.array(tool)
    assert not is_other_object(tracker, point, hand, carried), "nothing is remembered yet"
    tracker.update(Detection(place, 0.002, np.zeros(2), 1.0), 0.1, False)
    assert is_other_object(tracker, point, hand, carried) is another
    tracker.p[2] = 0.16
    assert not is_other_object(tracker, point, hand, carried), (
        "nothing floats: it was seen wrong, and what is seen now counts"
    )


def test_what_is_seen_far_from_what_the_hand_hides_is_another_thing() -> None:
    tracker, place = ObjectTracker(), np.array([0.62, -0.24, 0.02])
    assert not is_hidden(tracker, place + 0.2, place), "nothing is remembered yet"
    tracker.update(Detection(place, 0.002, np.zeros(2), 1.0), 0.1, False)
    assert tracker.initial_height_m == pytest.approx(0.02)
    assert is_hidden(tracker, place + 0.2, place + 0.05)
    assert not is_hidden(tracker, place + 0.2, place + 0.3), "the hand is elsewhere"
    assert not is_hidden(tracker, place + 0.05, place), "it has been touched"


def test_only_objects_that_have_colours_are_colourless_without_one() -> None:
    step = {"x_colour": "none", "x_shape": "cube", "y_colour": "none", "y_shape": "bowl"}
    assert is_colourless(step, "x") and not is_colourless(step, "y")
    assert not is_colourless({**step, "x_colour": "red"}, "x") and not is_colourless({**step, "x_shape": "none"}, "x")
    assert not is_colourless({}, "x"), "no step yet"
