"""Logs of the filter for the tests of the audit log."""

from __future__ import annotations

import dataclasses
import errno
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.record import ORIGIN, Kind, Reader, framed, pack
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.audit.writer import LogWriter
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
        return pack([self.asked, self.writer.problem, self.writer.lost])


def about(bench: Any) -> dict[str, Any]:
    """What the node puts into the header."""
    return {"parameters": dataclasses.asdict(bench.parameters), "urdf": ""}


def rewritten(path: Path, change: Callable[[Kind, Any], Any]) -> None:
    """Change the values of records and make the chain of hashes anew, as somebody with the format at hand could."""
    last, parts = ORIGIN, []
    for record in Reader(path):
        part, last = framed(last, record.kind, pack(change(record.kind, record.values)))
        parts.append(part)
    path.write_bytes(b"".join(parts))


def recorded(bench: Any, folder: Path, size: int = 10**8, count: int = 9, **open_file: Any) -> Direct:
    """Put a log between the bench and its filter."""
    direct = Direct(LogWriter(folder, size, count, **open_file))
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
