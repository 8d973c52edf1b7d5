"""Compressed images are what their bytes say, whatever their format says."""

from __future__ import annotations

import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from test.unit.perception.image_messages import RGB
from test.unit.perception.test_rvl import pack
from vla_ros.perception.encodings import decode_colour, decode_depth
from vla_ros.perception.wrong_encoding import WrongEncoding

FORMATS = [
    "jpeg",
    "jpg",
    "png",
    "",
    "rgb8; jpeg compressed bgr8",
    "bgr8;png compressed",
    "h264",
    "16UC1; png compressed ",
]
MILLIMETRES = np.array([[1500, 0, 65535], [250, 700, 701]], np.uint16)
METRES = np.where(MILLIMETRES, MILLIMETRES / 1000.0, np.nan)


def compressed(form: str, data: bytes) -> SimpleNamespace:
    return SimpleNamespace(format=form, data=data)


def encoded(kind: str, pixels: np.ndarray) -> bytes:
    return bytes(cv2.imencode(f".{kind}", pixels)[1].tobytes())


@pytest.mark.parametrize("form", FORMATS)
def test_pictures_arrive(form: str) -> None:
    assert (decode_colour(compressed(form, encoded("png", RGB[:, :, ::-1]))) == RGB).all()
    jpeg = decode_colour(compressed(form, encoded("jpg", RGB[:, :, ::-1])))
    assert np.abs(jpeg.astype(int) - RGB).max() <= 6


def test_grey_sixteen_bits_alpha_and_mosaics_arrive() -> None:
    grey = np.full((4, 6), 90, np.uint8)
    assert (decode_colour(compressed("png", encoded("png", grey))) == 90).all()
    twelve_bits = np.full((4, 6), 2048, np.uint16)
    assert (decode_colour(compressed("mono16; png compressed", encoded("png", twelve_bits))) == 128).all()
    bgra = np.dstack([RGB[:, :, ::-1], grey])
    assert (decode_colour(compressed("png", encoded("png", bgra))) == RGB).all()
    mosaic = np.zeros((8, 8), np.uint8)
    mosaic[::2, ::2] = 200
    seen = decode_colour(compressed("bayer_rggb8; png compressed", encoded("png", mosaic)))[4, 4]
    assert seen.tolist() == [200, 0, 0]


def test_an_image_is_not_turned_as_its_exif_data_say() -> None:
    picture = encoded("jpg", np.zeros((4, 6, 3), np.uint8))
    turned = struct.pack(">2sHHIHHHIHHI", b"MM", 42, 0, 8, 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b"Exif\0\0" + turned
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif
    assert decode_colour(compressed("jpeg", picture[:2] + segment + picture[2:])).shape == (4, 6, 3)


@pytest.mark.parametrize(
    "form", ["16UC1; compressedDepth", "16UC1; compressedDepth png", "png", "", "16UC1;compressedDepth rvl"]
)
def test_depth_in_millimetres_arrives(form: str) -> None:
    for header in (bytes(12), b""):
        depth = decode_depth(compressed(form.replace("rvl", "png"), header + encoded("png", MILLIMETRES)))
        assert depth == pytest.approx(METRES, nan_ok=True)
    if "compressedDepth" in form:
        assert decode_depth(compressed(form, bytes(12) + pack(MILLIMETRES))) == pytest.approx(METRES, nan_ok=True)


@pytest.mark.parametrize("form", ["32FC1; compressedDepth png", "32FC1;compressedDepth", "compressedDepth", ""])
def test_quantised_depth_in_metres_arrives(form: str) -> None:
    a, b = 10100.0, 1.0 - 10100.0 / 10.0
    metres = np.array([[0.5, np.nan, 4.0], [1.0, 2.0, 9.9]], np.float32)
    quantised = np.nan_to_num(a / metres + b).round().astype(np.uint16)
    message = compressed(form, struct.pack("<iff", 1, a, b) + encoded("png", quantised))
    assert decode_depth(message) == pytest.approx(metres, rel=0.01, nan_ok=True)


@pytest.mark.parametrize(
    ("form", "data", "text"),
    [
        ("jpeg", b"", "no bytes"),
        ("png", b"no image at all", "15 bytes, neither jpeg nor png, or cut off"),
        ("png", encoded("png", RGB)[:20], "20 bytes, neither jpeg nor png, or cut off"),
        ("16UC1; compressedDepth", bytes(12) + encoded("png", MILLIMETRES), "this is depth, not colour"),
    ],
)
def test_what_is_no_picture_is_named(form: str, data: bytes, text: str) -> None:
    with pytest.raises(WrongEncoding, match=rf"^compressed image \('{form}'\): {text}$"):
        decode_colour(compressed(form, data))


def test_a_picture_is_no_depth() -> None:
    with pytest.raises(WrongEncoding, match="depth has one channel of 16 bits"):
        decode_depth(compressed("png", encoded("png", RGB)))
