"""Each row of docs/faults_of_others.md names a test that exists, or a command that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vla_ros.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults_of_others.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| report")
]


def test_there_are_as_many_as_the_reports() -> None:
    assert len(ROWS) > 25 and {len(row) for row in ROWS} == {3}
    assert "docs/faults_of_others.md" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_it_is_shown_by_a_test_or_a_command(row: list[str]) -> None:
    shown = re.findall(r"`([^`]+)`", row[2])
    assert shown
    for each in shown:
        if each.startswith("vla-ros "):
            assert each.split()[1] in COMMANDS
            continue
        file, _, name = each.partition("::")
        assert f"def {name}(" in (ROOT / "test" / file).read_text(), each
