"""What a look says of a step: done, failed with what is wrong, or that it cannot be told."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.arrays import Array
from vla_ros.tasks.completion import Completion, SeenHand, SeenObject, check_step
from vla_ros.tasks.geometry import IN_BOWL_M, ON_PLATE_M, PUSHED_M, PUSHED_TO_M, STACKED_M
from vla_ros.tasks.objects import height_of, radius_of

CAMERA = np.array([1.25, 0.0, 0.8])
AWAY = SeenHand(np.array([0.28, 0.0, 0.4]), holds=False)
EMPTY_ABOVE = SeenHand(np.array([0.5, 0.0, 0.2]), holds=False)
START = np.array([0.5, 0.2, 0.022])


def seen(shape: str, x: float, y: float, z: float | None = None, name: str = "") -> SeenObject:
    p = np.array([x, y, height_of(shape) / 2 if z is None else z])
    return SeenObject(name or f"the red {shape}", shape, p, 0.0015, CAMERA)


def unseen(shape: str) -> SeenObject:
    return SeenObject(f"the red {shape}", shape, None)


def verdict(kind: str, x: SeenObject, y: SeenObject | None, side: str = "none", hand: SeenHand = AWAY) -> Completion:
    return check_step(kind, x, y, side, START, hand).verdict


@pytest.mark.parametrize(
    ("kind", "shape", "tolerance_m", "z"),
    [("place", "bowl", IN_BOWL_M, 0.03), ("place", "plate", ON_PLATE_M, 0.032), ("stack", "cube", STACKED_M, 0.066)],
)
def test_inside_of_the_tolerance_is_done_at_its_edge_cannot_be_told_beyond_it_has_failed(
    kind: str, shape: str, tolerance_m: float, z: float
) -> None:
    y = seen(shape, 0.5, 0.0, name="there")
    for beside_m, expected in ((0.0, "DONE"), (-0.006, "DONE"), (0.0, "UNSURE"), (0.006, "FAILED"), (0.2, "FAILED")):
        at = 0.0 if expected == "DONE" and not beside_m else tolerance_m + beside_m
        assert verdict(kind, seen("cube", 0.5, at, z), y) is Completion[expected], (at, expected)


def test_what_has_failed_is_told_with_names_and_lengths() -> None:
    found = check_step("place", seen("cube", 0.5, 0.12), seen("bowl", 0.5, 0.0, name="the bowl"), "none", START, AWAY)
    assert found.reason == "the red cube is not in the bowl: it is 12 cm beside its middle"
    on_another = check_step(
        "place", seen("cube", 0.5, 0.0, 0.09), seen("bowl", 0.5, 0.0, name="the bowl"), "none", START, AWAY
    )
    assert on_another.verdict is Completion.UNSURE
    moved = SeenObject("the red cube", "cube", START + (0.0, 0.03, 0.0), 0.0015)
    assert check_step("push", moved, None, "left", START, AWAY).reason == (
        "the red cube has moved 3 cm to the left, not 8 cm"
    )


def test_a_stack_whose_height_is_not_seen_is_where_the_line_of_sight_passes_over_it() -> None:
    y, top = seen("cube", 0.5, 0.0, name="the blue cube"), np.array([0.5, 0.0, 0.066])
    lower = CAMERA + (top - CAMERA) * ((0.03 - CAMERA[2]) / (top[2] - CAMERA[2]))
    assert verdict("stack", seen("cube", *lower), y) is Completion.DONE
    assert verdict("stack", seen("cube", 0.5 - 0.05, 0.0), y) is Completion.UNSURE  # behind it, or on it
    assert verdict("stack", seen("cube", 0.5 - 0.07, 0.0), y) is Completion.FAILED
    assert verdict("stack", seen("cube", 0.5, 0.06), y) is Completion.FAILED


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("moved_m", "expected"),
    [(PUSHED_M + 0.01, "DONE"), (PUSHED_M, "UNSURE"), (0.06, "FAILED"), (0.0, "FAILED"), (-0.1, "FAILED")],
)
def test_a_push_is_measured_along_its_side(side: str, moved_m: float, expected: str) -> None:
    sign = 1 if side == "left" else -1
    x = SeenObject("the red cube", "cube", START + (0.0, sign * moved_m, 0.0), 0.0015)
    assert verdict("push", x, None, side) is Completion[expected]


def test_a_push_to_an_object_is_measured_by_the_gap_between_the_circles() -> None:
    y = seen("cylinder", 0.5, 0.0)
    touching = radius_of("cube") + radius_of("cylinder")
    for gap_m, expected in ((0.01, "DONE"), (PUSHED_TO_M, "UNSURE"), (0.06, "FAILED")):
        assert verdict("push", seen("cube", 0.5, touching + gap_m), y) is Completion[expected]


@pytest.mark.parametrize(
    ("x", "hand", "expected"),
    [
        (seen("cube", 0.5, 0.0, 0.2), SeenHand(np.array([0.5, 0.0, 0.2]), True), "DONE"),
        (unseen("cube"), SeenHand(np.array([0.5, 0.0, 0.2]), True), "UNSURE"),
        (seen("cube", 0.5, 0.0, 0.2), SeenHand(np.array([0.5, 0.0, 0.2]), False), "FAILED"),
        (seen("cube", 0.5, 0.2), SeenHand(np.array([0.5, 0.0, 0.2]), True), "FAILED"),  # something else is held
        (seen("cube", 0.5, 0.0, 0.06), SeenHand(np.array([0.5, 0.0, 0.06]), True), "FAILED"),  # not high enough
    ],
)
def test_a_pick_is_told_by_fingers_height_and_eyes(x: SeenObject, hand: SeenHand, expected: str) -> None:
    assert verdict("pick", x, None, hand=hand) is Completion[expected]


@pytest.mark.parametrize("kind", ["place", "stack", "push"])
def test_what_is_not_in_view_cannot_be_told(kind: str) -> None:
    shape = {"place": "bowl"}.get(kind, "cube")
    assert verdict(kind, unseen("cube"), seen(shape, 0.5, 0.0), "left") is Completion.UNSURE
    assert verdict(kind, seen("cube", 0.5, 0.0), unseen(shape), "left") is Completion.UNSURE


@pytest.mark.parametrize(("kind", "shape"), [("place", "bowl"), ("place", "plate"), ("stack", "cube")])
def test_what_the_hand_still_holds_is_not_put_down(kind: str, shape: str) -> None:
    holding = SeenHand(np.array([0.5, 0.0, 0.07]), holds=True)
    found = check_step(kind, seen("cube", 0.5, 0.0, 0.06), seen(shape, 0.5, 0.0), "none", START, holding)
    assert found.verdict is Completion.FAILED and "still in the hand" in found.reason


def test_estimates_that_doubt_themselves_leave_more_open() -> None:
    def at(std_m: float) -> Completion:
        p: Array = START + (0.0, PUSHED_M + 0.008, 0.0)
        return verdict("push", SeenObject("the red cube", "cube", p, std_m), None, "left")

    assert at(0.001) is Completion.DONE and at(0.01) is Completion.UNSURE


@pytest.mark.parametrize(
    ("hand", "z", "expected"),
    [
        ((0.28, 0.0, 0.40), 0.08, Completion.DONE),  # the line of sight ends behind the base, where nothing stands
        ((0.55, 0.0, 0.20), 0.03, Completion.UNSURE),  # there may be a cube behind the hand
        ((0.55, 0.3, 0.20), 0.03, Completion.FAILED),
    ],
)
def test_what_shows_on_the_line_of_sight_to_the_hand(
    hand: tuple[float, float, float], z: float, expected: Completion
) -> None:
    tool = np.array(hand)
    p = CAMERA + (z - CAMERA[2]) / (tool[2] - CAMERA[2]) * (tool - CAMERA)
    if expected is Completion.FAILED:
        p = p * (1, 0, 1)
    found = check_step(
        "pick", SeenObject("the red cube", "cube", p, 0.0015, CAMERA), None, "none", START, SeenHand(tool, True)
    )
    assert found.verdict is expected, found
