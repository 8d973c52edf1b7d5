"""Pictures to places, and where a camera really looks."""

import numpy as np
import pytest

from vla_ros.policies.compact import camera_offset, projection
from vla_ros.policies.compact.object_tracker import ObjectTracker, Detection
from vla_ros.policies.compact.system2 import hidden, other


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


def test_a_camera_that_stands_where_it_should_is_not_corrected():
    rng, eye = np.random.default_rng(0), camera_offset.CameraOffset()
    for _ in range(300):
        eye.look(np.array([100.0, 90.0]) + rng.normal(0, 1.5, 2), np.array([100.0, 90.0]), 1.0, 0.0)
    np.testing.assert_array_equal(eye.shift, [0.0, 0.0])


def test_a_camera_that_looks_aside_is():
    rng, eye = np.random.default_rng(0), camera_offset.CameraOffset()
    for _ in range(10):
        eye.look(np.array([114.0, 82.0]) + rng.normal(0, 1.0, 2), np.array([100.0, 90.0]), 1.0, 0.0)
    np.testing.assert_allclose(eye.shift, [14.0, -8.0], atol=1.5)


@pytest.mark.parametrize(("probability", "speed"), [(0.4, 0.0), (1.0, 0.3), (1.0, np.inf)])
def test_a_tool_that_is_hidden_or_quick_says_nothing(probability, speed):
    eye = camera_offset.CameraOffset()
    eye.look(np.array([150.0, 90.0]), np.array([100.0, 90.0]), probability, speed)
    np.testing.assert_array_equal(eye.shift, [0.0, 0.0])


@pytest.mark.parametrize(
    ("seen", "tool", "carried", "another"),
    [
        ((0.41, 0.17, 0.0), (0.62, -0.24, 0.1), False, True),  # the hand hides it
        ((0.41, 0.17, 0.0), (0.43, 0.20, 0.1), False, True),  # that is in the hand
        ((0.64, -0.21, 0.0), (0.62, -0.24, 0.1), False, False),  # it has slipped
        ((0.41, 0.17, 0.0), (0.50, -0.24, 0.1), False, False),  # nothing is over it: it has been moved there
        ((0.62, -0.20, 0.09), (0.62, -0.22, 0.1), True, True),  # what the hand brings, over it
        ((0.62, -0.23, 0.02), (0.62, -0.24, 0.1), True, False),  # itself, under what the hand brings
        ((0.62, -0.20, 0.09), (0.62, -0.22, 0.1), False, False),  # it has been lifted
    ],
)
def test_what_the_hand_holds_or_hides_is_not_taken_for_another_thing(
    seen: tuple[float, float, float], tool: tuple[float, float, float], carried: bool, another: bool
) -> None:
    memory = ObjectTracker()
    place, there, hand = np.array([0.62, -0.24, 0.0]), np.array(seen), np.array(tool)
    assert not other(memory, there, hand, carried), "nothing is remembered yet"
    memory.look(Detection(place, 0.002, np.zeros(2), 1.0), 0.1, False)
    assert other(memory, there, hand, carried) is another
    memory.p[2] = 0.16
    assert not other(memory, there, hand, carried), "nothing floats: it was seen wrong, and what is seen now counts"


def test_what_is_seen_far_from_what_the_hand_hides_is_another_thing() -> None:
    memory, place = ObjectTracker(), np.array([0.62, -0.24, 0.02])
    assert not hidden(memory, place + 0.2, place), "nothing is remembered yet"
    memory.look(Detection(place, 0.002, np.zeros(2), 1.0), 0.1, False)
    assert memory.rest_m == pytest.approx(0.02)
    assert hidden(memory, place + 0.2, place + 0.05)
    assert not hidden(memory, place + 0.2, place + 0.3), "the hand is elsewhere"
    assert not hidden(memory, place + 0.05, place), "it has been touched"


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
