"""What the documents name as the check of a promise is a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
NAMED = re.compile(r"`(?:(test[\w/]*)/)?(test_\w+\.py)?(?:::)?(test_\w+)?(…)?`")
DOCUMENTS = ("safety.md", "audit.md", "testing.md")


def _file(folder: str, name: str) -> Path:
    if folder:
        return ROOT / folder / name
    (found,) = (ROOT / "test" / "unit" / "safety").rglob(name)
    return found


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_named_test_is_there(document: str) -> None:
    """A file without a folder is one below this folder; a test without a file is in any."""
    everything = "\n".join(path.read_text() for path in (ROOT / "test").rglob("test_*.py"))
    found = NAMED.findall((ROOT / "docs" / document).read_text())
    named = [each for each in found if each[1] or each[2]]
    assert len(named) >= 2
    for folder, file, test, more in named:
        text = _file(folder, file).read_text() if file else everything
        tests = re.findall(r"^def (test_\w+)", text, re.M)
        assert not test or test in tests or (more and any(name.startswith(test) for name in tests)), test


def test_every_guarantee_names_one() -> None:
    table = (ROOT / "docs" / "safety.md").read_text().split("## What is guaranteed")[1].split("\n\n")[2]
    rows = [row for row in table.splitlines() if re.match(r"\| \d", row)]
    assert len(rows) >= 13
    assert [row for row in rows if "the same two" not in row and not re.search(r"test_\w+\.py::test_\w+", row)] == []
