"""What is wrong with a camera, and whether its next image is worth waiting for."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from test.unit.perception.image_messages import RGB, message
from vla_ros.perception.camera_check import CameraCheck
from vla_ros.perception.camera_traits import UNKNOWN, CameraTraits
from vla_ros.perception.frames import CameraHealth
from vla_ros.perception.still_images import NOISY_CHANGES
from vla_ros.sim.rendering import add_sensor_noise


def check(traits: CameraTraits = UNKNOWN) -> CameraCheck:
    return CameraCheck(height=8, width=12, stale_ns=100, frozen_images=3, dark_level=4.0, traits=traits)


def learned(camera: CameraCheck) -> None:
    """Let a camera be known to have noise."""
    for seed in range(100, 101 + NOISY_CHANGES):
        camera.receive(message("rgb8", np.random.default_rng(seed).integers(0, 200, (32, 32, 3), dtype=np.uint8)), 40)


def noisy(seed: int, level: int = 100) -> SimpleNamespace:
    return message("rgb8", np.random.default_rng(seed).integers(0, level, (4, 6, 3), dtype=np.uint8))


def test_health() -> None:
    camera = check()
    assert camera.newest(0).health is CameraHealth.MISSING
    learned(camera)
    camera.receive(noisy(1), 50)
    assert camera.newest(60).health is CameraHealth.OK
    assert camera.newest(151).health is CameraHealth.STALE
    for _ in range(2):
        camera.receive(noisy(1), 60)
    assert camera.newest(60).health is CameraHealth.FROZEN
    assert camera.newest(60).problem == (
        "3 identical images; where it sends no noise, name it in camera.noiseless_cameras"
    )
    camera.receive(noisy(2), 70)
    assert camera.newest(70).health is CameraHealth.OK
    camera.receive(noisy(3, level=4), 80)
    assert camera.newest(80).health is CameraHealth.DARK
    camera.receive(message("8UC7", RGB), 90)
    assert camera.newest(90).health is CameraHealth.WRONG_ENCODING
    assert "8UC7" in camera.newest(90).problem


def test_an_image_of_another_clock_is_of_no_known_age() -> None:
    camera = check()
    camera.receive(noisy(1), 10**10)
    assert camera.newest(10**10 - 50_000_000).health is CameraHealth.OK
    ahead = camera.newest(0)
    assert (ahead.health, ahead.problem) == (CameraHealth.STALE, "stamped 10.0 s ahead; compare the clocks")


def test_the_matrix_is_resized_with_the_image() -> None:
    camera = check()
    k = [10.0, 0.0, 2.5, 0.0, 10.0, 1.5, 0.0, 0.0, 1.0]
    camera.receive(noisy(1), 0, SimpleNamespace(k=k, width=6, height=4))
    scaled = camera.newest(0).k
    assert scaled is not None
    # The image's centre stays its centre.
    assert scaled[0] == pytest.approx([20.0, 0.0, 5.5])
    assert scaled[1] == pytest.approx([0.0, 20.0, 3.5])
    camera.receive(noisy(2), 1, SimpleNamespace(k=k, width=640, height=480))
    assert camera.newest(1).health is CameraHealth.WRONG_SIZE


def test_a_simulated_scene_at_rest_is_not_a_frozen_camera() -> None:
    camera = check()
    still = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    for stamp_ns in range(1, 60):
        pixels = still.copy()
        add_sensor_noise(pixels, stamp_ns)
        assert np.abs(pixels.astype(int) - still).max() <= 1
        camera.receive(message("rgb8", pixels), stamp_ns)
        assert camera.newest(stamp_ns).health is CameraHealth.OK
    for _ in range(3):  # and one that repeats an image is
        camera.receive(message("rgb8", still), 60)
    assert camera.newest(60).health is CameraHealth.FROZEN


def test_a_camera_without_noise_may_look_at_a_still_scene() -> None:
    camera = check()
    for stamp_ns in range(1, 60):
        camera.receive(message("rgb8", RGB), stamp_ns)
        assert camera.newest(stamp_ns).health is CameraHealth.OK
    told = check(CameraTraits(noisy=True))
    for _ in range(3):
        told.receive(message("rgb8", RGB), 60)
    assert (told.newest(60).health, told.newest(60).problem) == (CameraHealth.FROZEN, "3 identical images")


def test_a_distorted_image_is_undistorted_unless_it_is_to_be_kept() -> None:
    pixels = np.random.default_rng(0).integers(20, 256, (8, 12, 3), dtype=np.uint8)
    k = [10.0, 0.0, 6.0, 0.0, 10.0, 4.0, 0.0, 0.0, 1.0]
    info = SimpleNamespace(k=k, d=[-0.3, 0.1, 0.0, 0.0, 0.0], width=12, height=8)
    straight, kept = check(), check(CameraTraits(keep_distortion=True))
    for camera in (straight, kept):
        camera.receive(message("rgb8", pixels), 50, info)
    assert straight.newest(50).k == pytest.approx(np.reshape(k, (3, 3)))
    assert (straight.newest(50).image != pixels).any()
    assert (kept.newest(50).image == pixels).all() and kept.newest(50).k is None
    kept.receive(message("rgb8", pixels), 51, SimpleNamespace(k=k, d=[0.0] * 5, width=12, height=8))
    assert kept.newest(51).k == pytest.approx(np.reshape(k, (3, 3)))


def test_a_camera_info_that_cannot_be_used_leaves_the_image_usable() -> None:
    camera = check()
    camera.receive(noisy(1), 50, SimpleNamespace(k=[float("nan")] * 9, width=6, height=4))
    shot = camera.newest(50)
    assert shot.health is CameraHealth.OK and shot.k is None
    assert shot.geometry_problem == "CameraInfo: K holds a value that is no finite number"
    camera.receive(noisy(1), 50, SimpleNamespace(k=[10.0, 0, 3, 0, 10, 2, 0, 0, 1], width=6, height=4))
    assert camera.newest(50).geometry_problem == "" and camera.newest(50).k is not None


def seen(stamps_ms: list[int], stale_ms: int = 500) -> CameraCheck:
    check = CameraCheck(4, 6, stale_ms * 1_000_000, 99, 4.0)
    for stamp_ms in stamps_ms:
        check.receive(message("rgb8", RGB), stamp_ms * 1_000_000)
    return check


@pytest.mark.parametrize(
    ("stamps_ms", "moment_ms", "expected"),
    [
        ([900, 1000], 1101, True),  # as fast as the first camera, and of the same moments: its image is on the way
        ([900, 1000], 1099, True),
        ([900, 1000], 1000, False),
        ([900, 1000], 960, False),  # it is ahead
        ([900, 1000], 1040, False),  # half a period off for good: the next one is no nearer
        ([900, 1000], 1060, True),
        ([600, 800], 890, False),  # half as fast
        ([500, 600, 800, 900], 1000, True),  # one was lost, and one is to come
        ([500, 600, 200, 300, 400], 500, True),  # its clock was set back
        ([], 1000, False),  # never seen
        ([400, 500], 1100, False),  # silent
        ([600, 900], 1060, False),  # slow: it is due 140 ms later, and a set does not wait so long
    ],
)
def test_a_nearer_image_is_expected_where_one_is_to_come(stamps_ms: list[int], moment_ms: int, expected: bool) -> None:
    moment_ns = moment_ms * 1_000_000
    assert seen(stamps_ms).expects_nearer(moment_ns, moment_ns + 5_000_000, 100_000_000) is expected
