"""cv_bridge converts what it is seen to convert, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from test.unit.perception.image_messages import RGB, message
from vla_ros.perception.bridge import conversions
from vla_ros.perception.conversion_check import check_conversions
from vla_ros.perception.encodings import decode_colour
from vla_ros.perception.wrong_encoding import WrongEncoding

BGR = RGB[:, :, ::-1]


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    conversions.cache_clear()
    yield
    conversions.cache_clear()


def install(monkeypatch: pytest.MonkeyPatch, convert: Callable[..., Any]) -> list[str]:
    """Put a cv_bridge in place that converts so; return the encodings that it is asked for from now on."""
    asked: list[str] = []

    def imgmsg_to_cv2(image: Any, wanted: str) -> Any:
        asked.append(image.encoding)
        return convert(image, wanted)

    module = ModuleType("cv_bridge")
    module.CvBridge = lambda: SimpleNamespace(imgmsg_to_cv2=imgmsg_to_cv2)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cv_bridge", module)
    conversions()
    asked.clear()
    return asked


def only_bgr8(image: Any, _: str) -> Any:
    if image.encoding != "bgr8":
        raise AttributeError("_ARRAY_API not found")
    return np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, 3)[:, :, ::-1]


def test_it_converts_what_it_can_and_opencv_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = install(monkeypatch, only_bgr8)
    assert set(conversions()) == {"bgr8"}
    assert (decode_colour(message("bgr8", BGR)) == RGB).all()
    assert asked == ["bgr8"]
    assert (decode_colour(message("rgb8", RGB)) == RGB).all()
    assert asked == ["bgr8"]
    assert check_conversions().startswith("cv_bridge for bgr8, else OpenCV ")


def test_padded_rows_and_missing_bytes_do_not_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = install(monkeypatch, only_bgr8)
    padded = message("bgr8", np.pad(BGR, ((0, 0), (0, 1), (0, 0))))
    padded.width -= 1
    assert (decode_colour(padded) == RGB).all()
    short = message("bgr8", BGR)
    short.data = short.data[:-1]
    with pytest.raises(WrongEncoding):
        decode_colour(short)
    assert asked == []


@pytest.mark.parametrize(
    "convert",
    [
        lambda image, wanted: np.zeros((2, 2, 3), np.uint8),  # converts wrongly
        lambda image, wanted: np.zeros((2, 2), np.uint8),
        lambda image, wanted: None,
    ],
)
def test_one_that_converts_wrongly_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, convert: Callable[..., Any]
) -> None:
    install(monkeypatch, convert)
    assert conversions() == {}
    assert (decode_colour(message("bgr8", BGR)) == RGB).all()


def test_one_without_a_bridge_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv_bridge", ModuleType("cv_bridge"))
    assert conversions() == {}
    assert (decode_colour(message("bgr8", BGR)) == RGB).all()
