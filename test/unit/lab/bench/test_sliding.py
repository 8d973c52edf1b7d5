"""Pushed against a boundary, the arm goes on along it; the numbers become a table."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vla_ros.lab.bench import sliding
from vla_ros.lab.bench.filter_rig import START
from vla_ros.lab.bench.sliding import BOUNDARIES, Slide, measure, table


def test_a_turn_above_the_table_goes_on_while_the_arm_is_pushed_down() -> None:
    (pushed,) = [boundary for boundary in BOUNDARIES if boundary.name == "table"]
    slide = measure(pushed, "push", 1500, seed=1)
    assert slide.near > 0.6 and 0.001 < slide.least_m <= slide.median_m < 0.003
    assert slide.along > 0.9


def test_only_the_joints_of_the_goal_push_in_the_adversarial_stream() -> None:
    (pushed,) = [boundary for boundary in BOUNDARIES if boundary.name == "table"]

    class Everywhere:
        def target(self, time_s: float) -> list[float]:
            return [9.0] * len(START)

    target = sliding.adversarial_push(pushed, Everywhere())(60.0)  # type: ignore[arg-type]
    assert target[1] == pytest.approx(START[1] + pushed.goal[1])
    assert np.delete(target, 1).tolist() == [9.0] * (len(START) - 1)


def test_the_table_has_a_row_for_each_stream() -> None:
    slides = [
        Slide("fence", "push", 0.0, 0.5, 0.001, 0.002, 0.25),
        Slide("fence", "adversarial", 0.1, 0.0, math.nan, math.nan, math.nan),
    ]
    rows = table(slides).splitlines()[2:]
    assert rows == [
        "| fence | push | 50% | 0.0% | 1.00 | 2.00 | 25% |",
        "| fence | adversarial | 0% | 10.0% | – | – | – |",
    ]
