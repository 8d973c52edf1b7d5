"""The arm as bodies in space."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import coal
import numpy as np
import pinocchio as pin
import pytest

from test.unit.safety.simulated_arm import URDF
from vla_ros.oracle.robot import JudgedRobot
from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry import arm_model
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry_parameters import PayloadParameters, ToolParameters
from vla_ros.sim.arm_description import HOME, JOINT_NAMES


def test_lever_arms_bound_the_motion_of_every_body() -> None:
    """Random pairs of configurations: no point of a body moves by more than its lever arm bounds times the joints' motion."""
    model = ArmModel(URDF, JOINT_NAMES, ToolParameters(), PayloadParameters())
    data, draw = model.model.createData(), np.random.default_rng(0)
    lower, upper = model.model.lowerPositionLimit[:8], model.model.upperPositionLimit[:8]
    largest = 0.0
    for _ in range(300):
        a = draw.uniform(lower, upper)
        b = np.clip(a + draw.normal(0, draw.choice([1e-3, 0.1, 1.0]), 8), lower, upper)
        places = []
        for q in (a, b):
            pin.forwardKinematics(model.model, data, np.append(q, q[7]))
            places.append(
                [
                    body.points @ data.oMi[body.joint].rotation.T + data.oMi[body.joint].translation
                    for body in model.bodies
                ]
            )
        for i, (before, after) in enumerate(zip(*places, strict=True)):
            moved = np.linalg.norm(after - before, axis=1).max()
            bound = float(np.array(model.lever_arm_bounds(i)) @ np.abs(b - a))
            assert moved <= bound + 1e-12
            largest = max(largest, moved / bound if bound else 0.0)
    assert largest > 0.5, "the bound is far from what happens"


def test_bodies_inside_others_are_left_out_and_boxes_stay_boxes() -> None:
    model = ArmModel(URDF, JOINT_NAMES, ToolParameters(), PayloadParameters())
    assert {len(body.points) for body in model.bodies if "finger" in body.link} == {8}
    assert len(model.bodies) < 30
    assert {body.link for body in model.bodies} >= {"base", "link1", "link7", "hand", "left_finger", "right_finger"}


KINDS = ("continuous", "revolute", "prismatic")


def chain(draw: np.random.Generator, kinds: Sequence[str]) -> str:
    """A URDF of joints one after another, each turned and placed anyhow, with a ball at the end of each link."""
    links, joints = ['<link name="link0"/>'], []
    for i, kind in enumerate(kinds, 1):
        axis, xyz, rpy = (" ".join(f"{x:.6f}" for x in draw.normal(0, scale, 3)) for scale in (1.0, 0.3, 1.0))
        ball = '<origin xyz="0.1 0.02 -0.05"/><geometry><sphere radius="0.01"/></geometry>'
        mass = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
        links.append(f'<link name="link{i}">{mass}<collision>{ball}</collision></link>')
        limit = '<limit lower="-3" upper="3" velocity="1" effort="10"/>'
        joints.append(
            f'<joint name="joint{i}" type="{kind}"><parent link="link{i - 1}"/><child link="link{i}"/>'
            f'<origin xyz="{xyz}" rpy="{rpy}"/><axis xyz="{axis}"/>{limit}</joint>'
        )
    return f'<robot name="chain">{"".join(links + joints)}</robot>'


@pytest.mark.parametrize("seed", range(12))
def test_bodies_stand_where_the_oracle_says_and_efforts_are_those_of_joints_without_end(seed: int) -> None:
    """Continuous joints, which pinocchio keeps as two numbers each, anywhere in the chain; names in any order."""
    draw = np.random.default_rng(seed)
    kinds = ["continuous", *draw.choice(KINDS, 5)] if seed % 2 else draw.choice(KINDS, 6).tolist()
    urdf = chain(draw, kinds)
    names = [f"joint{i + 1}" for i in draw.permutation(len(kinds))]
    model = ArmModel(urdf, names, ToolParameters(), PayloadParameters())
    probe = model.add_fixed_shape("probe", coal.Sphere(0.01), pin.SE3.Identity())
    pairs = [model.add_pair(body.index, probe) for body in model.bodies]
    model.finish_pairs()
    turning = urdf.replace("continuous", "revolute")
    revolute = ArmModel(turning, names, ToolParameters(), PayloadParameters())
    for q in draw.uniform(-3, 3, (5, len(names))):
        model.place(q)
        poses = JudgedRobot(urdf).poses(names, q[None])
        for body, pair in zip(model.bodies, pairs, strict=True):
            R, p = poses[body.link][0][0], poses[body.link][1][0]
            apart = float(np.linalg.norm(p + R @ (0.1, 0.02, -0.05))) - 0.02
            assert model.distance(pair) == pytest.approx(apart, abs=1e-9)
        rates, changes = draw.normal(0, 1, (2, 1, len(names)))
        ours, theirs = (each.efforts(q[None], rates, changes) for each in (model, revolute))
        np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_mimics_of_mimics_stand_where_the_oracle_says_and_reach_as_far_as_they_are_driven() -> None:
    """joint3 follows joint2, which follows joint1; its own limits are far tighter than where that takes it."""
    urdf = chain(np.random.default_rng(3), ("revolute", "prismatic", "prismatic", "revolute"))
    for name, tag in (
        ("joint2", '<mimic joint="joint1" multiplier="0.5" offset="0.1"/>'),
        ("joint3", '<mimic joint="joint2" multiplier="-2" offset="0.3"/>'),
    ):
        begin = urdf.index(f'<joint name="{name}"')
        urdf = urdf[:begin] + urdf[begin:].replace('lower="-3" upper="3"', 'lower="0" upper="0.01"', 1).replace(
            "</joint>", f"{tag}</joint>", 1
        )
    names = ["joint1", "joint4"]
    model, draw = ArmModel(urdf, names, ToolParameters(), PayloadParameters()), np.random.default_rng(4)
    probe = model.add_fixed_shape("probe", coal.Sphere(0.01), pin.SE3.Identity())
    pairs = [model.add_pair(body.index, probe) for body in model.bodies]
    model.finish_pairs()
    places = []
    for q in draw.uniform(-3, 3, (60, 2)):
        model.place(q)
        poses = JudgedRobot(urdf).poses(names, q[None])
        centres = [poses[body.link][1][0] + poses[body.link][0][0] @ (0.1, 0.02, -0.05) for body in model.bodies]
        for centre, pair in zip(centres, pairs, strict=True):
            assert model.distance(pair) == pytest.approx(float(np.linalg.norm(centre)) - 0.02, abs=1e-9)
        places.append((q, centres))
    for (a, before), (b, after) in itertools.combinations(places, 2):
        for i in range(len(model.bodies)):
            bound = float(np.array(model.lever_arm_bounds(i)) @ np.abs(b - a))
            assert np.linalg.norm(after[i] - before[i]) <= bound + 1e-9


def test_a_joint_that_bears_no_bound_is_refused_by_name() -> None:
    urdf = chain(np.random.default_rng(0), ("revolute", "revolute")).replace(
        '"joint1" type="revolute"', '"joint1" type="floating"'
    )
    with pytest.raises(ParameterError, match="joint joint1 carries bodies and is not revolute"):
        ArmModel(urdf, ["joint2"], ToolParameters(), PayloadParameters())


def test_a_scaled_mesh_has_the_size_that_the_urdf_gives_it(tmp_path: Path) -> None:
    """200 x 40 x 40 mm, drawn in millimetres."""
    corners = [(x, y, z) for x in (-100, 100) for y in (-20, 20) for z in (-20, 20)]
    faces = [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1), (2, 3, 7), (2, 7, 6)]
    text = "".join(
        "facet normal 0 0 0\nouter loop\n"
        + "".join("vertex {} {} {}\n".format(*corners[k]) for k in face)
        + "endloop\nendfacet\n"
        for face in faces
    )
    (tmp_path / "link.stl").write_text(f"solid link\n{text}endsolid link\n")
    urdf = chain(np.random.default_rng(0), ["revolute"]).replace(
        '<sphere radius="0.01"/>', f'<mesh filename="{tmp_path / "link.stl"}" scale="0.001 0.001 0.001"/>'
    )
    (body,) = ArmModel(urdf, ["joint1"], ToolParameters(), PayloadParameters()).bodies
    length = np.ptp(body.points, axis=0)
    assert 0.2 <= float(np.linalg.norm(length)) + 2 * body.radius < 0.26
    assert body.radius == pytest.approx(0.02 * 2**0.5, rel=1e-6)


def test_a_distance_does_not_depend_on_what_was_measured_before() -> None:
    """To the last bit: drawing asks for distances that a log knows nothing of, and a replay does not."""
    draw, names = np.random.default_rng(0), JOINT_NAMES
    turn = pin.SE3(pin.rpy.rpyToMatrix(0.3, 0.8, 0.2), np.array([0.5, 0.1, 0.4]))

    def model() -> tuple[ArmModel, list[int]]:
        made = ArmModel(URDF, names, ToolParameters(), PayloadParameters())
        shapes = [
            made.add_fixed_shape(f"{i}", shape, turn)
            for i, shape in enumerate((coal.Box(0.1, 0.2, 0.3), coal.Capsule(0.03, 0.4)))
        ]
        pairs = [made.add_pair(body.index, shape) for body in made.bodies for shape in shapes]
        made.finish_pairs()
        return made, pairs

    busy, pairs = model()
    low, high = busy.model.lowerPositionLimit[:8], busy.model.upperPositionLimit[:8]
    for q in draw.uniform(low, high, (30, 8)):
        fresh, _ = model()
        for each in (busy, fresh):
            each.place(q)
        assert [busy.distance(pair) for pair in pairs] == [fresh.distance(pair) for pair in pairs]


def test_a_distance_that_is_not_a_number_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ArmModel(URDF, JOINT_NAMES, ToolParameters(), PayloadParameters())
    pair = model.add_pair(model.bodies[0].index, model.bodies[-1].index)
    model.finish_pairs()
    monkeypatch.setattr(arm_model.pin, "computeDistance", lambda *_: SimpleNamespace(min_distance=math.nan))
    with pytest.raises(ValueError, match="the distance between .* and .* is not a number"):
        model.distance(pair)


def test_gradients_are_how_distances_change_with_the_joints() -> None:
    """To a ball beside the arm, to a half space, and between two of its bodies; at home, against small steps."""
    model = ArmModel(URDF, JOINT_NAMES, ToolParameters(), PayloadParameters())
    hand = next(i for i in model.moving_bodies() if model.bodies[i].link == "hand")
    ball = model.add_fixed_shape("ball", coal.Sphere(0.05), pin.SE3(np.eye(3), np.array([0.5, 0.4, 0.6])))
    below = model.add_fixed_shape("below", coal.Halfspace(np.array([0.0, 0.0, 1.0]), 0.0), pin.SE3.Identity())
    own = model.bodies[hand].index
    pairs = [model.add_pair(own, ball), model.add_pair(own, below), model.add_pair(model.bodies[0].index, own)]
    model.finish_pairs()
    q = np.array(HOME) + [0.1, 0.05, -0.2, 0.1, 0.3, -0.1, 0.2, 0.0]

    def distances(at: np.ndarray) -> np.ndarray:
        model.place(at)
        return np.array([model.distance(pair) for pair in pairs])

    gradients = model.distance_gradients(q, pairs, distances(q))
    steps = 1e-4 * np.eye(8)
    changes = np.array([(distances(q + step) - distances(q - step)) / 2e-4 for step in steps]).T
    assert np.abs(gradients).max(axis=1).min() > 0.1
    assert np.allclose(gradients, changes, atol=0.02)
