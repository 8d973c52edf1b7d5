"""Errors of images are one line."""

from __future__ import annotations

from vla_ros.perception.wrong_encoding import WrongEncoding


def test_what_a_library_says_in_several_lines_becomes_one() -> None:
    assert str(WrongEncoding("(-215)\n  no image ")) == "(-215) no image"
