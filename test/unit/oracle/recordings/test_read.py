"""The reader is chosen by what the file is."""

from __future__ import annotations

from pathlib import Path

import pytest
from rosbags.rosbag2 import StoragePlugin

from test.unit.oracle.recordings.written import ALL, array, bag, csv, smooth
from vla_ros.oracle.recordings.read import read_recording
from vla_ros.oracle.recordings.selection import UnreadableRecording


def test_tables_and_bags_are_told_apart(tmp_path: Path) -> None:
    q = smooth(20)
    for path in (
        csv(tmp_path / "q.csv", q),
        csv(tmp_path / "q.txt", q),
        bag(tmp_path / "bag", StoragePlugin.MCAP, {"/commands": [array(row) for row in q]}),
    ):
        (stream,) = read_recording(path, ALL)
        assert (stream.positions == q).all()


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRecording, match="missing.csv: there is no such file"):
        read_recording(tmp_path / "missing.csv", ALL)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnreadableRecording, match="folder: not a readable rosbag2"):
        read_recording(tmp_path / "folder", ALL)
    (tmp_path / "empty.vlalog").write_bytes(b"")
    with pytest.raises(UnreadableRecording, match="empty.vlalog"):
        read_recording(tmp_path / "empty.vlalog", ALL)
