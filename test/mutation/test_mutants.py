"""The table of mutants fits the code: `make mutants` runs them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import operators
from rules import RULES, Mutant

SAFETY = Path(__file__).parents[2] / "vla_ros" / "safety"


@pytest.mark.parametrize("mutant", RULES, ids=lambda mutant: mutant.name)
def test_what_a_mutant_changes_is_there_once(mutant: Mutant) -> None:
    text = (SAFETY / f"{mutant.module}.py").read_text()
    assert text.count(mutant.old) == 1
    compile(text.replace(mutant.old, mutant.new), mutant.module, "exec")


def test_every_rule_has_a_mutant() -> None:
    named = {path.stem for path in SAFETY.glob("*.py") if '\nNAME = "' in path.read_text()}
    assert named - {mutant.rule for mutant in RULES} == set()
    assert len({mutant.name for mutant in RULES}) == len(RULES)


def test_operator_mutants_differ_from_the_code() -> None:
    found = [change for change, _ in operators.mutants("braking", (SAFETY / "braking.py").read_text())]
    assert len(found) > 15
    assert all(change.before != change.after for change in found)
