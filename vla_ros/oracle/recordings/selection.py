"""Which part of a recording is meant, and the error that says that it cannot be read."""

from __future__ import annotations

from dataclasses import dataclass

SIGNALS = ("command", "setpoint", "measured")
"""Of the simulated controller: what it was sent, what it passes on, where the arm is."""


class UnreadableRecording(ValueError):
    """A recording is not what it should be. The text says file, place and remedy."""


class NothingSent(UnreadableRecording):
    """A log is whole, and says that nothing was sent."""


@dataclass(frozen=True)
class RecordingSelection:
    """Which part of a recording is meant.

    joints: whose limits are known. unnamed: the joints of a message without names, in its order; it means `joints` where the
    number of its positions is another. topic: of a bag; empty: the only one of a known type, or else `likely`. signal: of the
    simulated controller's log, one of SIGNALS.
    """

    joints: tuple[str, ...]
    unnamed: tuple[str, ...] = ()
    topic: str = ""
    likely: str = ""
    signal: str = "command"
