"""Records in a chain of hashes: every flipped byte is found, and a file is readable up to any cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from test.unit.safety.audit.logs import recorded
from vla_ros.safety.audit.record import ORIGIN, Damaged, Kind, Reader, files, framed, pack, records
from vla_ros.safety.audit.replay import replay


def test_every_flipped_byte_is_found(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path)
    bench.armed().tick(2)
    direct.close()
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    for i in range(len(whole)):
        flip = 1 << i % 8
        path.write_bytes(whole[:i] + bytes((whole[i] ^ flip,)) + whole[i + 1 :])
        with pytest.raises(Damaged, match=path.name):
            list(Reader(path))


def test_a_log_cut_anywhere_is_readable_up_to_the_cut(make_bench: Any, tmp_path: Path) -> None:
    bench = make_bench()
    direct = recorded(bench, tmp_path)
    bench.armed().tick(2)
    direct.close()
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    ends = [record.offset for record in Reader(path)] + [len(whole)]
    for i in range(len(whole)):
        path.write_bytes(whole[:i])
        reader = Reader(path)
        read = list(reader)
        assert len(read) == sum(end <= i for end in ends[1:])
        assert reader.cut == (i not in (0, *ends))
    path.write_bytes(whole[:-5])
    report = replay(path)
    assert report.same
    assert report.cut == [f"{path.name} ends within a record, after {len(ends) - 2} whole ones"]


def test_records_are_counted() -> None:
    link, batch = ORIGIN, b""
    for count in range(1, 6):
        part, link = framed(link, Kind.TICK, pack(list(range(count))))
        batch += part
        assert records(batch) == count
