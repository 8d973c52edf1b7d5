"""How far a long work is, and how much time is left: a line that is rewritten on a terminal, elsewhere a line now and then.

Needs nothing but Python, because it shows the set-up too, when nothing is installed yet:

    python -m vla_ros.progress_line --total 230 --matching '^Collecting (\\S+)' "installing" -- pip install …
"""

from __future__ import annotations

import argparse
import os
import re
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TextIO

EVERY_S = 30.0
"""Time between two lines where there is no terminal."""
REDRAWN_S = 0.1
"""Shortest time between two drawings on a terminal."""
TAIL_LINES = 40
"""Of a program that failed, so many of its last lines are shown."""
PERCENT = re.compile(r"^ *\[ *(\d+)%\]")
"""How make tells its progress."""


class ProgressLine:
    """Progress of one work.

    Attributes:
        title: what is done. done, total: steps.

    Args:
        stream: where it is shown; None: standard error. now_s: a clock.
    """

    def __init__(
        self, title: str, total: int, stream: TextIO | None = None, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.title, self.total, self.done = title, total, 0
        self._stream = sys.stderr if stream is None else stream
        self._now_s = now_s
        self._text = ""
        self._terminal = self._stream.isatty() and os.environ.get("TERM") != "dumb"
        self._began_s = self._shown_s = now_s()
        self._first: tuple[float, int] | None = None
        """When, and with how many steps, began what the time left is told from."""

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._terminal:
            self._stream.write("\r\x1b[2K")
        spent = duration(self._now_s() - self._began_s)
        self._stream.write(f"{self._counted()} in {spent}\n")
        self._stream.flush()

    def advance(self, text: str = "") -> None:
        """One more step is done. text: what there is to say of the work now."""
        self.update(self.done + 1, text)

    def update(self, done: int, text: str = "") -> None:
        """So many steps are done. Those of a work that is resumed took no time; with fewer than before it begins anew."""
        if self._first is None:
            self._first = (self._began_s, 0) if done == 1 else (self._now_s(), done)
        elif done < self.done:
            self._first = (self._now_s(), done)
        self.done, self._text = done, text
        self.refresh()

    def refresh(self) -> None:
        """Show the line if it is time."""
        now_s = self._now_s()
        if now_s - self._shown_s >= (REDRAWN_S if self._terminal else EVERY_S):
            self._shown_s = now_s
            self._draw()

    def print(self, line: str, stream: TextIO | None = None) -> None:
        """Print a line of its own above. stream: None: where the progress is shown."""
        if self._terminal:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
        print(line, file=stream or self._stream, flush=True)
        if self._terminal:
            self._draw()

    def left_s(self) -> float | None:
        """Return how much time is left if the work goes on as it went; None: nothing is known yet."""
        if self._first is None or not self._first[1] < self.done < self.total:
            return None
        first_s, first = self._first
        return (self._now_s() - first_s) / (self.done - first) * (self.total - self.done)

    def _counted(self) -> str:
        return ", ".join(filter(None, (f"{self.title}: {self.done} of {max(self.done, self.total)}", self._text)))

    def _draw(self) -> None:
        left_s = self.left_s()
        line = self._counted() + (f", {duration(left_s)} left" if left_s is not None else "")
        if self._terminal:
            try:
                columns = os.get_terminal_size(self._stream.fileno()).columns or 80
            except OSError:
                columns = 80
            self._stream.write(f"\r\x1b[2K{line[: columns - 1]}")
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()


def duration(seconds: float) -> str:
    """Return a time in words, as long as it matters: 40 s, 12 min, 2 h 05 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


def show_program(progress: ProgressLine, matching: re.Pattern[str], command: Sequence[str]) -> int:
    """Run a program, show its progress by what it prints, and return its exit code; of a failure its last lines, too.

    Args:
        matching: a line like this is a step; its first group is what there is to say. PERCENT: it is how far the work is.
    """
    tail: deque[str] = deque(maxlen=TAIL_LINES)
    with (
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        ) as program,
        progress,
    ):
        assert program.stdout is not None
        rest = b""
        while True:
            if not select.select([program.stdout], [], [], 1.0)[0]:
                progress.refresh()
                continue
            chunk = os.read(program.stdout.fileno(), 65536)
            *lines, rest = (rest + chunk).split(b"\n")
            for line in [each.decode(errors="replace") for each in lines]:
                tail.append(line)
                found = matching.search(line)
                if found and matching is PERCENT:
                    progress.update(int(found[1]))
                elif found:
                    progress.advance(found[1])
            if not chunk:
                break
        code = program.wait()
    if code:
        print("\n".join(tail), file=sys.stderr)
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a program and show its progress."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--total", type=int, default=100, help="about so many steps")
    parser.add_argument("--matching", default="", help="regular expression with a group; empty: percentages as of make")
    parser.add_argument("title")
    parser.add_argument("command", nargs="+", metavar="-- PROGRAM")
    chosen = parser.parse_args(arguments)
    pattern = re.compile(chosen.matching) if chosen.matching else PERCENT
    try:
        return show_program(ProgressLine(chosen.title, chosen.total), pattern, chosen.command)
    except KeyboardInterrupt:  # the program has got it, too
        return 130


if __name__ == "__main__":
    sys.exit(main())
