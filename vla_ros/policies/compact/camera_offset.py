"""Error of a camera's pose, estimated from where the tool is detected and where the pose predicts it."""

from __future__ import annotations

import numpy as np

from vla_ros.arrays import Array

MIN_PROBABILITY = 0.5  # that the tool is in the image; with less a detection is ignored
MAX_SPEED_M_S = 0.04  # of the tool; a faster one has moved since the image was taken
PRIOR_STD_PX, DETECTION_STD_PX = 20.0, 2.0  # standard deviations: before any detection, and of one detection
DRIFT_STD_PX = 0.15  # change from update to update: the offset is estimated where the hand is
DEADBAND_PX = 3.0  # an offset within the error of the network is taken for none


class CameraOffset:
    """Filtered offset (u, v) in pixels from where the camera's pose predicts the tool to where it is detected."""

    def __init__(self) -> None:
        self._offset, self._std_px = np.zeros(2), PRIOR_STD_PX

    def update(self, detected: Array, expected: Array, probability: float, speed_m_s: float) -> None:
        """Take in one detection of the tool.

        Args:
            detected: (2,) pixel.
            expected: (2,) pixel that the camera's pose predicts.
            probability: that the tool is in the image.
            speed_m_s: of the tool.
        """
        if probability < MIN_PROBABILITY or speed_m_s > MAX_SPEED_M_S:
            return
        prior = float(np.hypot(self._std_px, DRIFT_STD_PX))
        gain = prior**2 / (prior**2 + DETECTION_STD_PX**2)
        self._offset = self._offset + gain * (detected - expected - self._offset)
        self._std_px = float(np.sqrt(1 - gain)) * prior

    @property
    def offset(self) -> Array:
        """(2,) pixels to subtract from detections; zero within DEADBAND_PX, and continuous at its edge."""
        length = float(np.linalg.norm(self._offset))
        if length <= DEADBAND_PX:
            return np.zeros(2)
        return self._offset * min(1.0, 2 * (length - DEADBAND_PX) / length)
