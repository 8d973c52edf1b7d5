"""Parameters of nodes that contradict each other are refused with the key."""

from __future__ import annotations

from typing import Any

import pytest

from vla_ros.bringup.graph import parameters_of
from vla_ros.bringup.node_parameters import PARAMETERS, CameraParameters, PlannerParameters
from vla_ros.parameters import ParameterError, from_mapping, nested


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"cameras": []}, "cameras: needs at least one name"),
        ({"cameras": ["front", "front"]}, "cameras: needs at least one name, each once"),
        ({"depth_cameras": ["wrist", "top"]}, "depth_cameras: top, wrist is not in cameras"),
        ({"topics": ["a", "b"]}, "topics: expected 1, one per camera, got 2"),
        ({"frozen_images": 1}, "frozen_images: must be at least 2"),
    ],
)
def test_cameras_that_do_not_fit_together_are_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        from_mapping(CameraParameters, {"cameras": ["front"], **changes})


def test_each_camera_with_a_known_pose_needs_seven_numbers() -> None:
    flat = {**parameters_of("planner"), "cameras": ["front"], "camera_poses": [0.0] * 6}
    with pytest.raises(ParameterError, match="camera_poses: 6 values for 1 cameras; each needs 7"):
        from_mapping(PlannerParameters, nested(flat))


def test_the_packaged_configuration_fits_every_node() -> None:
    for name in ("camera", "planner", "action_expert", "safety_filter", "sim_arm"):
        assert from_mapping(PARAMETERS[name], nested(parameters_of(name)))
