"""A server's own words are one short line wherever they are repeated."""

from __future__ import annotations

import pytest

from vla_ros.policies.remote.policy_client import LONGEST_QUOTE, ConnectionLost, ServerFault, quoted


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("one", "one"),
        ("Traceback (most recent call last):\n  File x\nKeyError:   'state'\n\n", "KeyError: 'state'"),
        ("x" * 500, "x" * (LONGEST_QUOTE - 1) + "…"),
        (KeyError("a"), "'a'"),
    ],
)
def test_the_last_line_is_quoted(text: object, line: str) -> None:
    assert quoted(text) == line


def test_a_fault_is_one_line() -> None:
    assert str(ServerFault("a\n b\r\n\tc")) == "a b c"
    assert isinstance(ConnectionLost("x"), ServerFault)
