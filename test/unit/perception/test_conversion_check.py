"""A library that does not convert is found at the start."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vla_ros.perception import conversion_check
from vla_ros.perception.conversion_check import check_conversions
from vla_ros.perception.wrong_encoding import WrongEncoding


def test_what_converts_is_said() -> None:
    assert check_conversions() == f"OpenCV {cv2.__version__} with numpy {np.__version__}"


def test_a_library_that_does_not_convert_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> np.ndarray:
        raise AttributeError("_ARRAY_API not found")

    monkeypatch.setattr(conversion_check, "decode_colour", broken)
    with pytest.raises(WrongEncoding, match=r"^OpenCV .* with numpy .* does not convert rgb8: _ARRAY_API not found; "):
        check_conversions()
    monkeypatch.setattr(conversion_check, "decode_colour", lambda _: np.zeros((2, 2)))
    with pytest.raises(WrongEncoding, match=r"converts rgb8 to \(2, 2\)"):
        check_conversions()
