"""Position and yaw of one object over time: a single detection is noisy, and a hand may hide the object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array

MIN_PRESENCE = (
    0.22  # presence probability from which a detection is used; 98 % of visible objects in held-back images have it
)
RESTING_DRIFT_M_S = 0.008  # growth of the standard deviation of an object that rests
CARRIED_DRIFT_M_S = 0.3  # and of one that may move with the hand
JUMP_M = 0.03  # a detection farther than this from the estimate is another position,
JUMP_DETECTIONS = 2  # accepted after so many in a row
MIN_STD_M = 0.0015  # no estimate counts as more exact
YAW_GAIN = 0.3  # weight of a new detection of the yaw


@dataclass(frozen=True)
class Detection:
    """One detection of an object.

    Attributes:
        p: (3,) position, m.
        std_m: standard deviation of the position.
        yaw4: (2,) cosine and sine of four times the yaw.
        presence: probability that the object is in view.
    """

    p: Array
    std_m: float
    yaw4: Array
    presence: float


class ObjectTracker:
    """Track of one object: a scalar Kalman filter for each axis, which accepts sudden jumps only when they are repeated.

    Attributes:
        known: whether it has been detected.
        p: (3,) estimated position, m.
        yaw4: (2,) cosine and sine of four times the yaw.
        initial_height_m: height of the first detection.
        std_m: standard deviation of the position.
        presence: filtered presence probability.
    """

    def __init__(self) -> None:
        self.known = False
        self.p, self.yaw4 = np.zeros(3), np.zeros(2)
        self.initial_height_m = 0.0
        self.std_m, self.presence = 0.1, 0.0
        self._jumps = 0

    def update(self, detection: Detection, elapsed_s: float, carried: bool) -> None:
        """Take in one detection.

        Args:
            detection: the newest one.
            elapsed_s: time since the last one.
            carried: whether the object may be moving with the hand.
        """
        self.presence += (
            0.4 * (detection.presence - self.presence) if self.known else detection.presence - self.presence
        )
        drift_m_s = CARRIED_DRIFT_M_S if carried else RESTING_DRIFT_M_S
        self.std_m = min(float(np.hypot(self.std_m, drift_m_s * elapsed_s)), 0.1)
        if detection.presence < MIN_PRESENCE:
            return
        measured_std_m = max(detection.std_m, MIN_STD_M)
        if self.known and not carried and np.linalg.norm(detection.p - self.p) > max(JUMP_M, 3 * self.std_m):
            self._jumps += 1
            if self._jumps < JUMP_DETECTIONS:
                return
            self.known = False
        self._jumps = 0
        if not self.known:
            self.p, self.std_m, self.yaw4 = detection.p.copy(), measured_std_m, detection.yaw4.copy()
            self.known, self.initial_height_m = True, float(self.p[2])
            return
        gain = self.std_m**2 / (self.std_m**2 + measured_std_m**2)
        self.p = self.p + gain * (detection.p - self.p)
        self.std_m = max(float(np.sqrt(1 - gain)) * self.std_m, MIN_STD_M)
        self.yaw4 = self.yaw4 + YAW_GAIN * (detection.yaw4 - self.yaw4)
