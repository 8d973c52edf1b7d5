"""What the filter draws: in the frame of the arm, where the things are."""

from __future__ import annotations

import numpy as np
import pytest
from visualization_msgs.msg import Marker, MarkerArray

from vla_ros.bringup.graph import parameters_of
from vla_ros.parameters import from_mapping, nested
from vla_ros.ros.markers import SafetyMarkers, class_and_velocity, obstacles_from, oldest_stamp_age_ns, root_link
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.arm_description import urdf

WORLD = {
    "fence.box": [-0.5, -0.6, -0.1, 0.7, 0.8, 0.9],
    "fence.planes": [0.0, 3.0, -4.0, 2.0],
    "table.height_m": [0.02],
    "keep_out.boxes": [0.1, 0.2, 0.3, 0.2, 0.3, 0.4, 0.0, 0.0, 1.0],
}
SHOWN = [
    Obstacle("a", "base", "box", (0.1, 0.2, 0.3), (0.5, 0.0, 0.2)),
    Obstacle("b", "base", "sphere", (0.1,), (0.5, 0.3, 0.2)),
    Obstacle("c", "base", "capsule", (0.1, 0.4), (0.5, -0.3, 0.2)),
]


def drawn() -> dict[tuple[str, int], Marker]:
    parameters = from_mapping(SafetyFilterParameters, nested({**parameters_of("safety_filter"), **WORLD}))
    message = SafetyMarkers(parameters, "pedestal").message(7 * 10**9, SHOWN, None, "", "LIMITING: joint4: too fast")
    return {(marker.ns, marker.id): marker for marker in message.markers}


def test_everything_is_drawn_in_the_frame_of_the_arm_and_goes_when_it_is_not_drawn_again() -> None:
    markers = drawn()
    assert {marker.header.frame_id for marker in markers.values()} == {"pedestal"}
    assert {marker.header.stamp.sec for marker in markers.values()} == {7}
    assert {marker.lifetime.sec for marker in markers.values()} == {1}
    assert markers["filter", 0].text == "LIMITING: joint4: too fast"


def test_a_box_of_the_fence_has_its_corners_and_twelve_edges() -> None:
    points = np.array([(p.x, p.y, p.z) for p in drawn()["fence", 0].points])
    assert len(points) == 24
    assert points.min(0).tolist() == WORLD["fence.box"][:3]
    assert points.max(0).tolist() == WORLD["fence.box"][3:]
    edges = points[1::2] - points[::2]
    assert (np.count_nonzero(edges, axis=1) == 1).all()


@pytest.mark.parametrize(
    ("key", "normal", "offset"), [(("fence", 1), (0.0, 0.6, -0.8), 0.4), (("table", 0), (0.0, 0.0, 1.0), 0.02)]
)
def test_a_plane_is_a_sheet_with_its_normal(key: tuple[str, int], normal: tuple[float, ...], offset: float) -> None:
    marker = drawn()[key]
    x, y, z, w = (getattr(marker.pose.orientation, name) for name in "xyzw")
    turned = (2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y))  # where z goes
    np.testing.assert_allclose(turned, normal, atol=1e-12)
    at = marker.pose.position
    assert np.dot((at.x, at.y, at.z), normal) == pytest.approx(offset)


def test_obstacles_come_back_as_what_they_are() -> None:
    markers = [marker for (ns, _), marker in sorted(drawn().items()) if ns == "obstacles"]
    assert [(marker.type, marker.scale.x, marker.scale.z) for marker in markers] == [
        (Marker.CUBE, 0.1, 0.3),
        (Marker.SPHERE, 0.2, 0.2),
        (Marker.CYLINDER, 0.2, 0.4),
    ]
    again = obstacles_from(MarkerArray(markers=markers), 7 * 10**9)
    assert [(o.shape, o.size, o.xyz) for o in again] == [(o.shape, o.size, o.xyz) for o in SHOWN]


def test_markers_are_as_old_as_the_oldest_stamp_says() -> None:
    stamped, unstamped = Marker(), Marker()
    stamped.header.stamp.sec = 5
    assert oldest_stamp_age_ns(MarkerArray(markers=[unstamped]), 7 * 10**9) == 0
    assert oldest_stamp_age_ns(MarkerArray(markers=[stamped, unstamped]), 7 * 10**9) == 2 * 10**9
    assert oldest_stamp_age_ns(MarkerArray(markers=[stamped]), 4 * 10**9) == 0


def test_what_a_marker_cannot_mean_is_refused_by_name() -> None:
    ahead, odd, gone = Marker(type=Marker.CUBE, id=1), Marker(action=7, id=2), Marker(action=Marker.DELETEALL, id=3)
    ahead.header.stamp.sec = 9
    read = obstacles_from(MarkerArray(markers=[ahead, odd, gone]), 7 * 10**9)
    assert [obstacle.id for obstacle in read] == ["1", "2"]
    assert "marker stamped 2.0 s ahead" in read[0].fault()
    assert "marker action 7" in read[1].fault()


def test_the_root_link_hangs_on_nothing() -> None:
    assert root_link(urdf().replace('"base"', '"pedestal"')) == "pedestal"
    assert root_link("<robot/>") == "base"


@pytest.mark.parametrize(
    ("namespace", "text", "kind", "velocity"),
    [
        ("", "", "", None),
        ("box", "a label", "", None),
        ("humanoid", "", "", None),
        ("human", "", "human", None),
        ("human/3", "left arm", "human", None),
        ("", "human", "human", None),
        ("", "human 0.1 -0.8 0", "human", (0.1, -0.8, 0.0)),
        ("cart", "moving 0.3 0.0 0.0", "", (0.3, 0.0, 0.0)),
        ("human", "moving 0.3 0.0 0.0", "human", (0.3, 0.0, 0.0)),
    ],
)
def test_class_and_velocity_stand_in_namespace_and_text(
    namespace: str, text: str, kind: str, velocity: tuple[float, ...] | None
) -> None:
    assert class_and_velocity(namespace, text) == (kind, velocity)


@pytest.mark.parametrize(
    "text", ["human fast", "human 1 2", "human 1 2 3 4", "moving", "moving nan 0 0", "human inf 0 0"]
)
def test_a_velocity_that_cannot_be_read_refuses_the_list(text: str) -> None:
    marker = Marker(type=Marker.SPHERE, text=text)
    marker.scale.x = marker.scale.y = marker.scale.z = 0.2
    marker.pose.orientation.w = 1.0
    (obstacle,) = obstacles_from(MarkerArray(markers=[marker]), 0)
    assert "has the velocity" in obstacle.fault()
