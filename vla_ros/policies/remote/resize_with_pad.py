"""Resize an image without distortion, as the clients of openpi do before they send it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Image


def resize_with_pad(image: Image, height: int, width: int) -> Image:
    """Return (height, width, 3): the image as large as fits, in the middle of black.

    Resampled by the triangle filter, widened where the image gets smaller, first along rows and then along columns, each
    rounded to uint8: what `openpi_client.image_tools` does through Pillow, to within 2 of 255.

    Source: Pillow's documentation, "Filters", BILINEAR; TensorFlow's `tf.image.resize_with_pad`.
    """
    rows, columns = image.shape[:2]
    if (rows, columns) == (height, width):
        return image
    ratio = max(columns / width, rows / height)
    inner = _along(_along(image, 1, max(1, int(columns / ratio))), 0, max(1, int(rows / ratio)))
    padded = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    padded[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return padded


def _along(image: Image, axis: int, size: int) -> Image:
    """Return the image with `size` pixels along one axis."""
    if image.shape[axis] == size:
        return image
    taps, weights = _taps(image.shape[axis], size)
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    total = np.zeros((size, *image.shape[1:]) if axis == 0 else (image.shape[0], size, 3), np.float32)
    for tap, weight in zip(taps.T, weights.T, strict=True):
        total += np.take(image, tap, axis) * weight.reshape(shape)
    return np.clip(total + 0.5, 0, 255).astype(np.uint8)


@lru_cache(maxsize=32)
def _taps(size: int, new_size: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return, for each new pixel, the old pixels that it is the mean of, and their weights: both (new_size, taps)."""
    scale = size / new_size
    support = max(scale, 1.0)
    centre = (np.arange(new_size) + 0.5) * scale
    first = np.maximum((centre - support + 0.5).astype(int), 0)
    last = np.minimum((centre + support + 0.5).astype(int), size)
    taps = first[:, None] + np.arange(int((last - first).max()))
    weights = np.maximum(1.0 - np.abs(taps + 0.5 - centre[:, None]) / support, 0.0) * (taps < last[:, None])
    weights /= weights.sum(axis=1, keepdims=True)
    return np.minimum(taps, size - 1), weights.astype(np.float32)
