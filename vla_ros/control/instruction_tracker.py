"""Which sentence is served: the newest one, also where that was missed."""

from __future__ import annotations

from collections import deque

MISSED_NS = 500_000_000
"""A plan for a sentence that was never heard here is for one that was missed, when none has been heard for so long."""


class NewestSentence:
    """Sentences come as messages, and in the plans that are made for them, in any order.

    Attributes:
        id: of the sentence that is served; None before the first. heard_ns: when one was last heard, monotonic.
    """

    def __init__(self) -> None:
        self.id: int | None = None
        self.heard_ns = 0
        self._superseded: deque[int | None] = deque(maxlen=16)

    def hear(self, sentence_id: int, now_ns: int) -> bool:
        """Serve a sentence from now on; return whether it is another one: its plan may have been here before it."""
        self.heard_ns = now_ns
        return self._serve(sentence_id)

    def counts(self, sentence_id: int, active: bool, now_ns: int) -> bool:
        """Return whether to heed a plan for this sentence.

        One that moves the arm (`active`) must be for the newest: for what is served, or for what was missed here, unless a
        sentence was heard just now: then the planner may not have come to that.
        """
        if sentence_id in self._superseded:
            return False
        if active and sentence_id != self.id:
            if now_ns - self.heard_ns < MISSED_NS:
                return False
            self._serve(sentence_id)
        return True

    def _serve(self, sentence_id: int) -> bool:
        if sentence_id == self.id:
            return False
        self._superseded.append(self.id)
        self.id = sentence_id
        return True
