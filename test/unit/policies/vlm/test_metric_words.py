"""Metric words: which motion they mean, what they do not mean, and what is too far."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.policies.vlm.metric_words import MetricMotion, MotionKind, MotionRefused, parse_motions
from vla_ros.policies.vlm.system2 import MOTIONS

X, Y, Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def minus(axis: tuple[float, float, float]) -> tuple[float, float, float]:
    return (-axis[0] if axis[0] else 0.0, -axis[1] if axis[1] else 0.0, -axis[2] if axis[2] else 0.0)


def parse(text: str) -> tuple[MetricMotion, ...] | None:
    return parse_motions(text, 0.5, math.pi)


def move(metres: float, axis: tuple[float, float, float], tool: bool = False) -> MetricMotion:
    return MetricMotion(MotionKind.MOVE, pytest.approx(metres), axis, tool)


def turn(degrees: float, axis: tuple[float, float, float], tool: bool = False) -> MetricMotion:
    return MetricMotion(MotionKind.TURN, pytest.approx(math.radians(degrees)), axis, tool)


@pytest.mark.parametrize(
    ("text", "motions"),
    [
        ("move 20 cm forward", [move(0.2, X)]),
        ("Move forward by 20cm.", [move(0.2, X)]),
        ("please move the gripper 5 centimetres back", [move(0.05, minus(X))]),
        ("go 12.5 mm to the left", [move(0.0125, Y)]),
        ("shift the hand ten centimeters to your right", [move(0.1, minus(Y))]),
        ("move twenty-five cm up", [move(0.25, Z)]),
        ("move half a meter up", [move(0.5, Z)]),
        ("lower the tool by 3 cm", [move(0.03, minus(Z))]),
        ("raise 4 cm", [move(0.04, Z)]),
        ("up a bit", [move(0.02, Z)]),
        ("go down a little", [move(0.02, minus(Z))]),
        ("move 5 cm along the tool", [move(0.05, Z, True)]),
        ("move 5 cm back along the tool", [move(0.05, minus(Z), True)]),
        ("turn 45 degrees", [turn(45, Z)]),
        ("turn 45 degrees to the right", [turn(45, minus(Z))]),
        ("turn left by 30 deg", [turn(30, Z)]),
        ("rotate the wrist ninety degrees clockwise", [turn(90, minus(Z))]),
        ("rotate 10° counter-clockwise", [turn(10, Z)]),
        ("turn 30 degrees about the tool", [turn(30, Z, True)]),
        ("tilt forward 10 degrees", [turn(10, Y)]),
        ("tilt 10 degrees left", [turn(10, minus(X))]),
        ("turn a bit to the left", [turn(5, Z)]),
        ("open the gripper", [MetricMotion(MotionKind.OPEN)]),
        ("close your hand", [MetricMotion(MotionKind.CLOSE)]),
        ("move to 10 cm above the point", [MetricMotion(MotionKind.ABOVE, pytest.approx(0.1))]),
        ("move 20 cm forward, turn 45 degrees", [move(0.2, X), turn(45, Z)]),
        ("move 10 cm forward and 5 cm up", [move(0.1, X), move(0.05, Z)]),
        ("open the gripper, then move 5 cm down and then close the gripper",
         [MetricMotion(MotionKind.OPEN), move(0.05, minus(Z)), MetricMotion(MotionKind.CLOSE)]),
    ],
)  # fmt: skip
def test_words_mean_motions(text: str, motions: list[MetricMotion]) -> None:
    assert list(parse(text) or ()) == motions


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pick up the red cube",
        "move the red cube 20 cm to the left",
        "push it 5 cm forward",
        "open the drawer",
        "close the box",
        "pick up the cube and move 20 cm up",
        "move 20 cm",
        "move forward",
        "move 20 cm sideways",
        "move -20 cm forward",
        "move −20 cm forward",
        "move 2,5 cm up",
        "move 1e3 cm up",
        "move 20 degrees forward",
        "turn 20 cm",
        "turn left 45 degrees to the right",
        "move 20 cm forward 5 cm up",
        "move 20 cm forward or back",
        "do not move 20 cm forward",
        "move about 20 cm forward unless it is dark",
        "move 20 cm north",
        "move nan cm up",
        "move ٢٠ cm forward and",
    ],
)
def test_other_words_are_left_to_the_policy(text: str) -> None:
    if text.startswith("move ٢٠"):  # digits of another alphabet are numbers too
        assert parse(text) == (move(0.2, X),)
    else:
        assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("move 51 cm forward", "a motion by 51 cm; from 0.1 to 50 cm at once"),
        ("move 9 m up", "a motion by 900 cm"),
        ("move 0 cm up", "a motion by 0 cm"),
        ("turn 181 degrees", "a turn by 181 degrees; from 0.5 to 180 degrees"),
        ("turn 0 degrees", "a turn by 0 degrees"),
        ("move 5 cm up and 2 m down", "a motion by 200 cm"),
        ("move to 1 cm above the point", "1 cm above a point; at least 2 cm"),
        (f"move {'9' * 400} cm up", "a motion by 1e"),
    ],
)
def test_what_is_too_far_is_refused(text: str, reason: str) -> None:
    with pytest.raises(MotionRefused, match=reason):
        parse(text)


def test_what_the_model_is_told_is_understood() -> None:
    for text in MOTIONS:
        plain = text.split(" (")[0]
        assert parse(plain), text


@given(st.text(max_size=60))
def test_any_text_is_motions_or_none_or_refused(text: str) -> None:
    try:
        motions = parse(text)
    except MotionRefused:
        return
    assert motions is None or all(math.isfinite(motion.amount) and motion.amount >= 0 for motion in motions)


@given(st.floats(0.1, 50.0), st.sampled_from(["forward", "back", "to the left", "to the right", "up", "down"]))
def test_a_motion_has_the_length_that_is_said(length_cm: float, way: str) -> None:
    (motion,) = parse(f"move {length_cm:.2f} cm {way}") or ()
    assert motion.amount == pytest.approx(round(length_cm, 2) / 100)
    assert math.hypot(*motion.axis) == 1.0
