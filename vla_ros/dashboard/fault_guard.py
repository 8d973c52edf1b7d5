"""Keeps the dashboard running when one message or one part of the page fails: its process holds the stop button."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator


class FaultGuard:
    """Skips what fails, counts it and tells it.

    Args:
        log: called with one line at the first fault of each part.

    Attributes:
        skipped: number of faults so far.
    """

    def __init__(self, log: Callable[[str], object]) -> None:
        self._log = log
        self._logged: set[str] = set()
        self._faults: dict[str, str] = {}
        self.skipped = 0

    @contextlib.contextmanager
    def skip_on_error(self, part: str) -> Iterator[None]:
        """Skip the rest of the block when it raises. part: its name, for the line."""
        try:
            yield
        except Exception as error:
            self.skipped += 1
            self._faults[part] = f"skipped: {part} ({type(error).__name__}: {error})"
            if part not in self._logged:
                self._logged.add(part)
                self._log(self._faults[part])

    def take(self) -> list[str]:
        """Return one line for each part that has failed since the last call."""
        faults, self._faults = list(self._faults.values()), {}
        return faults
