"""Images survive JPEG, and what is no JPEG is refused."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.perception.jpeg import decode, encode


def test_colours_stay_in_their_channels() -> None:
    image = np.full((16, 24, 3), (200, 100, 50), np.uint8)
    again = decode(encode(image, 95))
    assert again.shape == image.shape and np.abs(again.astype(int) - image).max() <= 4


@pytest.mark.parametrize("data", [b"", None, b"no image"])
def test_what_is_no_image_is_refused(data: bytes | None) -> None:
    with pytest.raises(ValueError, match="not a JPEG image"):
        decode(data)
