"""The observations that a policy with a memory is given: so many, one row of a chunk apart."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from vla_ros.time import NS_PER_S

T = TypeVar("T")
KEPT = 256
"""So many observations are kept at most, whatever is asked for."""


class ObservationHistory(Generic[T]):
    """The newest observations, looked up at the times that a checkpoint was trained with.

    Args:
        steps: number of observations that the checkpoint sees, this one included.
        rate_hz: its observations per second.
    """

    def __init__(self, steps: int, rate_hz: float) -> None:
        self._period_ns = NS_PER_S / rate_hz
        self._steps = steps
        self._values: deque[tuple[int, T]] = deque(maxlen=KEPT)

    def clear(self) -> None:
        """Forget all."""
        self._values.clear()

    def add(self, stamp_ns: int, value: T) -> list[T]:
        """Add the newest observation, and return those that the checkpoint sees now.

        Args:
            stamp_ns: ROS time of the observation, ns. One that is older than the newest is of another run: it clears them.
            value: the observation.

        Returns:
            `steps` observations, oldest first: for each time that it was trained with, the one nearest to it. Before there
            are as many, the first stands for what came before it.
        """
        if self._values and stamp_ns < self._values[-1][0]:
            self._values.clear()
        self._values.append((stamp_ns, value))
        times = [stamp_ns - back * self._period_ns for back in range(self._steps - 1, -1, -1)]
        while len(self._values) > 1 and self._values[1][0] <= times[0]:
            self._values.popleft()
        return [min(self._values, key=lambda stamped: abs(stamped[0] - time_ns))[1] for time_ns in times]
