"""What a server of this project says of its plan goes there and back; what is of a wrong type is left out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from vla_ros.policies.contract import Instruction, Plan, PlanState
from vla_ros.policies.remote.plan_report import LONGEST_TEXT, report_of, with_report

PLAN = Plan(7, Instruction(1, "go"), PlanState.ACTIVE, subtask="go", kind="actions", data=np.zeros((3, 8)))


@pytest.mark.parametrize("state", list(PlanState))
def test_a_report_goes_there_and_back(state: PlanState) -> None:
    told = Plan(1, Instruction(5, "x"), state, subtask="reach", reasoning="because", progress=0.5, confidence=0.25)
    found = with_report(PLAN, report_of(told))
    assert (found.state, found.subtask, found.reasoning) == (state, "reach", "because")
    assert (found.progress, found.confidence) == (0.5, 0.25)
    assert (found.frame_stamp_ns, found.instruction) == (7, Instruction(1, "go"))
    assert bool(found.data.size) == (state is PlanState.ACTIVE) == (found.kind == "actions")


def test_without_a_report_the_plan_is_the_same() -> None:
    found = with_report(PLAN, {})
    assert (found.state, found.subtask, found.data is PLAN.data) == (PlanState.ACTIVE, "go", True)


@pytest.mark.parametrize(
    "report",
    [
        {"state": 1, "subtask": 3, "reasoning": None, "progress": "half", "confidence": []},
        {"state": "FLYING", "progress": math.inf, "confidence": -1},
        {"progress": math.nan, "confidence": 2.0},
    ],
)
def test_what_is_of_a_wrong_type_is_left_out(report: dict[str, Any]) -> None:
    found = with_report(PLAN, report)
    assert (found.state, found.subtask, found.reasoning) == (PlanState.ACTIVE, "go", "")
    assert math.isnan(found.progress) and math.isnan(found.confidence)


def test_long_texts_are_cut_to_one_line() -> None:
    found = with_report(PLAN, {"reasoning": "a\nb" + "c" * 1000})
    assert found.reasoning.startswith("a bc") and len(found.reasoning) == LONGEST_TEXT
