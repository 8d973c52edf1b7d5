"""The preface of a file: exact numbers of what was there, and nothing else read from one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from vla_ros.safety.audit.history import (
    Preface,
    contains,
    count,
    last_link,
    preface_of,
    read_preface,
    stretches,
    text,
    without,
)
from vla_ros.safety.audit.record import ORIGIN, Kind, framed, pack

PREFACE = Preface(7, 1_700_000_000 * 10**9, 6, "ab" * 16, [[1, 3], [6, 6]], [[4, 4]], 2, 5000, 1, "cd" * 16)


def test_a_preface_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(PREFACE.record())
    assert read_preface(path) == PREFACE
    data = bytearray(PREFACE.record())
    for i in range(len(data)):
        path.write_bytes(data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :])
        assert read_preface(path) is None
        path.write_bytes(data[:i])
        assert read_preface(path) is None


@pytest.mark.parametrize(
    "change",
    [
        {"number": "7"},
        {"number": True},
        {"begins": "no hex"},
        {"previous_link": 5},
        {"kept": [[3, 1]]},
        {"kept": [["a", "b"]]},
        {"missing": 5},
        {"more": 1},
    ],
)
def test_what_is_no_preface_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        preface_of({**dataclasses.asdict(PREFACE), **change})


def test_numbers_in_stretches() -> None:
    assert stretches([5, 1, 2, 3, 3]) == [[1, 3], [5, 5]]
    assert without([[1, 5], [8, 9]], [2, 5, 8]) == [[1, 1], [3, 4], [9, 9]]
    assert without([[1, 10**18]], [3]) == [[1, 2], [4, 10**18]]
    assert contains([[1, 3]], 2) and not contains([[1, 3]], 4)
    assert text([[1, 3], [5, 5]]) == "1 to 3, 5"
    assert count([[1, 3], [5, 5]]) == 4


def test_the_last_link_is_that_of_the_last_whole_record(tmp_path: Path) -> None:
    path = tmp_path / "log"
    one, link = framed(ORIGIN, Kind.HEADER, pack({}))
    two, after = framed(link, Kind.TICK, pack([1]))
    for data, expected in ((one + two, after), ((one + two)[:-1], link), (b"host", ORIGIN), (b"", ORIGIN)):
        path.write_bytes(data)
        assert last_link(path) == expected.hex()
    assert last_link(tmp_path) == last_link(tmp_path / "nothing") == ORIGIN.hex()
