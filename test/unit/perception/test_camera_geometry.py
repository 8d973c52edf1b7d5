"""Which matrix an image has, and how its distortion is taken out: after sensor_msgs/CameraInfo."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from vla_ros.perception.camera_geometry import (
    WrongCameraInfo,
    WrongImageSize,
    camera_geometry,
    geometry_key,
)

SIZE = (64, 48)
K = [50.0, 0, 32, 0, 50.0, 24, 0, 0, 1]
P = [40.0, 0, 31, 0, 0, 40.0, 25, 0, 0, 0, 1, 0]
D = [-0.3, 0.1, 0.001, 0.002, 0.0]
NAN = float("nan")


def info(**changes: Any) -> SimpleNamespace:
    fields = {"k": K, "p": P, "d": [0.0] * 5, "width": 64, "height": 48, "distortion_model": "plumb_bob"}
    return SimpleNamespace(**{**fields, **changes})


def region(x: int, y: int, width: int, height: int) -> SimpleNamespace:
    return SimpleNamespace(x_offset=x, y_offset=y, width=width, height=height)


def numbers(k: np.ndarray) -> list[float]:
    return [float(each) for each in k[[0, 1, 0, 1], [0, 1, 2, 2]]]


@pytest.mark.parametrize(
    ("given", "rectified", "expected"),
    [
        (info(), False, [50, 50, 32, 24]),
        (info(), True, [40, 40, 31, 25]),
        (info(d=D), False, [40, 40, 31, 25]),  # undistorted
        (info(d=D), True, [40, 40, 31, 25]),
        (info(d=D, p=[0.0] * 12), False, [50, 50, 32, 24]),
        (info(p=[0.0] * 12), True, [50, 50, 32, 24]),
        (info(k=[0.0] * 9), False, [40, 40, 31, 25]),
        (info(k=[0.0] * 9, d=D), False, [40, 40, 31, 25]),
        (info(k=[NAN] * 9), True, [40, 40, 31, 25]),
        (info(width=0, height=0), False, [50, 50, 32, 24]),
    ],
)
def test_the_matrix_is_that_of_the_image(given: SimpleNamespace, rectified: bool, expected: list[float]) -> None:
    geometry = camera_geometry(given, SIZE, rectified)
    assert numbers(geometry.k) == pytest.approx(expected)
    assert (geometry.maps is not None) is (any(given.d) and not rectified and any(given.k))


@pytest.mark.parametrize(
    ("model", "d"),
    [
        ("plumb_bob", D),
        ("", D),
        ("plumb_bob", D[:4]),
        ("rational_polynomial", [*D, 0.01, 0.02, 0.001]),
        ("equidistant", [0.05, -0.01, 0.002, 0.001]),
    ],
)
def test_a_point_is_where_the_matrix_says_once_the_distortion_is_out(model: str, d: list[float]) -> None:
    given = info(d=d, distortion_model=model, width=320, height=240)
    given.k, given.p = [250.0, 0, 160, 0, 250.0, 120, 0, 0, 1], [200.0, 0, 155, 0, 0, 200.0, 125, 0, 0, 0, 1, 0]
    point = np.array([[[0.3, -0.2, 1.0]]])
    project = cv2.fisheye.projectPoints if model == "equidistant" else cv2.projectPoints
    arguments = (point, np.zeros(3), np.zeros(3), np.reshape(given.k, (3, 3)), np.array(d))
    column, row = project(*arguments)[0].reshape(2)
    image = np.zeros((240, 320, 3), np.uint8)
    cv2.circle(image, (round(column * 16), round(row * 16)), 4 * 16, (255, 255, 255), -1, cv2.LINE_AA, 4)
    geometry = camera_geometry(given, (320, 240), False)
    seen = geometry.undistorted(image)[..., 0].astype(float)
    rows, columns = np.mgrid[:240, :320]
    centre = [(columns * seen).sum() / seen.sum(), (rows * seen).sum() / seen.sum()]
    expected = geometry.k @ point.reshape(3)
    assert centre == pytest.approx(expected[:2], abs=0.3)


def test_depth_is_undistorted_with_the_image_and_not_interpolated() -> None:
    depth = np.full((48, 64), 1.0, np.float32)
    depth[:, 32:] = 2.0
    geometry = camera_geometry(info(d=D), SIZE, False)
    straight = geometry.undistorted_depth(depth)
    assert set(np.unique(straight[~np.isnan(straight)])) == {1.0, 2.0} and np.isnan(straight).any()
    seen = geometry.undistorted(np.repeat(np.uint8(100 * depth)[..., None], 3, 2))[..., 0]
    sharp = np.isin(seen, (100, 200))
    assert (100 * straight[sharp] == seen[sharp]).mean() > 0.99
    assert (geometry.undistorted_depth(depth[::2, ::2]) == depth[::2, ::2]).all()
    assert camera_geometry(info(), SIZE, False).undistorted_depth(depth) is depth


def test_region_and_binning_scale_the_matrix() -> None:
    whole = info(width=1280, height=960, k=[1000.0, 0, 640, 0, 1000.0, 480, 0, 0, 1], p=[0.0] * 12)
    part = camera_geometry(SimpleNamespace(**vars(whole), roi=region(100, 60, 640, 480)), (640, 480), False)
    assert numbers(part.k) == pytest.approx([1000, 1000, 540, 420])
    binned = SimpleNamespace(**vars(whole), binning_x=2, binning_y=4)
    # The middle of two pixels is 0.5 right of the first one's.
    assert numbers(camera_geometry(binned, (640, 240), False).k) == pytest.approx([500, 250, 319.75, 119.625])
    both = SimpleNamespace(**vars(whole), binning_x=2, binning_y=2, roi=region(100, 60, 641, 480))
    for columns in (320, 321):
        assert numbers(camera_geometry(both, (columns, 240), False).k) == pytest.approx([500, 500, 269.75, 209.75])
    # Some drivers state the size after binning.
    assert numbers(camera_geometry(binned, (1280, 960), False).k) == pytest.approx([1000, 1000, 640, 480])


def test_a_region_is_undistorted_about_the_centre_of_the_sensor() -> None:
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    image = cv2.GaussianBlur(image, (0, 0), 3)
    sensor = info(d=D, p=[0.0] * 12)
    whole = camera_geometry(sensor, SIZE, False).undistorted(image)
    given = SimpleNamespace(**vars(sensor), roi=region(16, 12, 40, 30))
    part = camera_geometry(given, (40, 30), False).undistorted(np.ascontiguousarray(image[12:42, 16:56]))
    inside = np.s_[4:-4, 4:-4]
    seen, expected = part[inside].astype(int), whole[12:42, 16:56][inside].astype(int)
    assert seen.min() > 0 and np.abs(seen - expected).max() <= 2


@pytest.mark.parametrize(
    ("given", "rectified", "text"),
    [
        (info(k=[0.0] * 9, p=[0.0] * 12), False, "K and P are zero: the camera is not calibrated"),
        (info(k=[NAN] * 9), False, "K holds a value that is no finite number"),
        (info(p=[NAN] * 12), True, "P holds a value that is no finite number"),
        (info(k=[50.0, 0, 32, 0, 0, 24, 0, 0, 1]), False, "K has a focal length fy of 0 pixels; it must be above 0"),
        (
            info(k=[-50.0, 0, 32, 0, 50, 24, 0, 0, 1]),
            False,
            "K has a focal length fx of -50 pixels; it must be above 0",
        ),
        (info(p=[-1.0, *P[1:]], d=D), False, "P has a focal length fx of -1 pixels; it must be above 0"),
        (info(k=K[:4]), False, "K has 4 numbers, it must have 9"),
        (info(d=D, p=[0.0] * 12), True, "P is zero, and K is that of the raw image, which is distorted"),
        (
            info(d=D, distortion_model="kannala"),
            False,
            "distortion model 'kannala'; plumb_bob, rational_polynomial, equidistant, fisheye are undistorted",
        ),
        (info(d=[0.1, 0.2]), False, "2 distortion coefficients; plumb_bob has 4 or 5"),
        (info(d=[0.1, NAN, 0, 0, 0]), False, "d holds a value that is no finite number"),
    ],
)
def test_what_gives_no_matrix_is_named(given: SimpleNamespace, rectified: bool, text: str) -> None:
    with pytest.raises(WrongCameraInfo) as error:
        camera_geometry(given, SIZE, rectified)
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (info(width=640, height=480), "64x48, its CameraInfo says 640x480"),
        (
            info(width=640, height=480, binning_x=2, binning_y=2),
            "64x48, its CameraInfo says 640x480, of which its region and binning leave 320x240",
        ),
    ],
)
def test_an_image_of_another_size_is_named(given: SimpleNamespace, text: str) -> None:
    with pytest.raises(WrongImageSize) as error:
        camera_geometry(given, SIZE, False)
    assert str(error.value) == text


def test_a_geometry_is_computed_anew_when_something_changes() -> None:
    key = geometry_key(info(), SIZE, False)
    assert key == geometry_key(info(), SIZE, False)
    others = [geometry_key(info(), SIZE, True), geometry_key(info(), (32, 24), False)]
    others += [geometry_key(info(d=D), SIZE, False), geometry_key(info(p=[NAN] * 12), SIZE, False)]
    others += [geometry_key(info(roi=region(1, 0, 0, 0)), SIZE, False), geometry_key(info(binning_x=2), SIZE, False)]
    assert key not in others
    assert geometry_key(info(p=[NAN] * 12), SIZE, False) == geometry_key(info(p=[NAN] * 12), SIZE, False)
