"""Which reader does a recording need?"""

from __future__ import annotations

from pathlib import Path

from vla_ros.oracle.recordings import bag, log, table
from vla_ros.oracle.recordings.selection import RecordingSelection, UnreadableRecording
from vla_ros.oracle.stream import Stream


def read_recording(path: Path, selection: RecordingSelection) -> list[Stream]:
    """Read a recording: several streams when its messages name different sets of joints.

    Raises:
        UnreadableRecording: with the file, the place and what to do.
    """
    if not path.exists():
        raise UnreadableRecording(f"{path}: there is no such file")
    if log.is_log(path):
        return log.read(path, selection)
    if path.is_dir() or path.suffix in (".mcap", ".db3"):
        return bag.read(path, selection)
    return table.read(path, selection)
