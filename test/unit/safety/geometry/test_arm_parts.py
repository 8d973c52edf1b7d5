"""Parts of the arm: their speeds, and the bounds of how these change."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from test.unit.safety.geometry.motion import Model
from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.arm_parts import TOOL, Parts, centres_of_mass, moving_parts

MODEL = Model()
GENERATOR = np.random.default_rng(1)
LOWER, UPPER = (np.array([getattr(joint, end) for joint in MODEL.limits]) for end in ("lower", "upper"))


def draw(count: int) -> np.ndarray:
    q: np.ndarray = GENERATOR.uniform(LOWER, UPPER, (count, 8))
    return q


def speeds_at(q: np.ndarray, rates: np.ndarray, limits: float = 0.0) -> np.ndarray:
    kinematics = MODEL.paths.kinematics
    placement = kinematics.place(q)
    twists = kinematics.twists(placement.columns, rates)
    return MODEL.parts.speeds(placement.poses, list(range(len(q))), twists, np.full(len(MODEL.parts.names), limits))


def test_the_moving_bodies_and_the_tool_are_the_parts() -> None:
    assert MODEL.parts.names[-1] == TOOL and "base" not in MODEL.parts.names
    assert {"link4", "hand", "left_finger"} <= set(MODEL.parts.names)
    (tool,) = [part for part in moving_parts(MODEL.arm, MODEL.parameters.tool) if part.name == TOOL]
    assert tool.points.shape == (1, 3)
    with pytest.raises(ParameterError, match=r"tool.link: 'nowhere' is not a link"):
        moving_parts(MODEL.arm, dataclasses.replace(MODEL.parameters.tool, link="nowhere"))
    with pytest.raises(ParameterError, match=r"no link that the joints move has a <collision>"):
        Parts(MODEL.arm, MODEL.paths.kinematics, [])


def test_the_speed_of_a_part_is_that_of_its_fastest_point_and_never_more_than_the_balls() -> None:
    q, rates = draw(20), GENERATOR.normal(size=(20, 8))
    exact, quick = speeds_at(q, rates), speeds_at(q, rates, np.inf)
    assert (exact <= quick + 1e-12).all() and (exact < quick - 1e-3).any()
    tool = MODEL.parts.names.index(TOOL)
    ahead, behind = (positions(q + s * 1e-6 * rates)[:, tool] for s in (1, -1))
    assert np.allclose(exact[:, tool], np.linalg.norm(ahead - behind, axis=1) / 2e-6, atol=1e-6)


def test_the_speed_along_a_direction_is_at_least_that_of_what_reaches_furthest() -> None:
    q, rates, normals = draw(20), GENERATOR.normal(size=(20, 8)), np.array([[0.0, 1.0, 0.0], [0.6, 0.0, 0.8]])
    kinematics = MODEL.paths.kinematics
    placement = kinematics.place(q)
    along = MODEL.parts.speeds_along(placement.poses, kinematics.twists(placement.columns, rates), normals)
    ahead, behind = (MODEL.parts.furthest_along(kinematics.place(q + s * 1e-6 * rates).poses, normals) for s in (1, -1))
    assert ((ahead - behind) / 2e-6 <= along + 1e-6).all()
    assert along.min() < -0.1, "it tells a part that comes from one that goes"


def positions(q: np.ndarray) -> np.ndarray:
    """(k, b, 3) of the first point of each part."""
    poses = MODEL.paths.kinematics.place(q).poses
    points = [poses[:, p.joint, :3, :3] @ p.points[0] + poses[:, p.joint, :3, 3] for p in MODEL.parts.parts]
    return np.stack(points, axis=1)


def test_lever_arms_here_and_anywhere_bound_the_speed() -> None:
    q, rates = draw(50), np.abs(GENERATOR.normal(size=(50, 8)))
    exact = speeds_at(q, rates)
    assert (exact <= rates @ MODEL.parts.lever_arms.T + 1e-9).all()
    for k in range(50):
        arms = MODEL.parts.lever_arms_at(MODEL.paths.kinematics.place(q[k : k + 1]))
        assert (exact[k] <= arms @ rates[k] + 1e-9).all()
        assert (arms <= 2.5 * MODEL.parts.lever_arms + 1.0).all()


def test_curvature_bounds_how_the_speed_changes_with_the_position() -> None:
    q, step = draw(200), GENERATOR.uniform(-0.1, 0.1, (200, 8))
    step[:, 7] = 0.0
    rates = GENERATOR.normal(size=(200, 8))
    kinematics = MODEL.paths.kinematics
    changes = []
    for at in (q, q + step):
        poses, columns = kinematics.place(at)
        twists = kinematics.twists(columns, rates)
        points = [poses[:, p.joint, :3, :3] @ p.points[0] + poses[:, p.joint, :3, 3] for p in MODEL.parts.parts]
        changes.append(
            np.stack(
                [
                    twists[:, p.joint, :3] + np.cross(twists[:, p.joint, 3:], x)
                    for p, x in zip(MODEL.parts.parts, points, strict=True)
                ],
                1,
            )
        )
    changed = np.linalg.norm(changes[1] - changes[0], axis=2)
    products = (np.abs(rates)[:, :, None] * np.abs(step)[:, None, :]).reshape(200, -1)
    bound = products @ MODEL.parts.curvature
    assert (changed <= bound + 1e-9).all()
    assert (changed > 0.2 * bound).any(), "not far from what happens"


def test_reach_along_a_direction_is_that_of_the_furthest_point() -> None:
    normals = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    q = draw(5)
    reach = MODEL.parts.furthest_along(MODEL.paths.kinematics.place(q).poses, normals)
    assert reach.shape == (5, len(MODEL.parts.names), 2)
    first = positions(q)
    assert (reach >= np.einsum("kbi,si->kbs", first, normals) - 1e-12).all()


def test_centres_of_mass_are_those_of_the_urdf() -> None:
    centres = centres_of_mass(MODEL.arm, MODEL.paths.kinematics)
    assert [part.name for part in centres][:2] == ["joint1", "joint2"]
    assert np.allclose(centres[0].points[0], MODEL.arm.model.inertias[1].lever)
