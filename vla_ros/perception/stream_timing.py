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

    def expects_nearer(self, moment_ns: int) -> bool:
        """Return whether an image nearer to a moment than the newest one is to be expected.

        The shortest of the last intervals counts, so that a lost image changes nothing.
        """
        return 2 * (moment_ns - self.stamp_ns) > min(self._intervals_ns, default=0)
