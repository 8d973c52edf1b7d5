"""One check says whether a camera's image may be used, and whether its points can be placed."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.perception.frames import CameraHealth, CameraView

IMAGE = np.zeros((2, 2, 3), np.uint8)


@pytest.mark.parametrize("health", CameraHealth)
def test_only_a_healthy_image_has_no_fault(health: CameraHealth) -> None:
    view = CameraView(IMAGE, health, np.eye(3), T_base_camera=np.eye(4))
    assert (view.fault == "") is (health is CameraHealth.OK)
    assert view.pose_fault == view.fault
    assert "_" not in view.fault


@pytest.mark.parametrize(
    ("k", "pose", "fault"),
    [(None, np.eye(4), "its CameraInfo is not known"), (np.eye(3), None, "its pose is not known")],
)
def test_a_point_is_placed_by_intrinsics_and_pose(k: np.ndarray | None, pose: np.ndarray | None, fault: str) -> None:
    view = CameraView(IMAGE, k=k, T_base_camera=pose)
    assert view.fault == "" and view.pose_fault == fault


def test_why_a_pose_is_not_known_is_told() -> None:
    view = CameraView(IMAGE, k=np.eye(3), pose_problem="its frame 'a' is no link of the URDF")
    assert view.pose_fault == "its pose is not known: its frame 'a' is no link of the URDF"


def test_health_is_told_in_words() -> None:
    assert [health.words for health in (CameraHealth.OK, CameraHealth.WRONG_SIZE)] == ["ok", "wrong size"]
