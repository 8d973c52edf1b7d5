"""Where the hand can go, and how it turns there."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.policies.classical.reachability import MOST_STRAIN, Reachability, yaw_of
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf


@pytest.fixture(scope="module")
def reachability() -> Reachability:
    return Reachability(Kinematics(urdf(), JOINT_NAMES), 0.0)


def test_a_pose_points_down_with_its_yaw(reachability: Reachability) -> None:
    pose = reachability.pose(np.array([0.5, 0.1]), 0.2, 0.6)
    assert pose[:3, 2] == pytest.approx([0, 0, -1]) and pose[:3, 3] == pytest.approx([0.5, 0.1, 0.2])
    assert yaw_of(pose) == pytest.approx(0.6) and np.linalg.det(pose) == pytest.approx(1.0)


def test_what_lies_too_far_out_is_out_of_reach(reachability: Reachability) -> None:
    near, far = (reachability.pose(np.array([x, 0.0]), 0.1, 0.0) for x in (0.5, 1.2))
    strain = reachability.strain(HOME, near)
    assert strain is not None and 0 < strain <= MOST_STRAIN
    assert reachability.strain(HOME, far) is None
    assert reachability.best_yaw(HOME, np.array([1.2, 0.0]), 0.1, [0.0, 1.0], []) is None


def test_fingers_avoid_a_neighbour(reachability: Reachability) -> None:
    spot, beside = np.array([0.5, 0.0]), np.array([0.5, 0.05])
    assert reachability.best_yaw(HOME, spot, 0.05, [0.0, np.pi / 2], []) == 0.0
    assert reachability.best_yaw(HOME, spot, 0.05, [0.0, np.pi / 2], [beside]) == np.pi / 2
