"""What a model points at has a place: by depth, or on the table; or it is said why not."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.perception.pinhole import PinholeCamera
from vla_ros.policies.vlm.pointing import NoPlace, PointedPixel, place_of
from vla_ros.sim.arm_description import origin_of
from vla_ros.sim.model import intrinsics

SIZE = 256
POSE, K = origin_of("front_camera_optical"), intrinsics("front", SIZE, SIZE)
CAMERA = PinholeCamera(K, POSE)
IMAGE = np.zeros((SIZE, SIZE, 3), np.uint8)
VIEW = CameraView(IMAGE, k=K, T_base_camera=POSE)


def pointed(place: np.ndarray) -> PointedPixel:
    u, v = CAMERA.project(place[None])[0]
    return PointedPixel("front", (u + 0.5) / SIZE * 1000, (v + 0.5) / SIZE * 1000)


def locate(point: PointedPixel, view: CameraView = VIEW, plane_m: float = 0.0) -> np.ndarray:
    return place_of(point, Frames(0, {"front": view}), plane_m, 1.5)


@pytest.mark.parametrize("height", [0.0, 0.05])
@pytest.mark.parametrize("spot", [(0.5, 0.0), (0.4, -0.2), (0.6, 0.15)])
def test_a_pixel_is_a_place_on_the_table(spot: tuple[float, float], height: float) -> None:
    place = np.array([*spot, height])
    assert locate(pointed(place), plane_m=height) == pytest.approx(place, abs=1e-9)


def test_depth_goes_before_the_table_and_single_pixels_may_lack_it() -> None:
    place = np.array([0.5, 0.1, 0.2])
    depth = np.full((SIZE, SIZE), np.nan, np.float32)
    u, v = CAMERA.project(place[None])[0].round().astype(int)
    along = ((place - POSE[:3, 3]) @ POSE[:3, :3])[2]
    depth[v - 1 : v + 2, u - 1 : u + 2] = along
    depth[v, u] = np.nan
    view = CameraView(IMAGE, k=K, T_base_camera=POSE, depth=depth)
    assert locate(pointed(place), view) == pytest.approx(place, abs=5e-3)
    assert locate(pointed(np.array([0.4, -0.2, 0.0])), view)[2] == pytest.approx(0.0)  # nothing known there: the table


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (CameraView(IMAGE, CameraHealth.DARK, K, None, POSE), "camera 'front': dark"),
        (CameraView(IMAGE, k=None, T_base_camera=POSE), "its CameraInfo is not known"),
        (CameraView(IMAGE, k=K), "its pose is not known"),
    ],
)
def test_a_camera_that_cannot_tell_says_why(view: CameraView, reason: str) -> None:
    with pytest.raises(NoPlace, match=reason):
        locate(PointedPixel("front", 500, 500), view)


def test_an_unknown_camera_is_named_with_those_there_are() -> None:
    with pytest.raises(NoPlace, match="no camera 'top'; there are front"):
        locate(PointedPixel("top", 500, 500))


def test_the_horizon_and_far_places_are_no_places() -> None:
    level = POSE.copy()
    level[:3, :3] = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])  # looks at the base, level
    view = CameraView(IMAGE, k=K, T_base_camera=level)
    for y in (0, 250, 500):
        with pytest.raises(NoPlace, match="shows nothing at the height of the table"):
            locate(PointedPixel("front", 500, y), view)
    with pytest.raises(NoPlace, match="m from the base; at most 1.5 m is believed"):
        locate(PointedPixel("front", 500, 600), view)
