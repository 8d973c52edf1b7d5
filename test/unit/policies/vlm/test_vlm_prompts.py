"""Prompts have every placeholder of their kind, and what stands in a value is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from vla_ros.parameters import ParameterError
from vla_ros.policies.vlm.vlm_prompts import PLACEHOLDERS, load_vlm_prompt


@pytest.mark.parametrize("kind", PLACEHOLDERS)
def test_the_prompts_that_ship_are_filled_in_and_keep_their_json(kind: str) -> None:
    values = {name: f"<{name}>" for name in PLACEHOLDERS[kind]}
    text = load_vlm_prompt(f"{kind}.v1", kind).render(values)
    assert all(value in text for value in values.values())
    assert (
        '{"subtasks": [{"do": "...", "point": null}]' in text
        or '{"status": "going", "reached": "", "why": "..."}' in text
    )


def test_what_a_person_says_is_no_placeholder() -> None:
    values = {**dict.fromkeys(PLACEHOLDERS["vlm_plan"], ""), "instruction": "say {memory} {skills}", "memory": "SECRET"}
    text = load_vlm_prompt("vlm_plan.v1", "vlm_plan").render(values)
    assert '"say {memory} {skills}"' in text and text.count("SECRET") == 1


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("kind: vlm_plan\ntemplate: nothing", r"template: must hold \{instruction\}"),
        ("kind: poem\ntemplate: x", "kind: must be one of vlm_plan, vlm_check"),
        (
            "kind: vlm_check\ntemplate: '{instruction} {subtask} {memory} {policy} {cameras}'",
            "of kind vlm_check, not vlm_plan",
        ),
        ("- 1", "expected `kind: …`"),
        ("kind: vlm_plan", "template: required"),
        ("a: [", "not YAML"),
    ],
)
def test_a_bad_prompt_is_one_line(tmp_path: Path, content: str, text: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    with pytest.raises(ParameterError, match=text) as error:
        load_vlm_prompt(str(file), "vlm_plan")
    assert str(error.value).startswith(f"vlm.plan_prompt: {file}") and "\n" not in str(error.value)


def test_an_unknown_prompt_is_answered_with_those_there_are() -> None:
    with pytest.raises(
        ParameterError, match="vlm.check_prompt: .*poem.v1.yaml: No such file.*there are vlm_check.v1, vlm_plan.v1"
    ):
        load_vlm_prompt("poem.v1", "vlm_check")
