"""Answers are read strictly: what is not of the schema is one line, never half an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vla_ros.policies.vlm.answers import (
    CHECK_SCHEMA,
    PLAN_SCHEMA,
    BadAnswer,
    CheckAnswer,
    PlanAnswer,
    PlannedSubtask,
    parse_check,
    parse_plan,
)
from vla_ros.policies.vlm.pointing import PointedPixel

EMPTY = {"subtasks": [], "question": "", "impossible": "", "finished": ""}
POINT = {"camera": "front", "x": 500, "y": 250.5}


def plan(**changes: Any) -> str:
    return json.dumps({**EMPTY, **changes})


def test_a_list_of_subtasks() -> None:
    text = plan(subtasks=[{"do": "pick up\n the red  cube", "point": None}, {"do": "put it down", "point": POINT}])
    assert parse_plan(text, 5) == PlanAnswer(
        (PlannedSubtask("pick up the red cube"), PlannedSubtask("put it down", PointedPixel("front", 500.0, 250.5)))
    )


@pytest.mark.parametrize("name", ["question", "impossible", "finished"])
def test_words_instead_of_subtasks(name: str) -> None:
    assert parse_plan(plan(**{name: "Which one?"}), 5) == PlanAnswer(**{name: "Which one?"})


@pytest.mark.parametrize("text", ["```json\n{}\n```", "```\n{}```", "<think>{{ no }}</think>\n{}", "  {}\n"])
def test_fences_and_thinking_around_an_answer_are_left_out(text: str) -> None:
    answer = json.dumps({"status": "done", "reached": "it is open", "why": "seen"})
    assert parse_check(text.replace("{}", answer, 1)) == CheckAnswer("done", "it is open", "seen")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("I will pick up the cube.", "not JSON: 'I will pick up the cube.'"),
        ("null", "expected an object"),
        ("[]", "expected an object"),
        ('"pick up the cube"', "expected an object"),
        ("{}", "subtasks, question, impossible, finished is missing"),
        (plan(), "got none"),
        (plan(question="a?", impossible="b"), "got question and impossible"),
        (plan(subtasks=[{"do": "a"}], question="a?"), "got subtasks and question"),
        (plan(subtasks="pick up"), "subtasks: expected a list"),
        (plan(subtasks=["pick up"]), "expected an object with `do`"),
        (plan(subtasks=[{"point": None}]), "expected an object with `do`"),
        (plan(subtasks=[{"do": 7}]), "do: expected a text"),
        (plan(subtasks=[{"do": "  "}]), "do: it is empty"),
        (plan(subtasks=[{"do": "x" * 301}]), "301 characters"),
        (plan(subtasks=[{"do": "a\u0000b"}]), "cannot be printed"),
        (plan(subtasks=[{"do": "a\u202eb"}]), "cannot be printed"),
        (plan(subtasks=[{"do": "a"}] * 6), "6 of them; at most 5"),
        (plan(subtasks=[{"do": "a", "point": [1, 2]}]), "point: expected camera, x and y"),
        (plan(subtasks=[{"do": "a", "point": {**POINT, "x": 1001}}]), "x: expected a number from 0 to 1000"),
        (plan(subtasks=[{"do": "a", "point": {**POINT, "x": -1}}]), "x: expected a number"),
        (plan(subtasks=[{"do": "a", "point": {**POINT, "y": True}}]), "y: expected a number"),
        (plan(subtasks=[{"do": "a", "point": {**POINT, "y": "5"}}]), "y: expected a number"),
        (plan(subtasks=[{"do": "a", "point": {**POINT, "x": float("nan")}}]), "NaN is no number"),
        (plan(subtasks=[{"do": "a", "point": {**POINT, "x": 0}}]).replace('"x": 0', '"x": 1e999'), "too large"),
        (plan(question="a?") + plan(question="b?"), "not JSON"),
        (plan(question="a?")[:-1] + ', "question": "b?"}', "a key stands twice"),
        ("[" * 15_000, "not JSON"),
        ("x" * 20_001, "20001 characters"),
        ('{"subtasks": [' + "9" * 10_000 + "]}", "not JSON"),
    ],
)
def test_what_is_no_list_is_one_line(text: str, reason: str) -> None:
    with pytest.raises(BadAnswer, match=".*") as error:
        parse_plan(text, 5)
    assert reason in str(error.value)
    assert "\n" not in str(error.value) and len(str(error.value)) < 300


@pytest.mark.parametrize(
    "tree",
    [
        {"status": "maybe", "reached": "", "why": ""},
        {"status": ["done"], "reached": "", "why": ""},
        {"status": "done", "reached": None, "why": ""},
        {"status": "done", "reached": ""},
        {"status": True, "reached": "", "why": ""},
    ],
)
def test_what_is_no_judgement_is_one_line(tree: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        parse_check(json.dumps(tree))


def test_the_schemas_are_strict_as_servers_want_them() -> None:
    """Every property is required and no other is allowed, at every depth."""

    def check(schema: Any) -> None:
        if isinstance(schema, dict):
            if schema.get("type") == "object":
                assert schema["additionalProperties"] is False
                assert schema["required"] == list(schema["properties"])
            for each in schema.values():
                check(each)
        elif isinstance(schema, list):
            for each in schema:
                check(each)

    check(PLAN_SCHEMA)
    check(CHECK_SCHEMA)
