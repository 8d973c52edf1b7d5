"""Tolerances of done: where they begin and end, and that those who act keep inside them."""

from __future__ import annotations

import pytest

from vla_ros.lab.training import teacher
from vla_ros.policies.classical import sense_plan_act
from vla_ros.sim import expert
from vla_ros.tasks import geometry
from vla_ros.tasks.hand import PUSH_LENGTH_M


@pytest.mark.parametrize(
    ("is_done", "good", "bad"),
    [
        (geometry.is_lifted, (0.08,), (0.0799,)),
        (geometry.is_pushed, (0.08, 0.0), (0.0799, 0.0)),
        (geometry.is_pushed, (0.08, 0.0199), (0.08, 0.02)),
        (geometry.is_pushed_to, (0.03, 0.0), (0.0301, 0.0)),
        (geometry.is_in_bowl, (0.0599, 0.03), (0.06, 0.03)),
        (geometry.is_in_bowl, (0.0, 0.0799), (0.0, 0.08)),
        (geometry.is_on_plate, (0.0799, 0.0), (0.08, 0.0)),
        (geometry.is_on_plate, (0.0, -0.0119), (0.0, -0.012)),
        (geometry.is_stacked, (0.0249, 0.0119), (0.025, 0.0119)),
        (geometry.is_stacked, (0.0, 0.0119), (0.0, 0.012)),
        (geometry.is_at_rest, (0.0499,), (0.05,)),
    ],
)
def test_done_ends_at_its_tolerance(is_done, good: tuple[float, ...], bad: tuple[float, ...]) -> None:
    assert is_done(*good) and not is_done(*bad)


def test_a_margin_gives_the_number_that_it_says() -> None:
    assert geometry.with_margin(0.025, -0.003) == 0.022
    assert geometry.with_margin(0.08, -0.01) == 0.07


def test_what_the_expert_and_the_teacher_take_for_placed_the_judge_does_too() -> None:
    for module, prefix in ((expert, "PLACED"), (teacher, "ARRIVED")):
        suffix = "_M" if module is expert else ""
        assert getattr(module, f"{prefix}_IN_BOWL{suffix}") < geometry.IN_BOWL_M
        assert getattr(module, f"{prefix}_IN_BOWL_HEIGHT{suffix}") < geometry.IN_BOWL_HEIGHT_M
        assert getattr(module, f"{prefix}_ON_PLATE{suffix}") < geometry.ON_PLATE_M
        assert getattr(module, f"{prefix}_STACKED{suffix}") < geometry.STACKED_M


def test_pushes_go_farther_than_the_judge_asks_for() -> None:
    assert PUSH_LENGTH_M > sense_plan_act.PUSH_ENOUGH_M > geometry.PUSHED_M
    assert teacher.PUSH_LENGTH > teacher.PUSHED > geometry.PUSHED_M
