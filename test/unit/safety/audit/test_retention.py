"""What goes first when there is no room: the oldest; files with a latch last; what others write or wrote, never."""

from __future__ import annotations

import fcntl
from pathlib import Path

from vla_ros.safety.audit.retention import StoredFile, claim, in_order_of_deletion, stored_files


def stored(number: int, latch: bool = False, folder: Path = Path("/nowhere")) -> StoredFile:
    name = f"audit-20260101T000000Z-9-{number:05d}{'-latch' if latch else ''}.vlalog"
    return StoredFile(folder / name, number, 100, latch)


def test_the_newest_files_with_a_latch_go_last() -> None:
    files = [stored(i, latch=i in (1, 2, 4)) for i in range(1, 7)]
    assert [each.number for each in in_order_of_deletion(files, 2)] == [1, 3, 5, 6, 2, 4]
    assert [each.number for each in in_order_of_deletion(files, 0)] == [1, 2, 3, 4, 5, 6]


def test_only_named_regular_files_count_and_locked_ones_stay(tmp_path: Path) -> None:
    for i in range(1, 5):
        stored(i, folder=tmp_path).path.write_bytes(bytes(100))
    (tmp_path / "mine.vlalog").write_bytes(bytes(1000))
    (tmp_path / "audit-20260101T000000Z-9-00009.vlalog").symlink_to(tmp_path / "mine.vlalog")
    found = stored_files(tmp_path)
    assert [(each.number, each.bytes) for each in found] == [(1, 100), (2, 100), (3, 100), (4, 100)]
    with found[0].path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        claimed = claim(found, 0, 150)
        assert [each.stored.number for each in claimed] == [2, 3]
        claimed[0].delete()
        claimed[1].release()
    assert [each.number for each in stored_files(tmp_path)] == [1, 3, 4]
    assert claim(found, 0, 0) == []
