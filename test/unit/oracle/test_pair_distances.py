"""All pairs at once: bounds that are below the distances, distances as two bodies alone have them, planes exactly."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.oracle.distance import box_distances
from vla_ros.oracle.pair_distances import JudgedPair, PairDistances
from vla_ros.oracle.robot import JudgedBody, pose

DRAW = np.random.default_rng(5)


def body(link: str) -> JudgedBody:
    half = DRAW.uniform(0.0, 0.2, 3) * DRAW.integers(0, 2, 3)
    return JudgedBody(
        link,
        half,
        float(DRAW.uniform(0.0, 0.1)),
        pose(DRAW.uniform(-1, 1, 3).tolist(), DRAW.uniform(-3, 3, 3).tolist()),
    )


def link_poses(samples: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    turned = np.array([pose((0, 0, 0), DRAW.uniform(-3, 3, 3).tolist())[:3, :3] for _ in range(2 * samples)])
    places = DRAW.uniform(-1, 1, (2 * samples, 3))
    return {name: (turned[k::2], places[k::2]) for k, name in enumerate(("a", "b"))}


def test_bounds_are_below_the_distances_and_of_planes_they_are_the_distances() -> None:
    normal = np.array([0.6, 0.0, 0.8])
    pairs = [JudgedPair("keep", 0.01, body("a"), body("b")) for _ in range(20)]
    pairs[3] = JudgedPair("fence", 0.0, body("a"), plane=(normal, 0.4))
    pairs[7] = JudgedPair("fence", 0.0, body("b"), plane=(-normal, 0.1))
    found, poses = PairDistances(pairs), link_poses(30)
    placed = found.place(poses)
    bounds = found.lower_bounds(placed)
    for i, pair in enumerate(pairs):
        distances = found.distance(i, placed, np.arange(30))
        T = pair.body.T_link_body
        R, p = poses[pair.body.link]
        centre = p + R @ T[:3, 3]
        if pair.plane is not None:
            reach = np.abs(pair.plane[0] @ (R @ T[:3, :3])) @ pair.body.half + pair.body.radius
            np.testing.assert_allclose(distances, pair.plane[1] - centre @ pair.plane[0] - reach, atol=1e-12)
            np.testing.assert_allclose(bounds[i], distances, atol=1e-12)
            continue
        assert pair.other is not None
        S, s = poses[pair.other.link]
        U = pair.other.T_link_body
        apart = box_distances(R @ T[:3, :3], centre, pair.body.half, S @ U[:3, :3], s + S @ U[:3, 3], pair.other.half)
        np.testing.assert_allclose(distances, apart - pair.body.radius - pair.other.radius, atol=1e-12)
        assert (bounds[i] <= distances + 1e-12).all() or (distances < 0.0).any()
    assert found.margins[:2] == pytest.approx([0.01, 0.01])


def test_one_row_of_many_is_measured_alone() -> None:
    found = PairDistances([JudgedPair("keep", 0.0, body("a"), body("b"))])
    placed = found.place(link_poses(4))
    every = found.distance(0, placed, np.arange(4))
    assert found.distance(0, placed, np.array([2]))[0] == pytest.approx(every[2])
