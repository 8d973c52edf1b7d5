import numpy as np
import pytest

from vla_ros.policies.compact import projection
from vla_ros.policies.compact.features import nearest_symmetric_yaw, pointing_down, yaw_of
from vla_ros.policies.compact.object_tracker import ObjectTracker, Detection
from vla_ros.policies.compact.smoothing import smooth
from vla_ros.policies.compact.system2 import apart
from vla_ros.policies.compact.vocabulary import PADDING, UNKNOWN, Vocabulary, tokenize
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


@pytest.mark.parametrize("yaw", [-2.0, 0.0, 0.7])
def test_the_yaw_of_a_hand_that_points_down(yaw):
    rotation = pointing_down(np.array(yaw))
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    assert yaw_of(rotation) == pytest.approx(yaw)


def test_a_turn_that_looks_the_same_is_taken_next_to_the_hand():
    rotated = nearest_symmetric_yaw(np.array(1.5), 4, np.array(0.0))
    assert rotated == pytest.approx(1.5 - np.pi / 2)
    assert abs(nearest_symmetric_yaw(np.array(np.pi), 2, np.array(0.2))) < 1e-9


def test_a_turn_that_the_wrist_cannot_follow_is_not_taken():
    sideways, here = np.array(np.pi / 2), np.array(0.0)
    assert nearest_symmetric_yaw(sideways, 2, here, (-1.2, 3.0)) == pytest.approx(np.pi / 2)
    assert nearest_symmetric_yaw(sideways, 2, here, (-3.0, 1.2)) == pytest.approx(-np.pi / 2)
    assert nearest_symmetric_yaw(sideways, 1, here, (-3.0, 1.2)) == pytest.approx(np.pi / 2)  # there is no other


def test_many_looks_are_better_than_one_and_a_single_jump_is_not_believed():
    rng = np.random.default_rng(0)
    truth, memory = np.array([0.5, 0.1, 0.02]), ObjectTracker()
    for _ in range(30):
        memory.look(Detection(truth + rng.normal(0, 0.004, 3), 0.004, np.array([1.0, 0.0]), 0.9), 0.1, False)
    assert np.linalg.norm(memory.p - truth) < 0.004
    elsewhere = Detection(truth + 0.1, 0.004, np.array([1.0, 0.0]), 0.9)
    memory.look(elsewhere, 0.1, False)
    assert np.linalg.norm(memory.p - truth) < 0.004
    memory.look(elsewhere, 0.1, False)
    np.testing.assert_allclose(memory.p, truth + 0.1)


def test_what_is_not_seen_is_remembered_with_growing_doubt():
    memory = ObjectTracker()
    memory.look(Detection(np.zeros(3), 0.003, np.zeros(2), 0.9), 0.1, False)
    sigma = memory.sigma
    memory.look(Detection(np.ones(3), 0.003, np.zeros(2), 0.1), 1.0, False)
    assert memory.known and np.all(memory.p == 0) and memory.sigma > sigma and memory.seen < 0.9


def test_smoothing_keeps_what_is_committed_and_removes_noise():
    t = np.linspace(0, 1, 31)
    truth = np.column_stack([t**3, np.sin(2 * t)])
    rng = np.random.default_rng(0)
    rows = truth[::2] + rng.normal(0, 0.002, (16, 2))
    points = smooth(rows, 2, truth[:5])
    np.testing.assert_array_equal(points[:5], truth[:5])
    assert np.abs(points - truth).max() < 0.01
    assert np.abs(np.diff(points, 3, axis=0)).max() < 0.2 * np.abs(np.diff(np.repeat(rows, 2, 0)[1:], 3, axis=0)).max()


def test_words():
    assert tokenize("Don't, PUSH it.") == ["dont", ",", "push", "it", "."]
    vocabulary = Vocabulary.of(["red cube", "the cube"])
    assert vocabulary.encode("the green cube", 5).tolist() == [4, UNKNOWN, 2, PADDING, PADDING]
    assert vocabulary.unknown("the green cube") == ["green"]


def test_a_vocabulary_is_read_as_it_was_written(tmp_path):
    Vocabulary.of(["red cube"]).save(tmp_path)
    assert Vocabulary.load(tmp_path).words == ("cube", "red")


@pytest.mark.parametrize(
    ("verb", "x", "y", "p_tool", "far"),
    [
        ("stack", (0.5, 0.0), (0.5, 0.01), (0.4, 0.2), False),
        ("stack", (0.5, 0.0), (0.5, 0.17), (0.5, 0.0), True),
        ("place", (0.5, 0.0), (0.4, 0.1), (0.5, 0.0), True),
        ("pick", (0.5, 0.0), (0.0, 0.0), (0.5, 0.02), False),
        ("pick", (0.5, 0.0), (0.0, 0.0), (0.5, 0.2), True),
        ("push", (0.5, 0.0), (0.0, 0.0), (0.9, 0.2), False),
    ],
)
def test_what_is_seen_elsewhere_cannot_be_done(verb, x, y, p_tool, far):
    places = (np.array([*place, height]) for place, height in ((x, 0.02), (y, 0.06), (p_tool, 0.2)))
    assert apart(verb, *places) is far
