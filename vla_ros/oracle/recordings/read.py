"""Which reader a file needs."""

from __future__ import annotations

from pathlib import Path

from vla_ros.oracle.recordings import bag, log, table
from vla_ros.oracle.recordings.choice import Choice, Unreadable
from vla_ros.oracle.stream import Stream


def read(path: Path, choice: Choice) -> list[Stream]:
    """Read a recording: several streams when its messages name different sets of joints.

    Raises:
        Unreadable: with the file, the place and what to do.
    """
    if not path.exists():
        raise Unreadable(f"{path}: there is no such file")
    if log.is_log(path):
        return log.read(path, choice)
    if path.is_dir() or path.suffix in (".mcap", ".db3"):
        return bag.read(path, choice)
    return table.read(path, choice)
