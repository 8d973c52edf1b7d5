"""The document that browsers fetch, and the place where any number of them wait for the newest one."""

from __future__ import annotations

import asyncio
import contextlib
import struct
import threading
import time
from dataclasses import dataclass

VIEWER_TIMEOUT_S = 3.0
"""A browser that has not asked for this long is no viewer any more."""


@dataclass(frozen=True)
class Document:
    """The state of the page at one update.

    Attributes:
        number: of the update.
        text: JSON, UTF-8.
        images: JPEGs, one after the other; their sizes stand in the JSON.
        image_number: of the set of images.
    """

    number: int
    text: bytes
    images: bytes
    image_number: int

    def body(self, image_number: int | None) -> bytes:
        """Return the body of an HTTP answer: the length of the JSON (4 bytes, little-endian), the JSON, the images.

        Args:
            image_number: set of images that the reader has already; None: it wants none. Images are left out then.
        """
        images = b"" if image_number in (None, self.image_number) else self.images
        return struct.pack("<I", len(self.text)) + self.text + images


class LatestDocument:
    """Holds the newest document. A slow reader skips documents; the writer never waits for a reader.

    One thread writes; readers are coroutines of any event loop.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._document: Document | None = None
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._requested_s: dict[str, float] = {}

    def publish(self, document: Document) -> None:
        """Replace the document and wake all readers that wait for it."""
        with self._lock:
            self._document = document
            waiting, self._waiting = self._waiting, set()
        for loop, published in waiting:
            with contextlib.suppress(RuntimeError):  # a loop that has been closed in the meantime
                loop.call_soon_threadsafe(published.set)

    def newest(self) -> Document | None:
        """Return the newest document; None before the first one."""
        return self._document

    async def newer_than(self, number: int, reader: str, timeout_s: float) -> Document | None:
        """Wait for a document with another number than `number`.

        Args:
            number: of the document that the reader has. reader: name of the reader, to count viewers.
            timeout_s: longest wait, s.

        Returns:
            The newest document; None when there is no other than `number` in time.
        """
        published = asyncio.Event()
        waiter = asyncio.get_running_loop(), published
        with self._lock:
            self._requested_s[reader] = time.monotonic()
            if self._document is not None and self._document.number != number:
                return self._document
            self._waiting.add(waiter)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await published.wait()
                return self._document
        with self._lock:
            self._waiting.discard(waiter)
        return None

    def viewers(self) -> int:
        """Return how many readers have asked within VIEWER_TIMEOUT_S."""
        with self._lock:
            oldest_s = time.monotonic() - VIEWER_TIMEOUT_S
            self._requested_s = {name: time_s for name, time_s in self._requested_s.items() if time_s > oldest_s}
            return len(self._requested_s)
