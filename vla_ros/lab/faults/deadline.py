"""The time that a case may take: whatever it waits for, it is ended then."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

AGAIN_S = 1.0
"""Whoever catches the exception meets it again so much later."""
PLACES = 3
"""The line names so many functions, from the case inwards."""
INFRASTRUCTURE = ("campaign.py", "deadline.py", "contextlib.py")
"""Files whose functions say nothing about the case."""


class CaseOverdue(Exception):
    """The case was not over in its time; the text says what it waited for."""


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise in the block when it is not over after `seconds`, also out of a system call that waits; main thread only.

    Raises:
        CaseOverdue: the block was not over.
    """

    def end(_: int, frame: FrameType | None) -> None:
        raise CaseOverdue(f"not over after {seconds:g} s; it was in {_places(frame)}")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def _places(frame: FrameType | None) -> str:
    """Return what runs, from the case inwards."""
    calls: list[str] = []
    while frame is not None and frame.f_code.co_name != "run_case":
        code = frame.f_code
        if Path(code.co_filename).name not in INFRASTRUCTURE:
            calls.append(code.co_name)
        frame = frame.f_back
    return ", ".join(calls[::-1][:PLACES])
