"""Which subtask is the present one: shares flicker from look to look, and a hand that waits in vain has misjudged one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LED_LOOKS = 5  # in a row that confirm the one that found another subtask likelier, however little
WAITED_LOOKS = 30  # in a row in which the arm waits, after which the subtask is not the one that is due,
TURN_LOOKS = 10  # and the next likeliest gets so many,
LEAST_SHARE = 0.15  # if it is so likely


class Choice:
    """Of one step. Args: hysteresis: by so much another subtask must be likelier than the present one."""

    def __init__(self, hysteresis: float) -> None:
        self.subtask = -1
        self._hysteresis = hysteresis
        self._leads, self._led = -1, 0
        self._waited, self._turn = 0, 0

    def look(self, share: NDArray[np.floating], waits: bool) -> int:
        """Take in one look; returns the subtask.

        The likeliest, but the present one stays until another is clearly likelier or has long been so. Where the present one
        is done and not seen to be, nothing would ever move again: the hand rests where that subtask ends, over a tower
        taken for a little higher than it is.

        Args:
            share: (subtasks,) probabilities. waits: whether the arm stands still, though it may move.
        """
        best = int(share.argmax())
        self._led = self._led + 1 if best == self._leads and best != self.subtask else 0
        self._leads = best
        self._waited = self._waited + 1 if waits else 0
        if self._waited >= WAITED_LOOKS:
            others = np.delete(np.arange(len(share)), self.subtask)
            next_one = int(others[share[others].argmax()])
            if share[next_one] >= LEAST_SHARE:
                self.subtask, self._turn = next_one, TURN_LOOKS
            self._waited = self._led = 0
        elif self._turn > 0:
            self._turn -= 1
        elif self.subtask < 0 or share[best] > share[self.subtask] + self._hysteresis or self._led >= LED_LOOKS:
            self.subtask, self._led = best, 0
        return self.subtask
