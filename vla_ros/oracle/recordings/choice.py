"""What of a recording is meant, and how it is said that it cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

SIGNALS = ("command", "setpoint", "measured")
"""Of the simulated controller: what it was sent, what it passes on, where the arm is."""


class Unreadable(ValueError):
    """A recording is not what it should be. The text says file, place and remedy."""


class Silent(Unreadable):
    """A log is whole, and says that nothing was sent."""


@dataclass(frozen=True)
class Choice:
    """What of a recording is meant.

    joints: whose limits are known. unnamed: those of a message without names, in its order; joints where that has more.
    topic: of a bag; empty: the only one of a known type, or `likely`. signal: of the simulated controller's log.
    """

    joints: tuple[str, ...]
    unnamed: tuple[str, ...] = ()
    topic: str = ""
    likely: str = ""
    signal: str = "command"
