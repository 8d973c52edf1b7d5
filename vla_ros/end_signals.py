"""Signals that ask a process to end: Ctrl-C, SIGTERM, and SIGHUP, which a closed terminal sends."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType

END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def on_end_signal(act: Callable[[int], object]) -> None:
    """Have END_SIGNALS call `act` with their number, in this process alone.

    A child that a library forks inherits the handler, and with it what belongs to its parent: there the signal does what
    it does without a handler. Where SIGHUP is ignored, as below nohup, it stays ignored.
    """
    process = os.getpid()

    def handler(number: int, frame: FrameType | None) -> None:
        if os.getpid() == process:
            act(number)
        else:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    for number in END_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def ended_by_parent() -> None:
    """Have this process go on when a terminal asks it to end: its parent ends it, by closing the pipe between them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
