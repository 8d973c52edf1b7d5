"""Placements and twists of the arm."""

from __future__ import annotations

import numpy as np
import pinocchio as pin

from test.unit.safety.geometry.motion import Model
from vla_ros.safety.geometry.arm_kinematics import cross, points_of

MODEL = Model()
Q = np.random.default_rng(0).uniform(-0.02, 0.04, (4, 8)) + np.array([0.0, -0.5, 0.0, -2.0, 0.0, 1.6, 0.8, 0.0])


def test_joints_are_where_pinocchio_places_them() -> None:
    placement = MODEL.paths.kinematics.place(Q)
    for k, q in enumerate(Q):
        MODEL.arm.place(q)
        data = MODEL.arm._data
        for joint in range(MODEL.arm.model.njoints):
            assert np.allclose(placement.poses[k, joint], data.oMi[joint].homogeneous)


def test_twists_are_the_motion_of_points_by_finite_differences() -> None:
    kinematics = MODEL.paths.kinematics
    rates = np.linspace(-1.0, 1.0, 8)
    placement = kinematics.place(Q[:1])
    twist = kinematics.twists(placement.columns, rates[None])[0]
    joints, points = np.arange(1, 10), np.full((9, 3), 0.1)
    h = 1e-6
    ahead, behind = (points_of(kinematics.place(Q[:1] + s * h * rates).poses, joints, points)[0] for s in (1, -1))
    at = points_of(placement.poses, joints, points)[0]
    moved = twist[joints, :3] + cross(twist[joints, 3:], at)
    assert np.allclose(moved, (ahead - behind) / (2 * h), atol=1e-7)


def test_another_placement_disturbs_nobody() -> None:
    MODEL.arm.place(Q[0])
    before = MODEL.arm._data.oMi[5].homogeneous.copy()
    MODEL.paths.kinematics.place(Q[1:])
    assert (MODEL.arm._data.oMi[5].homogeneous == before).all()
    assert isinstance(before, np.ndarray) and pin.__version__
