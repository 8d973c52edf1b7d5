"""Each change is one line of valid JSON, a repetition is none."""

from __future__ import annotations

import json
import math
from typing import Any

from vla_ros.tracing.reasoning import REPEAT_AFTER_NS, Reasoning

PLAN = {
    "state": "ACTIVE",
    "instruction_id": 5,
    "subtask": "grasp",
    "reasoning": "",
    "progress": 0.1,
    "confidence": math.nan,
}


def status(state: str, rule: str = "") -> dict[str, Any]:
    return {"state": state, "rule": rule, "joint": "", "limit": math.nan}


def test_a_plan_that_says_the_same_is_no_change() -> None:
    reasoning = Reasoning()
    assert reasoning.plan(1, PLAN) is not None
    assert reasoning.plan(2, {**PLAN, "progress": 0.4}) is None
    assert reasoning.plan(3, {**PLAN, "subtask": "lift"}) is not None
    assert reasoning.plan(4, {**PLAN, "subtask": "lift", "instruction_id": 6}) is not None
    assert len(reasoning.entries) == 3


def test_limited_motion_is_told_once() -> None:
    reasoning, told = Reasoning(), []
    for i in range(200):
        state = "LIMITING" if i % 2 else "TRACKING"
        rule = "jerk_limit" if i % 4 == 1 else "velocity_limit" if i % 2 else ""
        entry = reasoning.filter(i * 4_000_000, status(state, rule))
        if entry is not None:
            told.append((entry.values["state"], entry.values["rule"]))
    assert told == [("TRACKING", ""), ("LIMITING", "jerk_limit"), ("LIMITING", "velocity_limit")]
    assert reasoning.filter(200 * 4_000_000 + REPEAT_AFTER_NS, status("LIMITING", "jerk_limit")) is not None
    assert reasoning.filter(3 * REPEAT_AFTER_NS, status("STOPPING", "open_loop")) is not None
    assert reasoning.filter(3 * REPEAT_AFTER_NS + 1, status("STOPPING", "open_loop")) is None
    assert reasoning.filter(3 * REPEAT_AFTER_NS + 2, status("TRACKING")) is not None


def test_a_line_is_json_and_what_is_unknown_is_null() -> None:
    entry = Reasoning().plan(1_700_000_000_123_456_789, {**PLAN, "subtask": 'grasp "the" cube\n'})
    assert entry is not None
    assert "\n" not in entry.line()
    read = json.loads(entry.line())
    assert (read["kind"], read["confidence"], read["subtask"]) == ("plan", None, 'grasp "the" cube\n')
    assert read["time"] == "2023-11-14T22:13:20.123+00:00"
    assert read["time_ns"] == 1_700_000_000_123_456_789


def test_an_answered_question_is_a_change_too() -> None:
    reasoning = Reasoning()
    assert [reasoning.question(i, text) is None for i, text in enumerate(["why?", "why?", ""])] == [False, True, False]
