"""One direction of a network: when each frame arrives, how often, or never. Pure: it is told the time."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Conditions:
    """What a network does to Ethernet frames.

    delay_s: of each frame. jitter_s: that much more or less, uniformly; frames keep their order. loss, duplicate, reorder:
    shares of the frames, 0 to 1, drawn one by one. reorder_s: how long a reordered frame is held back, while others pass it.
    rate_bit_s: what the network carries. queue_s: how long a frame may wait for that; who would wait longer is dropped.
    cut: nothing passes. flap_s: seconds it passes, seconds it does not, over and over; (0, 0): it does not flap.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    reorder_s: float = 0.01
    rate_bit_s: float = math.inf
    queue_s: float = 0.2
    cut: bool = False
    flap_s: tuple[float, float] = (0.0, 0.0)

    def open(self, now_s: float) -> bool:
        """Whether anything passes at a time, s since the conditions began."""
        up_s, down_s = self.flap_s
        return not self.cut and (not down_s or now_s % (up_s + down_s) < up_s)


class Link:
    """Frames on their way.

    The same frames, times and seed give the same arrivals. Frames that are under way arrive, whatever comes.

    Args:
        seed: of the draws.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._conditions, self._since_s = Conditions(), 0.0
        self._under_way: list[tuple[float, int, bytes]] = []
        self._number = itertools.count()
        self._sent_s = self._last_s = -math.inf
        self.offered = self.dropped = self.bytes = 0

    def become(self, conditions: Conditions, now_s: float) -> None:
        """Have other conditions from now on. now_s: monotonic."""
        self._conditions, self._since_s = conditions, now_s

    def offer(self, frame: bytes, now_s: float) -> None:
        """Take a frame that is sent now."""
        is_, draw = self._conditions, self._random.random
        self.offered += 1
        self.bytes += len(frame)
        lost, again, late = draw() < is_.loss, draw() < is_.duplicate, draw() < is_.reorder
        jitter_s = is_.jitter_s * (2.0 * draw() - 1.0)
        begins_s = max(now_s, self._sent_s)
        if lost or not is_.open(now_s - self._since_s) or begins_s - now_s > is_.queue_s:
            self.dropped += 1
            return
        self._sent_s = begins_s + 8.0 * len(frame) / is_.rate_bit_s
        arrives_s = self._sent_s + max(0.0, is_.delay_s + jitter_s)
        if late:
            arrives_s += is_.reorder_s
        else:
            arrives_s = self._last_s = max(arrives_s, self._last_s)
        for _ in range(2 if again else 1):
            heapq.heappush(self._under_way, (arrives_s, next(self._number), frame))

    def arrived(self, now_s: float) -> list[bytes]:
        """Return the frames that have arrived by now, in their order, once."""
        frames = []
        while self._under_way and self._under_way[0][0] <= now_s:
            frames.append(heapq.heappop(self._under_way)[2])
        return frames

    def wait_s(self, now_s: float) -> float | None:
        """Return how long it is until the next frame arrives; None: there is none."""
        return max(0.0, self._under_way[0][0] - now_s) if self._under_way else None
