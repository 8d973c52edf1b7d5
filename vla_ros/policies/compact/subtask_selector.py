"""Which subtask is active. Predictions flicker, and an arm that rests without progress is in the wrong subtask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAD_UPDATES = 5  # further updates in a row in which another subtask is the most probable one, until it is selected
REST_UPDATES = 30  # in a row in which the arm rests, after which another subtask is tried,
TRIAL_UPDATES = 10  # for so many updates,
MIN_TRIAL_PROBABILITY = 0.15  # if it is so probable


class SubtaskSelector:
    """Selects the active subtask of one step.

    Args:
        hysteresis: difference of probability from which another subtask replaces the active one at once.
    """

    def __init__(self, hysteresis: float) -> None:
        self.subtask = -1
        self._hysteresis = hysteresis
        self._leader, self._lead = -1, 0
        self._rested, self._trial = 0, 0

    def update(self, probabilities: NDArray[np.floating], rests: bool) -> int:
        """Take in one prediction.

        The active subtask stays until another one is clearly more probable, or has been more probable for long. An arm
        whose subtask has ended, but is not detected to have ended, would rest for ever (over a stack whose height is
        overestimated, say): after REST_UPDATES the second most probable subtask is tried.

        Args:
            probabilities: (subtasks,).
            rests: whether the arm stands still though it may move.

        Returns:
            Index of the active subtask.
        """
        best = int(probabilities.argmax())
        self._lead = self._lead + 1 if best == self._leader and best != self.subtask else 0
        self._leader = best
        self._rested = self._rested + 1 if rests else 0
        if self._rested >= REST_UPDATES:
            others = np.delete(np.arange(len(probabilities)), self.subtask)
            second = int(others[probabilities[others].argmax()])
            if probabilities[second] >= MIN_TRIAL_PROBABILITY:
                self.subtask, self._trial = second, TRIAL_UPDATES
            self._rested = self._lead = 0
        elif self._trial > 0:
            self._trial -= 1
        elif self.subtask < 0 or self._lead >= LEAD_UPDATES or self._clearly_more_probable(probabilities, best):
            self.subtask, self._lead = best, 0
        return self.subtask

    def _clearly_more_probable(self, probabilities: NDArray[np.floating], best: int) -> bool:
        return bool(probabilities[best] > probabilities[self.subtask] + self._hysteresis)
