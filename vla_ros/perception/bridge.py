"""ROS's own cv_bridge, where an installation brings one that converts here.

One that was built for another numpy is imported without an error and then converts nothing but rgb8, so each conversion is
tried before it is used. Nor does it read padded rows: it is asked only for images without padding.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from vla_ros.arrays import Image

PIXELS = {"bgr8": (3, 2, 1), "rgba8": (1, 2, 3, 9), "bgra8": (3, 2, 1, 9), "mono8": (7,)}
"""Encodings that it is used for, with a pixel of each, to try it."""
RGB_OF_MONO = (7, 7, 7)
RGB = (1, 2, 3)


@functools.cache
def conversions() -> Mapping[str, Callable[[Any], Image]]:
    """Return encoding → what converts a message without padding to (H, W, 3) rgb; empty where there is no cv_bridge."""
    try:
        convert = importlib.import_module("cv_bridge").CvBridge().imgmsg_to_cv2
    except Exception:  # a library that does not fit numpy raises more than ImportError
        return {}
    return {encoding: functools.partial(_rgb, convert) for encoding in PIXELS if _works(convert, encoding)}


def _rgb(convert: Callable[..., Any], message: Any) -> Image:
    return np.asarray(convert(message, "rgb8"), np.uint8)


def _works(convert: Callable[..., Any], encoding: str) -> bool:
    pixel = PIXELS[encoding]
    data = bytes(pixel * 4)
    message = SimpleNamespace(encoding=encoding, height=2, width=2, step=2 * len(pixel), is_bigendian=0, data=data)
    try:
        found = _rgb(convert, message)
    except Exception:  # classes of its own, and those of the numpy that it was built for
        return False
    return found.shape == (2, 2, 3) and bool((found == (RGB_OF_MONO if encoding == "mono8" else RGB)).all())
