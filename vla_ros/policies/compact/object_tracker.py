"""Where things were seen: one look is noisy, and a hand may hide what it reaches for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

BELIEVED = 0.22  # probability from which a sighting counts: of things in view on stills held back 98 % have more
DRIFT_M_S = 0.008  # how far a thing that rests may have moved, per second
CARRIED_M_S = 0.3  # and one that moves with the hand
JUMP_M = 0.03  # farther than this from what is remembered is another place:
JUMPS = 2  # believed when seen so often in a row
LEAST_M = 0.0015  # standard deviation below which nothing is believed to be known
YAW_SHARE = 0.3  # of a new look at the yaw


@dataclass(frozen=True)
class Sighting:
    """One look. p: (3,) place. sigma: its standard deviation, m. yaw4: (2,) cosine and sine of four times the yaw.

    seen: probability that it is there.
    """

    p: Array
    sigma: float
    yaw4: Array
    seen: float


class Memory:
    """Of one thing: a scalar Kalman filter per axis, with doubt about sudden jumps."""

    def __init__(self) -> None:
        self.known = False
        self.p, self.yaw4 = np.zeros(3), np.zeros(2)
        self.rest_m = 0.0  # height at which it was first seen
        self.sigma, self.seen = 0.1, 0.0
        self._jumps = 0

    def look(self, sighting: Sighting, passed_s: float, carried: bool) -> None:
        """Take in one look.

        Args:
            passed_s: time since the last one. carried: whether it may be moving with the hand.
        """
        self.seen += 0.4 * (sighting.seen - self.seen) if self.known else sighting.seen - self.seen
        drift = CARRIED_M_S if carried else DRIFT_M_S
        self.sigma = min(float(np.hypot(self.sigma, drift * passed_s)), 0.1)
        if sighting.seen < BELIEVED:
            return
        measured = max(sighting.sigma, LEAST_M)
        if self.known and not carried and np.linalg.norm(sighting.p - self.p) > max(JUMP_M, 3 * self.sigma):
            self._jumps += 1
            if self._jumps < JUMPS:
                return
            self.known = False
        self._jumps = 0
        if not self.known:
            self.p, self.sigma, self.yaw4 = sighting.p.copy(), measured, sighting.yaw4.copy()
            self.known, self.rest_m = True, float(self.p[2])
            return
        gain = self.sigma**2 / (self.sigma**2 + measured**2)
        self.p = self.p + gain * (sighting.p - self.p)
        self.sigma = max(float(np.sqrt(1 - gain)) * self.sigma, LEAST_M)
        self.yaw4 = self.yaw4 + YAW_SHARE * (sighting.yaw4 - self.yaw4)
