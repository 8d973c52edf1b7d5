"""Images to positions: resolutions, crops, cameras and peaks of scores."""

import numpy as np
import pytest

from vla_ros.policies.compact import projection
from vla_ros.sim.arm_description import origin_of
from vla_ros.sim.model import intrinsics

CAMERA = projection.Pinhole(intrinsics("front", 256, 256), origin_of("front_camera_optical"))


def test_a_point_is_found_again_from_its_pixel_and_height():
    points = np.array([[0.5, 0.1, 0.022], [0.4, -0.2, 0.3]])
    pixels = CAMERA.project(points)
    assert (pixels[:, 2] > 0.5).all()
    np.testing.assert_allclose(CAMERA.at_height(pixels[:, :2], points[:, 2]), points, atol=1e-9)


def test_a_resized_image_shows_the_same_direction():
    point = np.array([[0.5, 0.1, 0.022]])
    small = projection.Pinhole(projection.scaled_intrinsics(CAMERA.k, 256, 256, 128), CAMERA.T_base_camera)
    u = CAMERA.project(point)[0, :2]
    np.testing.assert_allclose(small.project(point)[0, :2], (u + 0.5) / 2 - 0.5, atol=1e-9)


def test_the_place_lies_between_cells_and_nowhere_is_told():
    rows, columns = np.mgrid[0:16, 0:16]
    hill = -0.5 * ((columns - 5.3) ** 2 + (rows - 9.6) ** 2) / 0.7**2
    scores = np.append(hill.ravel(), -20.0)
    cells, seen = projection.peak(scores)
    np.testing.assert_allclose(cells, [5.3, 9.6], atol=0.05)
    assert seen > 0.99
    assert projection.peak(np.append(hill.ravel(), 20.0))[1] < 1e-3
    np.testing.assert_allclose(projection.to_cells(projection.to_pixels(cells)), cells)


def test_a_sharp_picture_and_a_blunt_one_show_the_same_place():
    pixels = np.array([[3.0, 100.5], [0.0, 255.0]])
    np.testing.assert_allclose(projection.downscale(projection.upscale(pixels)), pixels)
    picture = np.zeros((256, 256, 3), np.uint8)
    picture[40:42, 80:82] = 255  # one pixel of the small picture
    small = projection.resized(picture, 128)
    assert small[20, 40].tolist() == [255] * 3 and small.astype(int).sum() == 3 * 255
    np.testing.assert_allclose(projection.upscale(np.array([40.0, 20.0])), [80.5, 40.5])


def test_a_patch_goes_on_beyond_the_edge():
    picture = np.arange(64, dtype=np.uint8).reshape(8, 8)[..., None].repeat(3, 2)
    inside = projection.crop(picture, np.array([4, 3]), 4)
    np.testing.assert_array_equal(inside, picture[1:5, 2:6])
    corner = projection.crop(picture, np.array([0, 0]), 4)
    assert (corner[:3, :3] == picture[0, 0]).all() and corner[3, 3, 0] == picture[1, 1, 0]


def test_a_point_is_found_again_by_its_pixel_and_height():
    T_base_camera = np.eye(4)
    T_base_camera[:3, :3] = np.diag([1.0, -1.0, -1.0])
    T_base_camera[:3, 3] = 0.4, 0.1, 1.0
    camera = projection.Pinhole(np.array([[150.0, 0, 64], [0, 150.0, 64], [0, 0, 1]]), T_base_camera)
    point = np.array([0.5, 0.05, 0.03])
    np.testing.assert_allclose(camera.at_height(camera.project(point)[:2], np.array(0.03)), point, atol=1e-12)


def test_places_are_told_best_first_and_apart() -> None:
    side = 16
    grid = np.full((side, side), -20.0)
    grid[4, 5], grid[4, 6], grid[12, 3] = 3.0, 1.0, 2.0  # two cells of one thing, and another thing
    scores = np.append(grid, 0.0)
    cells, shares, there = projection.peaks(scores, 2)
    share = np.exp([3.0, 1.0, 2.0]) / np.exp([3.0, 1.0, 2.0, 0.0]).sum()
    np.testing.assert_allclose(cells[0], [(5 * share[0] + 6 * share[1]) / share[:2].sum(), 4], atol=1e-6)
    np.testing.assert_allclose(cells[1], [3, 12], atol=1e-6)
    np.testing.assert_allclose(shares, [share[:2].sum(), share[2]], rtol=1e-6)
    assert there == pytest.approx(share.sum())
    best, seen = projection.peak(scores)
    np.testing.assert_array_equal(best, cells[0])
    assert seen == there
