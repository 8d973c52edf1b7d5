"""What the documents say of parameters, messages and rooms is what the code declares. Links, anchors and paths exist.

Sentences are short.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from test.unit.test_rooms import LEVELS
from vla_ros.bringup import documentation

ROOT = Path(__file__).parents[3]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md")])
PROSE = [path for path in DOCUMENTS if path.parent != ROOT or path.name == "README.md"]
"""README, docs and examples: what is written for users."""
LONGEST_SENTENCE = 40
"""Words; code in backticks counts as one."""

FENCED = re.compile(r"^ *```.*?^ *```", re.M | re.S)
BLOCK_BREAK = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )|\n(?=[#|])")
SENTENCE_BREAK = re.compile(r"(?<!e\.g\.)(?<!i\.e\.)(?<=[.!?])[)*_\"”]*\s+")


def identifier(path: Path) -> str:
    """Return the path of a document from the root."""
    return str(path.relative_to(ROOT))


def without_code(text: str) -> str:
    """Return a document without its code blocks."""
    return FENCED.sub("", text)


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives the headings of a document: lower case, no punctuation, hyphens for spaces."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", without_code(text), re.M):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        slug = re.sub(r"[^\w\- ]", "", shown).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
        if found[slug]:
            found[f"{slug}-{found[slug]}"] = 0
    return set(found)


def broken_links(document: Path) -> Iterator[str]:
    """Yield the links of a document whose file does not exist, or whose anchor is no heading of the file."""
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(document.read_text())):
        file, _, anchor = link.partition("#")
        target = document.parent / file if file else document
        if link.startswith("https://"):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            yield link


def missing_paths(text: str) -> list[str]:
    """Return the paths vla_ros/….py and test/….py that a document names, in commands too, and that do not exist."""
    named = re.findall(r"(?<![\w/.-])((?:vla_ros|test)/[\w/-]+\.py)\b", text)
    return [path for path in named if not (ROOT / path).is_file()]


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a document outside code blocks, tables and headings."""
    for block in BLOCK_BREAK.split(without_code(text)):
        if not block.lstrip().startswith(("#", "|")):
            yield from SENTENCE_BREAK.split(" ".join(block.split()))


def long_sentences(text: str) -> list[str]:
    """Return "words: sentence" for each sentence with more than LONGEST_SENTENCE words."""
    counted = [(len(re.sub(r"`[^`]*`", "code", sentence).split()), sentence) for sentence in sentences(text)]
    return [f"{words}: {sentence}" for words, sentence in counted if words > LONGEST_SENTENCE]


@pytest.mark.parametrize("name", ["parameters", "messages"])
def test_generated_documents_are_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / f"{name}.md").read_text() == getattr(documentation, f"{name}_page")()


@pytest.mark.parametrize("document", DOCUMENTS, ids=identifier)
def test_links_lead_somewhere(document: Path) -> None:
    assert list(broken_links(document)) == []


@pytest.mark.parametrize("document", PROSE, ids=identifier)
def test_paths_of_code_exist(document: Path) -> None:
    assert missing_paths(document.read_text()) == []


@pytest.mark.parametrize("document", PROSE, ids=identifier)
def test_sentences_are_short(document: Path) -> None:
    assert long_sentences(document.read_text()) == []


def test_the_table_of_rooms_is_that_of_the_code() -> None:
    section = (ROOT / "docs" / "architecture.md").read_text().split("## The rooms")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+) \|", section, re.M)
    assert [sorted(re.findall(r"`(\w+)`", row)) for row in rows] == [sorted(level) for level in LEVELS]


def test_the_table_of_places_names_files_that_exist() -> None:
    text = (ROOT / "README.md").read_text()
    places = re.findall(r"^\|[^|]+\| (.+) \|$", text.split("## Where is")[1].split("\n## ")[0], re.M)
    files = re.findall(r"`([\w/.]+)`", " ".join(places))
    assert len(files) > 8
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_anchors_follow_the_rules_of_github() -> None:
    headings = ["# One: `two` & *three*", "## Same", "## Same", "### [A link](there.md)?", "## snake_case – dash"]
    assert anchors("\n".join([*headings, "```sh", "# no heading", "```"])) == {
        "one-two--three",
        "same",
        "same-1",
        "a-link",
        "snake_case--dash",
    }


def test_a_link_to_a_missing_heading_is_found(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(
        "# Here\n[a](#here) [b](#there) [c](page.md#here) [d](page.md#gone) [e](none.md) [f](https://x.org/#y)\n"
    )
    assert list(broken_links(document)) == ["#there", "page.md#gone", "none.md"]


def test_a_missing_path_is_found() -> None:
    text = "`vla_ros/time.py` `vla_ros/none.py` `pytest test/none.py::test_x -s` `none.py` src/vla_ros/none.py"
    assert missing_paths(text) == ["vla_ros/none.py", "test/none.py"]


def test_a_long_sentence_is_found_and_tables_and_code_are_not_read() -> None:
    long = " ".join(["word"] * 41)
    assert long_sentences(f"{long}.") == [f"41: {long}."]
    assert long_sentences(f"Short. {long[5:]}. Short `{long}`.") == []
    assert long_sentences(f"| {long} |\n\n```\n{long}\n```\n") == []
