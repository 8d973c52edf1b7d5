"""Images of every common encoding, and what is wrong with bad ones."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from test.unit.perception.image_messages import RGB, message
from vla_ros.perception.encodings import ColourDecoder, decode_colour, decode_depth
from vla_ros.perception.wrong_encoding import WrongEncoding

RGB16 = RGB.astype(np.uint16) * 257
PACKED = {
    "rgb8": RGB,
    "bgr8": RGB[:, :, ::-1],
    "8UC3": RGB[:, :, ::-1],
    "rgba8": cv2.cvtColor(RGB, cv2.COLOR_RGB2RGBA),
    "bgra8": cv2.cvtColor(RGB, cv2.COLOR_RGB2BGRA),
    "8UC4": cv2.cvtColor(RGB, cv2.COLOR_RGB2BGRA),
    "rgb16": RGB16,
    "bgr16": RGB16[:, :, ::-1],
    "16UC3": RGB16[:, :, ::-1],
    "rgba16": cv2.cvtColor(RGB16, cv2.COLOR_RGB2RGBA),
    "bgra16": cv2.cvtColor(RGB16, cv2.COLOR_RGB2BGRA),
}


@pytest.mark.parametrize("padding", [0, 1, 14])
@pytest.mark.parametrize(("encoding", "pixels"), PACKED.items(), ids=PACKED)
def test_colours_arrive(encoding: str, pixels: np.ndarray, padding: int) -> None:
    assert (decode_colour(message(encoding, pixels, padding)) == RGB).all()
    if pixels.dtype == np.uint16:
        big = message(encoding, pixels.astype(">u2"), padding)
        big.is_bigendian = 1
        assert (decode_colour(big) == RGB).all()


@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_grey_arrives_as_grey(encoding: str) -> None:
    image = decode_colour(message(encoding, np.full((4, 6), 90, np.uint8), padding=2))
    assert image.shape == (4, 6, 3)
    assert (image == 90).all()


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
def test_values_that_use_some_of_sixteen_bits_are_as_bright_as_their_range_says(bits: int) -> None:
    half, full = np.full((4, 6), 1 << (bits - 1), np.uint16), np.full((4, 6), (1 << bits) - 1, np.uint16)
    camera = ColourDecoder()
    assert (camera.decode(message("mono16", full)) == 255).all()
    assert (camera.decode(message("mono16", half)) == 128).all()
    assert (camera.decode(message("mono16", half // 64)) == 2).all()


@pytest.mark.parametrize("size", [(16, 16), (15, 17)])
@pytest.mark.parametrize("kind", ["u1", "<u2", ">u2"])
@pytest.mark.parametrize("order", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_mosaics_are_decoded_with_red_and_blue_in_their_places(
    order: str, kind: str, size: tuple[int, int]
) -> None:
    mosaic = np.zeros(size, kind)
    values = {"r": 200, "g": 100, "b": 50} if kind == "u1" else {"r": 200 << 8, "g": 100 << 8, "b": 50 << 8}
    for i, letter in enumerate(order):
        mosaic[i // 2 :: 2, i % 2 :: 2] = values[letter]
    made = message(f"bayer_{order}{8 if kind == 'u1' else 16}", mosaic, padding=6)
    made.is_bigendian = kind.startswith(">")
    centre = decode_colour(made)[4:12, 4:12].reshape(-1, 3).mean(0)
    assert centre == pytest.approx([200, 100, 50], abs=3)


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
    with pytest.raises(WrongEncoding, match="encoding '16UC1': this is depth"):
        decode_colour(message("16UC1", RGB[..., 0].astype(np.uint16)))
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
