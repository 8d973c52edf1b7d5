"""One description, two languages: what URDF and MJCF say of the arm is the same."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from vla_ros.sim.arm_description import (
    JOINT_NAMES,
    MIMIC_JOINT,
    Primitive,
    limits_of,
    mjcf_body,
    origin_of,
    rpy_of,
    transform,
    urdf,
    wxyz,
)


def test_both_languages_have_the_same_moving_joints_with_the_same_ranges() -> None:
    robot, body = ElementTree.fromstring(urdf()), mjcf_body()
    told = {joint.get("name"): joint.find("limit") for joint in robot.iter("joint") if joint.get("type") != "fixed"}
    ranges = {joint.get("name"): str(joint.get("range")).split() for joint in body.iter("joint")}
    assert set(told) == set(ranges) == {*JOINT_NAMES, MIMIC_JOINT}
    for name, limit in told.items():
        assert limit is not None and [limit.get("lower"), limit.get("upper")] == ranges[name]


def test_the_mimic_finger_has_the_limits_of_the_one_that_is_driven() -> None:
    assert limits_of(MIMIC_JOINT) == limits_of(JOINT_NAMES[-1])


@pytest.mark.parametrize("rpy", [(0.3, -0.4, 1.2), (0.0, 0.0, 0.0), (-2.0, 0.7, 3.0)])
def test_angles_and_quaternions_describe_the_rotation_that_they_were_made_of(rpy: tuple[float, float, float]) -> None:
    rotation = transform(rpy=rpy)[:3, :3]
    assert rpy_of(rotation) == pytest.approx(rpy)
    w, x, y, z = wxyz(transform(rpy=rpy))
    cosine = (np.trace(rotation) - 1) / 2
    assert w >= 0 and w**2 + x**2 + y**2 + z**2 == pytest.approx(1.0)
    assert 2 * w**2 - 1 == pytest.approx(cosine)


def test_a_capsule_without_a_straight_part_weighs_what_a_sphere_does() -> None:
    (capsule, capsule_inertia), (sphere, sphere_inertia) = (
        Primitive("capsule", (0.05, 0.0)).volume_and_inertia(),
        Primitive("sphere", (0.05,)).volume_and_inertia(),
    )
    assert capsule == pytest.approx(sphere) and np.allclose(capsule_inertia, sphere_inertia)


def test_the_front_camera_looks_at_the_table() -> None:
    pose = origin_of("front_camera_optical")
    assert pose[:3, 3] == pytest.approx([1.25, 0.0, 0.8])
    assert pose[0, 2] < 0 and pose[2, 2] < 0, "back towards the arm, and down"
