"""Finds in the records that are written where the filter latched, so that these files are kept longest."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import msgpack

from vla_ros.safety.audit.record import HEAD, HEAD_SIZE, LINK, Kind
from vla_ros.safety.states import LATCHED

BEFORE_NS = 10_000_000_000
"""So much of the time before a latch is kept with it."""


@dataclass(frozen=True)
class FoundLatch:
    """A latch. needs_file_before: whether the file holds less than BEFORE_NS before it."""

    needs_file_before: bool


class LatchWatch:
    """Reads every batch; the state is known from its decisions, and where records were lost from the snapshot behind them."""

    def __init__(self) -> None:
        self._latched = False
        self._began_ns: int | None = None

    def found_in(self, batch: bytes) -> FoundLatch | None:
        """Return whether the filter has latched in a batch of whole records; None: it has not, or it was latched before."""
        found = None
        offset = 0
        while offset < len(batch):
            length, kind = HEAD.unpack_from(batch, offset)
            payload = batch[offset + HEAD_SIZE : offset + HEAD_SIZE + length]
            offset += HEAD_SIZE + length + LINK
            if kind == Kind.HEADER:
                self._began_ns = None
            elif kind in (Kind.TICK, Kind.SNAPSHOT):
                with contextlib.suppress(Exception):  # what cannot be read here is the replay's business
                    found = self._take(kind, msgpack.unpackb(payload, strict_map_key=False)) or found
        return found

    def _take(self, kind: int, values: Any) -> FoundLatch | None:
        before = self._latched
        if kind == Kind.SNAPSHOT:
            now_ns, state = values["state"]["ticked_ns"], values["state"]["state"]
        else:
            now_ns, (state, *_) = values
        if self._began_ns is None:
            self._began_ns = now_ns
        self._latched = state in LATCHED
        if before or not self._latched:
            return None
        return FoundLatch(self._began_ns is None or now_ns - self._began_ns < BEFORE_NS)
