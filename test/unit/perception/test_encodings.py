"""Images of every common encoding, and what is wrong with bad ones."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from test.unit.perception.image_messages import RGB, message
from vla_ros.perception.encodings import WrongEncoding, decode_colour, decode_depth


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
    assert np.abs(decode_colour(message(encoding, pixels)).astype(int) - RGB).max() <= tolerance


def test_grey_arrives_as_grey() -> None:
    image = decode_colour(message("mono8", np.full((4, 6), 90, np.uint8)))
    assert image.shape == (4, 6, 3)
    assert (image == 90).all()


@pytest.mark.parametrize("pattern", ["bayer_rggb8", "bayer_bggr8", "bayer_gbrg8", "bayer_grbg8"])
def test_bayer_mosaics_are_decoded_with_red_and_blue_in_their_places(pattern: str) -> None:
    mosaic = np.zeros((16, 16), np.uint8)
    letters = pattern[6:10]
    for i, letter in enumerate(letters):
        mosaic[i // 2 :: 2, i % 2 :: 2] = {"r": 200, "g": 100, "b": 50}[letter]
    centre = decode_colour(message(pattern, mosaic))[4:12, 4:12].reshape(-1, 3).mean(0)
    assert centre == pytest.approx([200, 100, 50], abs=3)


def test_padded_rows_are_read() -> None:
    assert (decode_colour(message("rgb8", RGB, padding=14)) == RGB).all()


def test_compressed_images_are_read() -> None:
    data = cv2.imencode(".png", RGB[:, :, ::-1])[1].tobytes()
    assert (decode_colour(SimpleNamespace(format="png", data=data)) == RGB).all()
    with pytest.raises(WrongEncoding, match="neither jpeg nor png"):
        decode_colour(SimpleNamespace(format="png", data=b"no image"))


def test_depth_is_metres() -> None:
    millimetres = np.array([[1500, 0]], np.uint16)
    assert decode_depth(message("16UC1", millimetres))[0, 0] == pytest.approx(1.5)
    assert np.isnan(decode_depth(message("16UC1", millimetres))[0, 1])
    assert decode_depth(message("32FC1", np.array([[0.25]], np.float32)))[0, 0] == pytest.approx(0.25)
    big = message("16UC1", millimetres.astype(">u2"))
    big.is_bigendian = 1
    assert decode_depth(big)[0, 0] == pytest.approx(1.5)


def test_an_unknown_encoding_is_named() -> None:
    with pytest.raises(WrongEncoding, match="encoding '8UC7'"):
        decode_colour(message("8UC7", RGB))
    with pytest.raises(WrongEncoding, match="encoding 'rgb8': depth"):
        decode_depth(message("rgb8", RGB))


@pytest.mark.parametrize("encoding", ["rgb8", "rgba8", "mono8", "yuv422", "bayer_rggb8"])
def test_rows_shorter_than_the_width_are_named(encoding: str) -> None:
    short = message(encoding, np.zeros((4, 5), np.uint8))
    short.width = 6
    with pytest.raises(WrongEncoding, match=f"6x4 {encoding}, step 5"):
        decode_colour(short)


def test_too_few_bytes_are_named() -> None:
    short = message("rgb8", RGB)
    short.data = short.data[:-1]
    with pytest.raises(WrongEncoding, match="71 bytes for 6x4"):
        decode_colour(short)


def test_bytes_that_the_decoder_refuses_are_a_wrong_encoding() -> None:
    with pytest.raises(WrongEncoding, match="compressed image"):
        decode_colour(SimpleNamespace(format="jpeg", data=b""))
