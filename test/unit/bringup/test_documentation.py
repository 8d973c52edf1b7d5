"""What the documents say of parameters and messages is what the code declares; their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vla_ros.bringup import documentation

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])


@pytest.mark.parametrize("name", ["parameters", "messages"])
def test_generated_documents_are_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / f"{name}.md").read_text() == getattr(documentation, f"{name}_page")()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text()):
        assert target.startswith("https://") or (document.parent / target).exists(), target


def test_the_table_of_places_names_files_that_exist() -> None:
    text = (ROOT / "README.md").read_text()
    places = re.findall(r"^\|[^|]+\| (.+) \|$", text.split("## Where is")[1].split("\n## ")[0], re.M)
    files = re.findall(r"`([\w/.]+)`", " ".join(places))
    assert len(files) > 8
    assert [file for file in files if not (ROOT / file).exists()] == []
