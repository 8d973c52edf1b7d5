"""The oracle's distances against brute force and against coal."""

from __future__ import annotations

import coal
import numpy as np
import pytest
from numpy.typing import NDArray

from vla_ros.oracle.distance import box_distances, segment_box_distances

Array = NDArray[np.float64]


def turns(rng: np.random.Generator, count: int) -> Array:
    q = rng.normal(size=(count, 4))
    x, y, z, w = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)]
    rows += [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)]
    rows += [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]
    return np.array(rows).T.reshape(count, 3, 3)


HALVES = {
    "box": np.array([0.2, 0.1, 0.3]),
    "thin box": np.array([0.2, 0.01, 0.3]),
    "segment": np.array([0.0, 0.0, 0.3]),
    "point": np.zeros(3),
}


def test_a_segment_and_a_box_against_samples_along_the_segment() -> None:
    rng = np.random.default_rng(1)
    start, along = rng.uniform(-1, 1, (300, 3)), rng.uniform(-1.5, 1.5, (300, 3))
    along[::5, 0] = 0.0
    along[::7] *= 1e-9
    half = HALVES["box"]
    points = start[:, None] + np.linspace(0, 1, 4001)[None, :, None] * along[:, None]
    brute = np.linalg.norm(points - np.clip(points, -half, half), axis=-1).min(axis=1)
    found = segment_box_distances(start, along, half)
    assert np.all(found <= brute + 1e-12)
    assert np.all(brute <= found + np.linalg.norm(along, axis=1) / 8000 + 1e-12)


@pytest.mark.parametrize("a", HALVES)
@pytest.mark.parametrize("b", HALVES)
def test_cores_against_coal(a: str, b: str) -> None:
    rng = np.random.default_rng(2)
    count = 150
    R_a, R_b = turns(rng, count), turns(rng, count)
    p_a, p_b = rng.uniform(-0.6, 0.6, (count, 3)), rng.uniform(-0.3, 0.3, (count, 3))
    found = box_distances(R_a, p_a, HALVES[a], R_b, p_b, HALVES[b])
    back = box_distances(R_b, p_b, HALVES[b], R_a, p_a, HALVES[a])
    np.testing.assert_allclose(found, back, atol=1e-12)
    radius = 1e-3  # coal has no segments: capsules of this radius, taken off again
    shapes = []
    for name in (a, b):
        half = HALVES[name]
        box = np.count_nonzero(half) == 3
        shapes.append((coal.Box(*(2 * half)) if box else coal.Capsule(radius, 2 * half[2]), 0.0 if box else radius))
    overlaps = 0
    for i in range(count):
        result = coal.DistanceResult()
        request = coal.DistanceRequest()
        poses = [coal.Transform3s(R[i], p[i]) for R, p in ((R_a, p_a), (R_b, p_b))]
        distance = coal.distance(shapes[0][0], poses[0], shapes[1][0], poses[1], request, result)
        distance += shapes[0][1] + shapes[1][1]
        overlaps += found[i] < 0
        if found[i] > 0:
            assert found[i] == pytest.approx(distance, abs=1e-5)
        else:
            assert distance < 1e-5 + shapes[0][1] + shapes[1][1]
    assert overlaps == 0 or (a.endswith("box") and b.endswith("box"))


def test_overlapping_boxes_report_the_way_that_parts_them() -> None:
    eye, half = np.eye(3)[None], np.full(3, 0.5)
    found = box_distances(eye, np.array([[0.9, 0.2, 0.0]]), half, eye, np.zeros((1, 3)), half)
    assert found[0] == pytest.approx(-0.1)
