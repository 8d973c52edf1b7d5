"""The table of mutants fits the code: `make mutants` runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from test.mutation import operators
from test.mutation.mutant import Mutant
from test.mutation.plugin import source
from test.mutation.rules import RULES

SAFETY = Path(__file__).parents[2] / "vla_ros" / "safety"


@pytest.mark.parametrize("mutant", RULES, ids=lambda mutant: mutant.name)
def test_what_a_mutant_changes_is_there_once(mutant: Mutant) -> None:
    text = source(mutant.module)
    assert text.count(mutant.old) == 1
    compile(text.replace(mutant.old, mutant.new), mutant.module, "exec")


def test_every_rule_has_a_mutant() -> None:
    named = {path.stem for path in SAFETY.rglob("*.py") if '\nNAME = "' in path.read_text()}
    assert named - {mutant.rule for mutant in RULES} == set()
    assert len({mutant.name for mutant in RULES}) == len(RULES)


def test_operator_mutants_differ_from_the_code() -> None:
    found = [change for change, _ in operators.mutants("joint.stopping_distance", source("joint.stopping_distance"))]
    assert len(found) > 15
    assert all(change.before != change.after for change in found)


@pytest.mark.parametrize(
    ("tests", "code"),
    [
        ("test_messages.py", pytest.ExitCode.TESTS_FAILED),
        ("test_tick.py", pytest.ExitCode.OK),  # which knows no dead-man switch
    ],
)
def test_it_is_a_test_that_kills_a_mutant(tests: str, code: pytest.ExitCode) -> None:
    """Not pytest, which would kill them all."""
    arguments = ["-x", "-q", "-p", "test.mutation.plugin", "-p", "no:cacheprovider", "--mutant", "deadman/whole"]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments, f"test/unit/safety/{tests}"],
        cwd=SAFETY.parents[1],
        capture_output=True,
        check=False,
    )
    assert ended.returncode == code, ended.stdout.decode()
