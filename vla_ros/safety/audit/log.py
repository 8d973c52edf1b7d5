"""The filter's side of the audit log: records are chained here and handed over without ever waiting.

One batch per tick goes through shared memory (`ring`) to the process that writes (`writer`). When it is full, or the process
has ended, the batch is dropped and counted, and the chain goes on from the last record that was handed over, with a new file:
its header holds the number of lost records, its snapshot the state from where a replay can go on.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgpack

from vla_ros.safety.audit.record import FORMAT, LONGEST, ORIGIN, Kind, framed, pack, records
from vla_ros.safety.audit.ring import Ring, create_memory
from vla_ros.safety.safety_parameters import AuditParameters


class Connection(Protocol):
    """What takes the batches; see `Ring`."""

    def send(self, batch: bytes) -> None: ...
    def abandoned(self) -> list[bytes]: ...
    def receive_message(self) -> bytes: ...
    def close(self) -> None: ...


def sources() -> str:
    """Return the sha256 of the filter's code."""
    folder = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".c")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


class AuditLog:
    """An open log.

    hash: the newest link of the chain. lost: records that could not be written. deleted_files, deleted_latches: files deleted
    in the folder to make room, ever, and how many of them held a latch.

    Args:
        parameters: where and how much.
        header: plain values that every file's header holds: parameters, URDF.
        connection: to the writer; None: start one.
    """

    def __init__(
        self, parameters: AuditParameters, header: dict[str, Any], connection: Connection | None = None
    ) -> None:
        self.hash = ORIGIN
        self.lost = self.deleted_files = self.deleted_latches = 0
        self._deleted_told = 0
        self._problems = {"connection": "", "writer": "", "record": ""}
        self._header = {"format": FORMAT, "sources": sources(), **header}
        self._headers_requested = self._lost_by_writer = 0
        self._batch: list[tuple[int, bytes]] = []
        self._header_due = True
        self._continuous = self._started = False
        self._process: subprocess.Popen[bytes] | None = None
        self._connection = self._start(parameters) if connection is None else connection

    @property
    def problem(self) -> str:
        """Why records are being lost; empty: none are."""
        return next(filter(None, self._problems.values()), "")

    def _start(self, parameters: AuditParameters) -> Ring:
        filter_end, writer_end = socket.socketpair()
        memory = create_memory()
        arguments = [str(memory), str(writer_end.fileno()), str(Path(parameters.directory).expanduser())]
        arguments += [str(round(mb * 1e6)) for mb in (parameters.file_mb, parameters.total_mb)]
        arguments += [str(parameters.keep_incidents)]
        # A session of its own: Ctrl-C ends the filter, and by that the writer, after the last record.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "vla_ros.safety.audit.writer", *arguments],
            pass_fds=[memory, writer_end.fileno()],
            start_new_session=True,
        )
        writer_end.close()
        ring = Ring(memory, filter_end)
        os.close(memory)
        return ring

    def add(self, kind: Kind, values: Any) -> None:
        """Put a record into the batch of this tick."""
        try:
            payload = pack(values)
            if len(payload) > LONGEST:
                raise ValueError(f"{len(payload)} bytes; a record holds {LONGEST}")
            self._batch.append((kind, payload))
        except Exception as error:  # a value that no message holds, or too many of them
            self.lost += 1
            self._problems["record"] = f"audit log: a record could not be packed ({error})"
            self._continuous, self._header_due = False, True

    def flush(self, snapshot: Callable[[], Any]) -> bool:
        """Hand over the batch, and behind it, where a file begins, a snapshot.

        Args:
            snapshot: gives the plain values of the filter's state after the batch.

        Returns:
            whether a snapshot went behind the batch.
        """
        batch, self._batch = self._batch, []
        try:
            return self._hand_over(batch, snapshot)
        except Exception as error:  # no fault of the log may reach the tick
            self.lost += len(batch)
            self._problems["connection"] = f"audit log: {type(error).__name__}: {error}; records are being lost"
            self._continuous, self._header_due = False, True
            return False

    def _hand_over(self, batch: list[tuple[int, bytes]], snapshot: Callable[[], Any]) -> bool:
        self._receive_writer_status()
        if batch and self._continuous:
            self._continuous = self._send(batch)
            self._header_due |= not self._continuous
        if not self._continuous and self._started:
            self.lost += len(batch)
        if not self._header_due:
            return False
        header = pack({**self._header, "continues": self.hash.hex(), "lost": self.lost})
        if not self._send([(Kind.HEADER, header), (Kind.SNAPSHOT, pack(snapshot()))]):
            return False
        self._header_due, self._continuous, self._started = False, True, True
        return True

    def _send(self, batch: list[tuple[int, bytes]]) -> bool:
        link, parts = self.hash, []
        for kind, payload in batch:
            part, link = framed(link, kind, payload)
            parts.append(part)
        try:
            self._connection.send(b"".join(parts))
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                self.lost += sum(map(records, self._connection.abandoned()))
            self._problems["connection"] = (
                f"audit log: the writer does not keep up or is gone ({error}); records are being lost"
            )
            return False
        self._problems["connection"] = ""
        self.hash = link
        return True

    def deletion_to_tell(self) -> str:
        """Return a line when files with a latch have been deleted in the folder, once; empty: none since the last call."""
        told, self._deleted_told = self._deleted_told, self.deleted_latches
        if self.deleted_latches <= told:
            return ""
        return (
            f"audit log: {self.deleted_latches} files with a latch have been deleted until now to make room; raise "
            "audit.keep_incidents and audit.total_mb, or copy such files in time"
        )

    def close(self) -> None:
        """Let the writer finish."""
        self._connection.close()
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(2.0)

    def _receive_writer_status(self) -> None:
        """Take over what the writer reports: whether it needs a header, its problem, the records it lost."""
        message = self._connection.receive_message()
        if message:
            headers_requested, self._problems["writer"], lost, *deleted = msgpack.unpackb(message)
            self.deleted_files, self.deleted_latches = deleted
            self._header_due |= headers_requested != self._headers_requested
            self._headers_requested = headers_requested
            self.lost += lost - self._lost_by_writer
            self._lost_by_writer = lost
