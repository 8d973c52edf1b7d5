"""Which lines about a task are worth printing: new ones, and of those that were told what has come to stay."""

from __future__ import annotations

import re
from collections import deque

REMEMBERED = 4
STEADY_S = 3.0
"""A line that was told is told again when it has stood for so long: a fault that comes and goes must not fill the screen."""
NUMBERS = re.compile(r"\d+(\.\d+)?")


class ToldLines:
    """Lines that differ in numbers alone are the same."""

    def __init__(self) -> None:
        self._told: deque[str] = deque(maxlen=REMEMBERED)
        self._current = ""
        self._since_s = 0.0

    def worth_telling(self, line: str, now_s: float) -> bool:
        """Return whether to print the line that holds at this moment; now_s: monotonic. An empty line is not."""
        key = NUMBERS.sub("#", line)
        if key != self._current:
            self._current, self._since_s = key, now_s
        if not key or (self._told and key == self._told[-1]):
            return False
        if key in self._told and now_s - self._since_s < STEADY_S:
            return False
        self._told.append(key)
        return True
