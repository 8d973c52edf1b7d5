"""Rows of an image without their padding."""

from __future__ import annotations

import numpy as np
import pytest

from test.unit.perception.image_messages import RGB, message
from vla_ros.perception.image_rows import image_rows, pixels
from vla_ros.perception.wrong_encoding import WrongEncoding


def test_padding_is_cut_and_the_last_row_may_lack_it() -> None:
    padded = message("rgb8", RGB, padding=14)
    padded.data = padded.data[:-14]
    assert (image_rows(padded, 18).reshape(RGB.shape) == RGB).all()


def test_values_arrive_in_the_byte_order_that_the_message_states() -> None:
    values = np.arange(24, dtype=np.uint16).reshape(4, 6) * 1000
    big = message("mono16", values.astype(">u2"), padding=3)
    big.is_bigendian = 1
    assert (pixels(big, 1, "u2") == values).all()
    assert (pixels(message("mono16", values.astype("<u2")), 1, "u2") == values).all()


@pytest.mark.parametrize("changes", [{"height": 0}, {"width": 0}, {"step": 17}, {"height": 5}, {"data": b""}])
def test_what_is_no_image_is_described_in_one_line(changes: dict[str, object]) -> None:
    wrong = message("rgb8", RGB)
    for name, value in changes.items():
        setattr(wrong, name, value)
    with pytest.raises(WrongEncoding, match=rf"^\d+ bytes for {wrong.width}x{wrong.height} rgb8, step {wrong.step}$"):
        pixels(wrong, 3, "u1")
