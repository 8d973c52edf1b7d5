"""Files of rules: what is wrong in one is said in one line that names file and key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from vla_ros.guard.rules import load_rules
from vla_ros.parameters import ParameterError
from vla_ros.resources import share


def test_lists_are_spelled_out_in_patterns() -> None:
    rules = load_rules("guard")
    assert all("<being>" not in pattern for rule in rules.refused.values() for pattern in rule.patterns)
    assert any("toddlers?" in pattern for pattern in rules.refused["people"].patterns)


BAD = {
    "version: 2": "version 2 is not readable here",
    "stop: {words: [], phrases: [], alone: [], filling: []}": "stop.words: at least one word must stop the arm",
    "stop: {words: ['!'], phrases: [], alone: [], filling: []}": "stop.words: '!' has no letter",
    "bounds: {characters: 0, words: 9, scripts: [latin]}": "bounds.characters: must be at least 1",
    "refused: {bowls: {patterns: [bowl]}}": "refused.bowls.reason: required and missing",
    "refused: {bowls: {reason: no, patterns: ['(']}}": "refused.bowls.reason: expected str",
    "refused: {bowls: {reason: none, patterns: ['(']}}": "refused.bowls.patterns: '(': ",
    "refused: {bowls: {reason: none, patterns: ['the <bowls>']}}": "'the <bowls>': there is no list 'bowls'",
    "lists: {being: man}": "lists.being: expected a list of texts, got 'man'",
    "lists: {being: [no]}": "lists.being: expected a list of texts, got [False]",
    "extra: 1": "expected the keys",
    "stop: [": "not YAML",
}


@pytest.mark.parametrize("change", BAD)
def test_bad_rules_are_one_clear_line(tmp_path: Path, change: str) -> None:
    whole = (share() / "config" / "guard.yaml").read_text()
    try:
        text = yaml.safe_dump({**yaml.safe_load(whole), **yaml.safe_load(change)})
    except yaml.YAMLError:
        text = change
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(ParameterError) as error:
        load_rules(str(tmp_path / "bad.yaml"))
    assert BAD[change] in str(error.value)
    assert "bad.yaml" in str(error.value) and "\n" not in str(error.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ParameterError, match=r"guard.rules: .*nowhere.yaml: No such file"):
        load_rules("nowhere")
