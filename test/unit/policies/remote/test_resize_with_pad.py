"""Images are resized without distortion, in the middle of black. Pillow's own numbers are compared by test/models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.policies.remote.resize_with_pad import resize_with_pad


@pytest.mark.parametrize(
    ("size", "rows", "columns"),
    [
        ((480, 640), slice(28, 196), slice(0, 224)),
        ((640, 480), slice(0, 224), slice(28, 196)),
        ((100, 100), slice(0, 224), slice(0, 224)),
    ],
)
def test_the_picture_lies_in_the_middle_of_black(size: tuple[int, int], rows: slice, columns: slice) -> None:
    found = resize_with_pad(np.full((*size, 3), 200, np.uint8), 224, 224)
    inside = np.zeros((224, 224), bool)
    inside[rows, columns] = True
    assert (found[inside] == 200).all() and not found[~inside].any()


def test_an_image_of_that_size_is_the_same() -> None:
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    assert resize_with_pad(image, 2, 2) is image


def test_half_the_size_is_the_triangle_filter() -> None:
    row = np.array([0, 80, 160, 240], np.uint8)
    image = np.repeat(np.repeat(row[None, :, None], 4, axis=0), 3, axis=2)
    # Weights 3, 3, 1 of the pixels within two of the new pixel's centre at the border, as Pillow has them.
    assert resize_with_pad(image, 2, 2)[0, :, 0].tolist() == [57, 183]


@given(st.integers(8, 90), st.integers(8, 90), st.integers(8, 60), st.integers(8, 60), st.integers(0, 255))
def test_an_even_picture_stays_even(height: int, width: int, rows: int, columns: int, level: int) -> None:
    found = resize_with_pad(np.full((height, width, 3), level, np.uint8), rows, columns)
    assert found.shape == (rows, columns, 3) and found.dtype == np.uint8
    assert set(np.unique(found)) <= {0, level}
