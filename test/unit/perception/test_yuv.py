"""Brightness and colour difference, in every order and with every size, become the colours that were sent."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from vla_ros.perception.encodings import decode_colour
from vla_ros.perception.wrong_encoding import WrongEncoding

LEFT, RIGHT = (200.0, 60.0, 40.0), (40.0, 60.0, 200.0)
FROM_RGB = np.array([[0.257, 0.504, 0.098], [-0.148, -0.291, 0.439], [0.439, -0.368, -0.071]])


def scene(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rgb and yuv (H, W, 3): red on the left, blue from a column on that is even."""
    rgb = np.empty((height, width, 3))
    rgb[:] = LEFT
    rgb[:, width // 4 * 2 :] = RIGHT
    return rgb, (rgb @ FROM_RGB.T + [16.0, 128.0, 128.0]).round().astype(np.uint8)


def packed(yuv: np.ndarray, order: str, padding: int) -> SimpleNamespace:
    """Bytes of a row in the order of e.g. "uyvy"; of an odd last pair both values of y are the same."""
    height, width = yuv.shape[:2]
    whole = np.concatenate([yuv, yuv[:, -1:]], 1)[:, : (width + 1) // 2 * 2]
    y = iter((0, 1))
    parts = [whole[:, next(y) :: 2, 0] if letter == "y" else whole[:, ::2, " uv".index(letter)] for letter in order]
    rows = np.stack(parts, -1).reshape(height, -1)
    return image(np.pad(rows, ((0, 0), (0, padding))), height, width)


def planar(yuv: np.ndarray, columns: int, rows: int, order: str, padding: int = 0) -> SimpleNamespace:
    """Planes one behind the other; order: "uv", "vu" for pairs, "u,v", "v,u" for planes."""
    height, width = yuv.shape[:2]
    step = width + width % columns + padding
    u, v = yuv[::rows, ::columns, 1], yuv[::rows, ::columns, 2]
    first, second = (u, v) if order.startswith("u") else (v, u)
    colours = [first, second] if "," in order else [np.stack([first, second], -1).reshape(len(first), -1)]
    stride = step // columns if "," in order else step * 2 // columns
    planes = [(yuv[..., 0], step), *((plane, stride) for plane in colours)]
    data = b"".join(np.pad(plane, ((0, 0), (0, to - plane.shape[1]))).tobytes() for plane, to in planes)
    message = image(np.zeros((height, step), np.uint8), height, width)
    message.data = data
    return message


def image(rows: np.ndarray, height: int, width: int) -> SimpleNamespace:
    return SimpleNamespace(height=height, width=width, step=rows.shape[1], is_bigendian=0, data=rows.tobytes())


SIZES = [(8, 12), (7, 9), (1, 5), (5, 3), (2, 2)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("padding", [0, 8])
@pytest.mark.parametrize(
    ("encoding", "order"),
    [
        ("uyvy", "uyvy"),
        ("yuv422", "uyvy"),
        ("UYVY", "uyvy"),
        ("yuyv", "yuyv"),
        ("yuv422_yuy2", "yuyv"),
        ("yvyu", "yvyu"),
        ("nv12", (2, 2, "uv")),
        ("nv21", (2, 2, "vu")),
        ("nv16", (2, 1, "uv")),
        ("nv61", (2, 1, "vu")),
        ("nv24", (1, 1, "uv")),
        ("nv42", (1, 1, "vu")),
        ("i420", (2, 2, "u,v")),
        ("yv12", (2, 2, "v,u")),
        ("yuv444", (1, 1, "u,v")),
    ],
)
def test_colours_arrive(encoding: str, order: str | tuple[int, int, str], size: tuple[int, int], padding: int) -> None:
    rgb, yuv = scene(*size)
    message = packed(yuv, order, padding) if isinstance(order, str) else planar(yuv, *order, padding)
    message.encoding = encoding
    assert np.abs(decode_colour(message).astype(float) - rgb).max() <= 4


def test_three_bytes_a_pixel_are_yuv444_too() -> None:
    rgb, yuv = scene(7, 9)
    message = image(np.pad(yuv.reshape(7, -1), ((0, 0), (0, 5))), 7, 9)
    message.encoding = "yuv444"
    assert np.abs(decode_colour(message).astype(float) - rgb).max() <= 4


@pytest.mark.parametrize(
    ("step", "height"),
    [(24, 16), (32, 16), (16, 24)],
    ids=["step counts all planes of a row", "step counts two bytes a pixel", "height counts the rows of all planes"],
)
def test_drivers_that_count_otherwise_are_read(step: int, height: int) -> None:
    rgb, yuv = scene(16, 16)
    message = planar(yuv, 2, 2, "uv")
    message.encoding, message.step, message.height = "nv12", step, height
    assert np.abs(decode_colour(message).astype(float) - rgb).max() <= 4


def test_an_odd_row_may_end_within_a_pair() -> None:
    rgb, yuv = scene(3, 5)
    message = packed(yuv, "yuyv", 0)
    rows = np.frombuffer(message.data, np.uint8).reshape(3, -1)[:, :10]
    message.encoding, message.step, message.data = "yuyv", 10, rows.tobytes()
    assert np.abs(decode_colour(message).astype(float) - rgb).max() <= 4


@pytest.mark.parametrize("encoding", ["nv12", "nv24", "i420", "yuv444", "uyvy"])
def test_too_few_bytes_are_named(encoding: str) -> None:
    message = image(np.zeros((4, 12), np.uint8), 4, 6)
    message.encoding, message.data = encoding, message.data[:40]
    with pytest.raises(WrongEncoding, match=f"^40 bytes for 6x4 {encoding}, step 12$"):
        decode_colour(message)
