"""The judge: what counts as done, from the true state of the objects."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.tasks.judge import ObjectState, evaluate_task
from vla_ros.tasks.task import Step, Task


def state(
    x: float, y: float, z: float, speed: float = 0.0, highest: float | None = None, held: bool = False
) -> ObjectState:
    return ObjectState(np.array([x, y, z]), speed, z if highest is None else highest, held)


START = {"red cube": state(0.5, 0.0, 0.022), "blue cube": state(0.5, 0.2, 0.022), "bowl": state(0.4, -0.2, 0.0225)}
START["plate"] = state(0.45, 0.2, 0.005)


@pytest.mark.parametrize(
    ("step", "now", "success"),
    [
        (Step("pick", "red cube"), {"red cube": state(0.5, 0.0, 0.15, held=True)}, True),
        (Step("pick", "red cube"), {"red cube": state(0.5, 0.0, 0.15, held=False)}, False),
        (Step("pick", "red cube"), {"red cube": state(0.5, 0.0, 0.15, speed=0.4, held=True)}, False),
        (Step("pick", "red cube"), {"red cube": state(0.5, 0.0, 0.09, held=True)}, False),
        (Step("place", "red cube", "bowl"), {"red cube": state(0.41, -0.2, 0.03)}, True),
        (Step("place", "red cube", "bowl"), {"red cube": state(0.41, -0.2, 0.03, held=True)}, False),
        (Step("place", "red cube", "bowl"), {"red cube": state(0.48, -0.2, 0.03)}, False),
        (Step("push", "red cube", "left"), {"red cube": state(0.5, 0.1, 0.022)}, True),
        (Step("push", "red cube", "right"), {"red cube": state(0.5, 0.1, 0.022)}, False),
        (Step("push", "red cube", "left"), {"red cube": state(0.5, 0.1, 0.022, highest=0.1)}, False),
        (Step("place", "red cube", "plate"), {"red cube": state(0.45, 0.19, 0.032)}, True),
        (Step("place", "red cube", "plate"), {"red cube": state(0.45, 0.19, 0.05)}, False),
        (Step("place", "red cube", "plate"), {"red cube": state(0.45, 0.11, 0.032)}, False),
        (Step("push", "red cube", "bowl", 0.106), {"red cube": state(0.47, -0.09, 0.022)}, True),
        (Step("push", "red cube", "bowl", 0.106), {"red cube": state(0.47, -0.05, 0.022)}, False),
        (Step("push", "red cube", "bowl", 0.106), {"red cube": state(0.47, -0.09, 0.022, highest=0.1)}, False),
        (Step("stack", "red cube", "blue cube"), {"red cube": state(0.5, 0.2, 0.066)}, True),
        (Step("stack", "red cube", "blue cube"), {"red cube": state(0.5, 0.23, 0.066)}, False),
        (Step("stack", "red cube", "blue cube"), {"red cube": state(0.5, 0.2, 0.022)}, False),
    ],
)
def test_each_kind_of_step_is_judged_by_its_own_tolerances(
    step: Step, now: dict[str, ObjectState], success: bool
) -> None:
    task = Task(step.kind, (step,), "")
    assert evaluate_task(task, START, {**START, **now})[0] is success


def test_a_sequence_is_done_when_all_its_steps_are_at_the_end() -> None:
    steps = (Step("place", "red cube", "bowl"), Step("push", "blue cube", "left"))
    task = Task("sequence", steps, "")
    placed = {**START, "red cube": state(0.41, -0.2, 0.03)}
    success, measures = evaluate_task(task, START, placed)
    assert not success and [measure["success"] for measure in measures] == [True, False]
    assert evaluate_task(task, START, {**placed, "blue cube": state(0.5, 0.3, 0.022)})[0]


def test_what_was_measured_is_told() -> None:
    task = Task("push", (Step("push", "red cube", "left"),), "")
    _, (measure,) = evaluate_task(task, START, {**START, "red cube": state(0.5, 0.05, 0.022)})
    assert (measure["step"], measure["x"], measure["y"]) == ("push", "red cube", "left")
    assert measure["moved_m"] == pytest.approx(0.05) and measure["rise_m"] == pytest.approx(0.0)
