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
    with pytest.raises(ParameterError, match=r"^planner\.camera_links: 2 names for 1 cameras; each needs one$"):
        from_mapping(PlannerParameters, {**known, "camera_links": ["hand", ""]}, "planner.")
    both = {**known, "cameras": ["front", "wrist"], "camera_poses": [0.0] * 7 + [1.0, 2, 3, 0, 0, 0, 1]}
    assert from_mapping(PlannerParameters, both).mounted_cameras == {}
    (mounted,) = from_mapping(PlannerParameters, {**both, "camera_links": ["", "hand"]}).mounted_cameras.items()
    assert mounted[0] == "wrist" and mounted[1][0] == "hand" and mounted[1][1][:3, 3].tolist() == [1.0, 2.0, 3.0]
