"""Prompt templates: what a model reads of an instruction, and which files are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from vla_ros.guard.prompt import AS_SAID, load_prompt
from vla_ros.parameters import ParameterError


def test_a_template_renders_an_instruction() -> None:
    assert load_prompt("plain.v1").render("Pick {x} up.") == "Pick {x} up."
    assert load_prompt("task.v1").render("Pick up the CUBE.") == "pick up the cube\n"
    asked = "In: What action should the robot take to pick up the cube?\nOut:"
    assert load_prompt("question.v1").render("Pick up the cube.") == asked


def test_an_instruction_may_stay_as_it_was_said() -> None:
    assert AS_SAID.render("Pick the {instruction} UP.") == "Pick the {instruction} UP."


def test_a_prompt_of_a_vlm_is_none_of_a_policy() -> None:
    with pytest.raises(ParameterError, match="no such parameter"):
        load_prompt("vlm_plan.v1")


def test_a_bad_prompt_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"there are plain.v1, question.v1, task.v1"):
        load_prompt("poem.v1")
    (tmp_path / "bad.yaml").write_text("template: no place for words")
    with pytest.raises(ParameterError, match=r"must hold \{instruction\} once"):
        load_prompt(str(tmp_path / "bad.yaml"))
