"""Whether results can be written is known before the work begins."""

from __future__ import annotations

from pathlib import Path

import pytest

from vla_ros.lab import outputs


def test_nothing_is_made_where_nothing_is_asked_for() -> None:
    assert (outputs.file(""), outputs.folder("")) == ("", "")


def test_a_file_is_opened_without_losing_what_is_in_it(tmp_path: Path) -> None:
    kept, new = tmp_path / "kept.json", tmp_path / "new.json"
    kept.write_text("old results")
    assert outputs.file(str(kept)) == str(kept) and kept.read_text() == "old results"
    assert outputs.file(str(new)) == str(new) and new.exists()


def test_a_folder_is_made_with_its_parents_and_left_empty(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert outputs.folder(str(folder)) == str(folder)
    assert list(folder.iterdir()) == []


def test_what_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for make in (outputs.file, outputs.folder):
        with pytest.raises(OSError):
            make(str(tmp_path / "file" / "below"))


def test_a_page_lies_in_the_docs_of_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("vla_ros.resources.share", lambda: tmp_path)
    with pytest.raises(OSError):
        outputs.page("bench.md")
    (tmp_path / "docs").mkdir()
    assert outputs.page("bench.md") == tmp_path / "docs" / "bench.md"
