"""Logs of the filter for the tests of the audit log."""

from __future__ import annotations

import dataclasses
import errno
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vla_ros.safety.audit.history import preface_of
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.record import LINK, ORIGIN, Kind, Reader, framed, pack
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.audit.writer import LogSizes, LogWriter
from vla_ros.safety.safety_parameters import AuditParameters

NAN = math.nan


class Direct:
    """A connection that writes at once, so that tests see what a batch does."""

    def __init__(self, writer: LogWriter) -> None:
        self.writer = writer
        self.full = False
        self.asked = 0

    def close(self) -> None:
        self.writer.close()

    def send(self, batch: bytes) -> None:
        if self.full:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        self.writer.write(batch)

    def abandoned(self) -> list[bytes]:
        return []

    def receive_message(self) -> bytes:
        self.asked += self.writer.wants_header
        told = self.writer
        return pack([self.asked, told.problem, told.lost, told.deleted_files, told.deleted_latches])


def about(bench: Any) -> dict[str, Any]:
    """What the node puts into the header."""
    return {"parameters": dataclasses.asdict(bench.parameters), "urdf": ""}


def rewritten(
    path: Path, change: Callable[[Kind, Any], Any], kind_of: Callable[[Kind], Kind] = lambda kind: kind
) -> None:
    """Change the values of records and make the chain of hashes anew, as somebody with the format at hand could."""
    last, parts = ORIGIN, []
    reader = Reader(path)
    for record in reader:
        kind = kind_of(record.kind)
        part, last = framed(last, kind, pack(change(kind, record.values)))
        parts.append(part)
    if reader.preface is not None:
        preface = dataclasses.replace(preface_of(reader.preface), begins=parts[0][-LINK:].hex())
        parts.insert(0, preface.record())
    path.write_bytes(b"".join(parts))


def recorded(
    bench: Any, folder: Path, size: int = 10**8, total: int = 10**10, keep: int = 16, **open_file: Any
) -> Direct:
    """Put a log between the bench and its filter."""
    direct = Direct(LogWriter(folder, LogSizes(size, total, keep), **open_file))
    bench.filter = Recorder(bench.filter, AuditLog(AuditParameters(), about(bench), direct))
    return direct


def adventure(bench: Any, seconds: float = 0.6) -> None:
    """Something of everything: motion, nonsense, silence, an e-stop, a reset, a second motion."""
    home = list(bench.q)
    bench.armed()
    bench.stream(lambda t: [home[0] + 0.4 * t, *home[1:]], seconds)
    bench.command([NAN, *home[1:]])
    bench.command(home, joint_names=list(reversed(["joint7", *[f"x{i}" for i in range(7)]])))
    bench.filter.speed_scale(0.5)
    bench.filter.publishers("policy", ["/one (01)"])
    bench.stream(lambda t: [home[0] + 0.3 - 2.0 * t, *home[1:]], seconds)
    bench.filter.estop("test")
    bench.tick(80)
    assert bench.filter.reset(bench.now_ns)[0]
    bench.armed()
    bench.stream(lambda t: [home[0] + 0.1 * t, *home[1:]], seconds)


def files_or_none(folder: Path) -> list[Path]:
    """The log's files that hold something."""
    return [path for path in folder.glob("*.vlalog") if path.stat().st_size] if folder.is_dir() else []
