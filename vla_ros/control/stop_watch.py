"""Whether a stop has come since an instruction was taken: such an instruction is over until somebody says otherwise."""

from __future__ import annotations

from vla_ros.safety.states import ACTIVE, LATCHED, State


class StopWatch:
    """Compares the filter's count of stops (`SafetyStatus.stops`) with what it was for the instruction in hand.

    An instruction that comes while the arm is armed counts from the newest status. One that comes before counts from the
    first status of an armed arm: the count of an older stop may arrive after it, and does not end it. A latch that is seen
    in between does.
    """

    def __init__(self) -> None:
        self._state: State | int | None = None
        self._stops: int | None = None
        self._counted_from: int | None = None

    @property
    def armed(self) -> bool:
        """Whether the filter was armed, and not latched, at the newest status."""
        return self._state in ACTIVE

    def on_instruction(self) -> None:
        """An instruction is taken."""
        self._counted_from = self._stops if self.armed else None

    def on_status(self, state: State | int, stops: int) -> bool:
        """Return whether a stop has ended the instruction. Stops count once."""
        was, self._state, self._stops = self._state, state, stops
        if self._counted_from is None:
            self._counted_from = stops if self.armed else None
            return state in LATCHED and was is not None and was not in LATCHED
        if stops == self._counted_from:
            return False
        self._counted_from = stops  # also where it is lower: a filter that was started again has stopped the arm
        return True
