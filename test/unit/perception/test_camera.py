"""Images of every common encoding, and what is wrong with bad ones."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from vla_ros.perception.camera import CameraCheck, WrongEncoding, colour, depth
from vla_ros.perception.frames import CameraHealth
from vla_ros.sim.rendering import add_sensor_noise

RGB = np.full((4, 6, 3), (200, 100, 50), np.uint8)


def message(encoding: str, pixels: np.ndarray, padding: int = 0) -> SimpleNamespace:
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(height, -1)
    rows = np.hstack([rows, np.zeros((height, padding), np.uint8)])
    return SimpleNamespace(
        encoding=encoding, height=height, width=width, step=rows.shape[1], is_bigendian=0, data=rows.tobytes()
    )


@pytest.mark.parametrize(
    ("encoding", "pixels", "tolerance"),
    [
        ("rgb8", RGB, 0),
        ("bgr8", RGB[:, :, ::-1], 0),
        ("rgba8", cv2.cvtColor(RGB, cv2.COLOR_RGB2RGBA), 0),
        ("bgra8", cv2.cvtColor(RGB, cv2.COLOR_RGB2BGRA), 0),
        ("yuv422", cv2.cvtColor(RGB, cv2.COLOR_RGB2YUV_UYVY), 6),
        ("yuv422_yuy2", cv2.cvtColor(RGB, cv2.COLOR_RGB2YUV_YUYV), 6),
    ],
)
def test_colours_arrive(encoding: str, pixels: np.ndarray, tolerance: int) -> None:
    assert np.abs(colour(message(encoding, pixels)).astype(int) - RGB).max() <= tolerance


def test_grey_arrives_as_grey() -> None:
    image = colour(message("mono8", np.full((4, 6), 90, np.uint8)))
    assert image.shape == (4, 6, 3)
    assert (image == 90).all()


@pytest.mark.parametrize("pattern", ["bayer_rggb8", "bayer_bggr8", "bayer_gbrg8", "bayer_grbg8"])
def test_bayer_mosaics_are_decoded_with_red_and_blue_in_their_places(pattern: str) -> None:
    mosaic = np.zeros((16, 16), np.uint8)
    letters = pattern[6:10]
    for i, letter in enumerate(letters):
        mosaic[i // 2 :: 2, i % 2 :: 2] = {"r": 200, "g": 100, "b": 50}[letter]
    centre = colour(message(pattern, mosaic))[4:12, 4:12].reshape(-1, 3).mean(0)
    assert centre == pytest.approx([200, 100, 50], abs=3)


def test_padded_rows_are_read() -> None:
    assert (colour(message("rgb8", RGB, padding=14)) == RGB).all()


def test_compressed_images_are_read() -> None:
    data = cv2.imencode(".png", RGB[:, :, ::-1])[1].tobytes()
    assert (colour(SimpleNamespace(format="png", data=data)) == RGB).all()
    with pytest.raises(WrongEncoding, match="neither jpeg nor png"):
        colour(SimpleNamespace(format="png", data=b"no image"))


def test_depth_is_metres() -> None:
    millimetres = np.array([[1500, 0]], np.uint16)
    assert depth(message("16UC1", millimetres))[0, 0] == pytest.approx(1.5)
    assert np.isnan(depth(message("16UC1", millimetres))[0, 1])
    assert depth(message("32FC1", np.array([[0.25]], np.float32)))[0, 0] == pytest.approx(0.25)
    big = message("16UC1", millimetres.astype(">u2"))
    big.is_bigendian = 1
    assert depth(big)[0, 0] == pytest.approx(1.5)


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(WrongEncoding, match="encoding '8UC7'"):
        colour(message("8UC7", RGB))
    with pytest.raises(WrongEncoding, match="encoding 'rgb8': depth"):
        depth(message("rgb8", RGB))


@pytest.mark.parametrize("encoding", ["rgb8", "rgba8", "mono8", "yuv422", "bayer_rggb8"])
def test_rows_shorter_than_the_width_are_named(encoding: str) -> None:
    short = message(encoding, np.zeros((4, 5), np.uint8))
    short.width = 6
    with pytest.raises(WrongEncoding, match=f"6x4 {encoding}, step 5"):
        colour(short)


def test_too_few_bytes_are_named() -> None:
    short = message("rgb8", RGB)
    short.data = short.data[:-1]
    with pytest.raises(WrongEncoding, match="71 bytes for 6x4"):
        colour(short)


def check() -> CameraCheck:
    return CameraCheck(height=8, width=12, stale_ns=100, frozen_images=3, dark_level=4.0)


def noisy(seed: int, level: int = 100) -> SimpleNamespace:
    return message("rgb8", np.random.default_rng(seed).integers(0, level, (4, 6, 3), dtype=np.uint8))


def test_health() -> None:
    camera = check()
    assert camera.judged(0).health is CameraHealth.MISSING
    camera.receive(noisy(1), 50)
    assert camera.judged(60).health is CameraHealth.OK
    assert camera.judged(151).health is CameraHealth.STALE
    for _ in range(2):
        camera.receive(noisy(1), 60)
    assert camera.judged(60).health is CameraHealth.FROZEN
    camera.receive(noisy(2), 70)
    assert camera.judged(70).health is CameraHealth.OK
    camera.receive(noisy(3, level=4), 80)
    assert camera.judged(80).health is CameraHealth.DARK
    camera.receive(message("8UC7", RGB), 90)
    assert camera.judged(90).health is CameraHealth.WRONG_ENCODING
    assert "8UC7" in camera.judged(90).problem


def test_an_image_of_another_clock_is_of_no_known_age() -> None:
    camera = check()
    camera.receive(noisy(1), 10**10)
    assert camera.judged(10**10 - 50_000_000).health is CameraHealth.OK
    ahead = camera.judged(0)
    assert (ahead.health, ahead.problem) == (CameraHealth.STALE, "stamped 10.0 s ahead; compare the clocks")


def test_bytes_that_the_decoder_refuses_are_a_wrong_encoding() -> None:
    with pytest.raises(WrongEncoding, match="compressed image"):
        colour(SimpleNamespace(format="jpeg", data=b""))


def test_the_matrix_is_resized_with_the_image() -> None:
    camera = check()
    k = [10.0, 0.0, 2.5, 0.0, 10.0, 1.5, 0.0, 0.0, 1.0]
    camera.receive(noisy(1), 0, SimpleNamespace(k=k, width=6, height=4))
    scaled = camera.judged(0).k
    assert scaled is not None
    # The image's centre stays its centre.
    assert scaled[0] == pytest.approx([20.0, 0.0, 5.5])
    assert scaled[1] == pytest.approx([0.0, 20.0, 3.5])
    camera.receive(noisy(2), 1, SimpleNamespace(k=k, width=640, height=480))
    assert camera.judged(1).health is CameraHealth.WRONG_SIZE


def test_a_simulated_scene_at_rest_is_not_a_frozen_camera() -> None:
    camera = check()
    still = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    for stamp_ns in range(1, 60):
        pixels = still.copy()
        add_sensor_noise(pixels, stamp_ns)
        assert np.abs(pixels.astype(int) - still).max() <= 1
        camera.receive(message("rgb8", pixels), stamp_ns)
        assert camera.judged(stamp_ns).health is CameraHealth.OK


def seen(stamps_ms: list[int], stale_ms: int = 500) -> CameraCheck:
    check = CameraCheck(4, 6, stale_ms * 1_000_000, 99, 4.0)
    for stamp_ms in stamps_ms:
        check.receive(message("rgb8", RGB), stamp_ms * 1_000_000)
    return check


@pytest.mark.parametrize(
    ("stamps_ms", "moment_ms", "awaited"),
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
    ],
)
def test_the_nearest_image_is_awaited_where_one_is_to_come(stamps_ms: list[int], moment_ms: int, awaited: bool) -> None:
    moment_ns = moment_ms * 1_000_000
    assert seen(stamps_ms).awaited(moment_ns, moment_ns + 5_000_000) is awaited
