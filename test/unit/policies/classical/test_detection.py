"""Which object a description means; what is absent or ambiguous is said."""

from __future__ import annotations

import pytest

from test.unit.policies.classical.drawn_objects import BLUE_CYLINDER, CAMERA, RED_BALL, RED_CUBE, draw
from vla_ros.language.steps import ObjectPhrase
from vla_ros.policies.classical.detection import find_object

IMAGE = draw(("red", RED_CUBE), ("blue", BLUE_CYLINDER))


@pytest.mark.parametrize(
    ("colour", "shape", "name"),
    [("red", "cube", "the red cube"), ("red", "", "the red cube"), ("", "cylinder", "the blue cylinder")],
)
def test_a_description_finds_its_object(colour: str, shape: str, name: str) -> None:
    found, reason = find_object(IMAGE, CAMERA, 0.0, ObjectPhrase(colour, shape))
    assert str(found) == name and reason == ""


@pytest.mark.parametrize(
    ("colour", "shape", "reason"),
    [
        ("green", "cube", "the green cube: not in view"),
        ("", "bowl", "the bowl: not in view"),
        ("blue", "ball", "the blue ball: not in view; what is blue is a cylinder"),
    ],
)
def test_what_is_absent_is_said(colour: str, shape: str, reason: str) -> None:
    assert find_object(IMAGE, CAMERA, 0.0, ObjectPhrase(colour, shape)) == (None, reason)


def test_what_could_be_two_objects_is_asked_back() -> None:
    image = draw(("red", RED_CUBE), ("red", RED_BALL))
    found, reason = find_object(image, CAMERA, 0.0, ObjectPhrase("red", ""))
    assert found is None and "could be" in reason and reason.endswith("say which")
