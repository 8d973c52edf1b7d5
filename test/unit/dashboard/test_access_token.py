"""The token that outlives the dashboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from vla_ros.dashboard.access_token import stored_token


def test_it_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "state" / "token"
    token = stored_token(file)
    assert token.isalnum() and len(token) == 24
    assert stored_token(file) == file.read_text() == token
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]
    file.unlink()
    assert stored_token(file) != token


@pytest.mark.parametrize("content", [b"", b"two words", b"\xff", b"a\r\nSet-Cookie: b"])
def test_what_is_no_token_opens_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    assert len(stored_token(file)) == 24


def test_without_a_place_it_is_new_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert stored_token(tmp_path / "file" / "token") != stored_token(tmp_path / "file" / "token")
