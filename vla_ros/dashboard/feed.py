"""The newest document, for any number of readers: who is slow skips, and the writer never waits."""

from __future__ import annotations

import threading
import time

from vla_ros.dashboard.board import Document

PRESENT_S = 3.0


class Feed:
    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._document: Document | None = None
        self._asked_s: dict[str, float] = {}

    def put(self, document: Document) -> None:
        """Replace the document and wake who waits."""
        with self._condition:
            self._document = document
            self._condition.notify_all()

    def newest(self) -> Document | None:
        """The present document, if there is one."""
        return self._document

    def after(self, number: int, reader: str, timeout_s: float) -> Document | None:
        """Wait for a document other than `number`; None when none comes in time."""
        with self._condition:
            self._asked_s[reader] = time.monotonic()
            self._condition.wait_for(lambda: self._document is not None and self._document.number != number, timeout_s)
            document = self._document
            return document if document is not None and document.number != number else None

    def readers(self) -> int:
        """How many asked lately."""
        with self._condition:
            since_s = time.monotonic() - PRESENT_S
            self._asked_s = {reader: asked_s for reader, asked_s in self._asked_s.items() if asked_s > since_s}
            return len(self._asked_s)
