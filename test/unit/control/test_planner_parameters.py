"""Poses of cameras: seven numbers each."""

from __future__ import annotations

import pytest

from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.parameters import ParameterError, from_mapping


def test_a_camera_without_its_whole_pose_is_refused() -> None:
    known = {"joint_names": ["elbow"], "cameras": ["front"], "camera_poses": [0.0] * 7}
    assert from_mapping(PlannerParameters, known).cameras == ["front"]
    with pytest.raises(ParameterError, match=r"^planner\.camera_poses: 6 values for 1 cameras; each needs 7$"):
        from_mapping(PlannerParameters, {**known, "camera_poses": [0.0] * 6}, "planner.")
