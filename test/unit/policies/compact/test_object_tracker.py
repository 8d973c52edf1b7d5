"""Which of several things in a picture `compact` takes for what is named by its shape alone."""

import numpy as np
import pytest
from numpy.typing import NDArray

from vla_ros.policies.compact import projection
from vla_ros.policies.compact.system2 import CompactSystem2

SIDE = 16
POSE_TOLERANCE, FAR = (3.0, 4.0), (12.0, 9.0)  # cells u, v of two things; the first look prefers FAR
Cell = tuple[float, float]
NOWHERE = np.full((2, 3), np.nan)


class Looks:
    """Stands for the second look: what it says of each thing. calls: cells of x and heights that it was asked for."""

    def __init__(self, meant: dict[Cell, float]) -> None:
        self.meant = meant
        self.calls: list[tuple[Cell, float]] = []

    def __call__(
        self, picture: object, cells: NDArray[np.float64], heights: NDArray[np.float32], queries: object
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        known = np.zeros((3, projection.REFINED_DIM))
        cell = rounded(cells[0])
        self.calls.append((cell, round(float(heights[0]), 6)))
        known[0, projection.MATCH] = self.meant[cell]
        return projection.upscale(projection.to_pixels(cells)), known


def rounded(cell: NDArray[np.float64]) -> Cell:
    return round(float(cell[0])), round(float(cell[1]))


def found(
    meant: dict[Cell, float], colour: str, remembered: NDArray[np.float64] = NOWHERE
) -> tuple[Cell, list[tuple[Cell, float]]]:
    """Return the cell that was decided on, and cells and heights of the looks that were taken."""
    system2, looks = object.__new__(CompactSystem2), Looks(meant)
    system2._wishes = [{"x_colour": colour, "x_shape": "cube", "y_colour": "none", "y_shape": "bowl"}]
    system2._step = 0
    system2._again = looks  # type: ignore[method-assign]
    scores = np.full((3, SIDE, SIDE), -30.0)
    for (u, v), score in ((POSE_TOLERANCE, 1.0), (FAR, 2.0)):
        scores[:, int(v), int(u)] = score
    flat = np.concatenate([scores.reshape(3, -1), np.zeros((3, 1))], 1).astype(np.float32)
    picture, queries = np.zeros(0, np.uint8), np.zeros((1, 2, 4), np.float32)
    pixels, _, _ = system2._find(picture, flat, np.full(3, 0.9, np.float32), queries, remembered)
    return rounded(projection.to_cells(projection.downscale(pixels[0]))), looks.calls


def test_the_first_look_decides_where_a_colour_is_named() -> None:
    cell, calls = found({POSE_TOLERANCE: 5.0, FAR: 1.0}, "red")
    assert calls == [(FAR, 0.9)] and cell == FAR


@pytest.mark.parametrize(("near", "far", "cell"), [(5.0, 1.0, POSE_TOLERANCE), (-1.0, 1.0, FAR)])
def test_the_second_look_decides_where_none_is(near: float, far: float, cell: Cell) -> None:
    assert found({POSE_TOLERANCE: near, FAR: far}, "none")[0] == cell


@pytest.mark.parametrize("colour", ["red", "none"])
@pytest.mark.parametrize(("near", "cell"), [(0.5, POSE_TOLERANCE), (-0.5, FAR)])
def test_what_is_remembered_stays_while_the_second_look_agrees(near: float, cell: Cell, colour: str) -> None:
    taken, calls = found({POSE_TOLERANCE: near, FAR: 5.0}, colour, np.array([[POSE_TOLERANCE[0] + 1.5, POSE_TOLERANCE[1], 0.2], [np.nan] * 3]))
    assert calls[0] == (POSE_TOLERANCE, 0.2), "at the height that is remembered"
    assert taken == cell


def test_what_is_remembered_and_not_seen_there_is_sought_elsewhere() -> None:
    assert found({POSE_TOLERANCE: 0.5, FAR: 5.0}, "none", np.array([[8.0, 14.0, 0.2], [np.nan] * 3]))[0] == FAR
