"""When the images of one stream come."""

from __future__ import annotations

from collections import deque


class StreamTiming:
    """Stamps of one stream of images.

    Attributes:
        stamp_ns: of the newest image; 0: none yet.
    """

    def __init__(self) -> None:
        self.stamp_ns = 0
        self._intervals_ns: deque[int] = deque(maxlen=5)

    def add(self, stamp_ns: int) -> None:
        """An image has come."""
        if self.stamp_ns and stamp_ns > self.stamp_ns:
            self._intervals_ns.append(stamp_ns - self.stamp_ns)
        self.stamp_ns = stamp_ns

    @property
    def period_ns(self) -> int:
        """The shortest of the last intervals, so that a lost image changes nothing; 0: not known yet."""
        return min(self._intervals_ns, default=0)

    def expects_nearer(self, moment_ns: int, within_ns: int) -> bool:
        """Return whether an image nearer to a moment than the newest one is to be expected soon.

        Args:
            moment_ns: on the stamps' clock.
            within_ns: an image that is due later than so long after the moment is not waited for: a slow camera's.
        """
        due_ns = self.stamp_ns + self.period_ns
        return due_ns - moment_ns < moment_ns - self.stamp_ns and due_ns - moment_ns <= within_ns
