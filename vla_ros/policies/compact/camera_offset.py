"""Where a camera really looks: the tool is seen beside where it should be if the camera is not where it is said to be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BELIEVED = 0.5  # probability that the tool was seen, from which a look counts
SLOW_M_S = 0.04  # a tool that moves faster was elsewhere when the picture was taken
PRIOR_PX, NOISE_PX = 20.0, 2.0  # standard deviations: of the shift before any look, of one look
DRIFT_PX = 0.15  # that the shift may change by from look to look: where the hand is, is what counts
TOLERATED_PX = 3.0  # a shift within what the network itself is mistaken by is none


class Aim:
    """Shift (u, v) in pixels between where things are seen and where the camera's pose says that they are seen."""

    def __init__(self) -> None:
        self._shift, self._sigma = np.zeros(2), PRIOR_PX

    def look(self, seen: Array, expected: Array, probability: float, speed: float) -> None:
        """Take in one look at the tool.

        Args:
            seen, expected: (2,) pixels. probability: that it was seen. speed: of the tool, m/s.
        """
        if probability < BELIEVED or speed > SLOW_M_S:
            return
        prior = float(np.hypot(self._sigma, DRIFT_PX))
        gain = prior**2 / (prior**2 + NOISE_PX**2)
        self._shift = self._shift + gain * (seen - expected - self._shift)
        self._sigma = float(np.sqrt(1 - gain)) * prior

    @property
    def shift(self) -> Array:
        """(2,) pixels to be taken off what is seen; goes to zero without a jump where it is as good as none."""
        length = float(np.linalg.norm(self._shift))
        if length <= TOLERATED_PX:
            return np.zeros(2)
        return self._shift * min(1.0, 2 * (length - TOLERATED_PX) / length)
