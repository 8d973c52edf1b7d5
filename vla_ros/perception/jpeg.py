"""Images as JPEG bytes and back."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def encode(image: NDArray[np.uint8], quality: int) -> bytes:
    """Return the JPEG of an rgb image (H, W, 3). Args: quality: 1 to 100.

    Raises:
        cv2.error: it is no such image.
    """
    _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def decode(data: bytes | None) -> NDArray[np.uint8]:
    """Return the rgb image (H, W, 3) of JPEG bytes.

    Raises:
        ValueError: they are no image, or there are none.
    """
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        raise ValueError("not a JPEG image")
    rgb: NDArray[np.uint8] = np.ascontiguousarray(image[:, :, ::-1], np.uint8)
    return rgb
