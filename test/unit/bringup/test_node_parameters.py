"""Parameters of nodes that contradict each other are refused with the key."""

from __future__ import annotations

from typing import Any

import pytest

from vla_ros.bringup.graph import parameters_of
from vla_ros.bringup.node_parameters import PARAMETERS, CameraParameters, PlannerParameters, full_name
from vla_ros.parameters import ParameterError, from_mapping, nested
from vla_ros.perception.camera_traits import CameraTraits


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"cameras": []}, "cameras: needs at least one name"),
        ({"cameras": ["front", "front"]}, "cameras: needs at least one name, each once"),
        ({"depth_cameras": ["wrist", "top"]}, "depth_cameras: top, wrist is not in cameras"),
        ({"topics": ["a", "b"]}, "topics: expected 1, one per camera, got 2"),
        ({"transports": ["raw", "raw"]}, "transports: expected 1, one per camera, got 2"),
        ({"transports": ["h264"]}, r"transports\[0\]: must be one of raw, compressed; got 'h264'"),
        ({"depth_transports": ["raw"]}, "depth_transports: expected 0, one for each of depth_cameras, got 1"),
        ({"rectified_cameras": ["wrist"]}, "rectified_cameras: wrist is not in cameras"),
        (
            {"noisy_cameras": ["front"], "noiseless_cameras": ["front"]},
            "noiseless_cameras: front is in noisy_cameras too",
        ),
        ({"frozen_images": 1}, "frozen_images: must be at least 2"),
    ],
)
def test_cameras_that_do_not_fit_together_are_refused(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        from_mapping(CameraParameters, {"cameras": ["front"], **changes})


def test_each_camera_has_its_own_topic_transport_and_traits() -> None:
    cameras = CameraParameters(
        cameras=["front", "wrist", "side"],
        topics=["a/image_raw", "b/image_rect_color", "c/image"],
        transports=["raw", "compressed", "raw"],
        depth_cameras=["wrist"],
        depth_transports=["compressedDepth"],
        distorted_cameras=["side"],
        noisy_cameras=["front"],
        noiseless_cameras=["side"],
    )
    assert [cameras.image_transport(name) for name in cameras.cameras] == ["raw", "compressed", "raw"]
    assert (
        cameras.image_topic("wrist") == "b/image_rect_color" and cameras.depth_transport("wrist") == "compressedDepth"
    )
    assert cameras.traits("front", "a/image_raw") == CameraTraits(noisy=True)
    assert cameras.traits("wrist", "b/image_rect_color") == CameraTraits(rectified=True)
    assert cameras.traits("side", "c/image") == CameraTraits(keep_distortion=True, noisy=False)
    plain = CameraParameters(
        cameras=["front"], transport="compressed", rectified_cameras=["front"], depth_cameras=["front"]
    )
    assert plain.image_topic("front") == "front_camera/image_raw" and plain.image_transport("front") == "compressed"
    assert plain.depth_transport("front") == "raw" and plain.traits("front", "a") == CameraTraits(rectified=True)


def test_each_camera_with_a_known_pose_needs_seven_numbers() -> None:
    flat = {**parameters_of("planner"), "cameras": ["front"], "camera_poses": [0.0] * 6}
    with pytest.raises(ParameterError, match="camera_poses: 6 values for 1 cameras; each needs 7"):
        from_mapping(PlannerParameters, nested(flat))


def test_the_packaged_configuration_fits_every_node() -> None:
    for name in ("camera", "planner", "action_expert", "safety_filter", "sim_arm"):
        assert from_mapping(PARAMETERS[name], nested(parameters_of(name)))


@pytest.mark.parametrize(
    ("node", "fault", "told"),
    [
        ("safety_filter", "limits.jerk[1]: too small", "safety_filter.limits.jerk[1]: too small"),
        ("safety_filter", "urdf: /a.urdf: No such file", "safety_filter.urdf: /a.urdf: No such file"),
        ("safety_filter", "safety_filter.limits.jerk: missing", "safety_filter.limits.jerk: missing"),
        ("safety_filter", "joint 3 is broken", "joint 3 is broken"),
        ("other", "urdf: none", "urdf: none"),
    ],
)
def test_a_fault_has_the_full_name_of_its_parameter(node: str, fault: str, told: str) -> None:
    assert full_name(node, fault) == told
