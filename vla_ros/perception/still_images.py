"""Identical images: those of a still scene, or of a camera that has stopped?

A sensor has noise: two of its images are never the same. A simulator without noise, or a decoder that skips what has not
changed, sends identical images of a scene at rest, and is well. So identical images count only of a camera that is known to
have noise. That is learned: noise changes pixels all over the image and each by itself; motion and light change areas.
"""

from __future__ import annotations

import numpy as np

from vla_ros.arrays import Image

NOISY_CHANGES = 10
"""So many changes in a row that are noise: the camera has noise."""
CHANGED_BLOCKS = 0.6
"""Share of the image's blocks that noise changes at least; of the rest is over- or underexposed."""
AREA_RATIO = 0.3
"""Noise averages out over a block; motion does not: means of blocks change by more than this share of what pixels do."""
BLOCK = 16
PART = 320
"""Rows and columns of the image's middle that are looked at, pixel."""
STILL = 3
"""So many identical images in a row are no repetition by a driver that sends faster than its camera, but a scene at rest."""


class StillImages:
    """Counts identical images, and learns whether the camera has noise.

    Args:
        noisy: whether it has, where that is known; None: learn it.

    Attributes:
        identical: number of the newest images that are the same, at least 1 once one has come.
        noisy: the camera is known to have noise.
    """

    def __init__(self, noisy: bool | None = None) -> None:
        self.identical, self.noisy = 0, bool(noisy)
        self._learning = noisy is None
        self._changes = 0
        self._newest: Image | None = None

    def add(self, image: Image) -> None:
        """Take an image in, (H, W, 3); it is kept, so it must not be written to."""
        before, self._newest = self._newest, image
        if before is None or not np.array_equal(before, image):
            self.identical = 1
            if before is not None and before.shape == image.shape and self._learning and not self.noisy:
                self._changes = self._changes + 1 if is_noise(before, image) else 0
                self.noisy = self._changes >= NOISY_CHANGES
            return
        self.identical += 1
        if self.identical >= STILL:
            self._changes = 0


def is_noise(before: Image, after: Image) -> bool:
    """Whether what differs between two images (H, W, 3) is the noise of a sensor."""
    height, width = before.shape[:2]
    block = min(BLOCK, height // 2, width // 2)
    if not block:
        return False
    rows, columns = (min(PART, side) // block * block for side in (height, width))
    top, left = (height - rows) // 2, (width - columns) // 2
    part = np.s_[top : top + rows, left : left + columns]
    change = after[part].astype(np.int16) - before[part]
    blocks = change.reshape(rows // block, block, columns // block, block, 3)
    if blocks.any((1, 3, 4)).mean() < CHANGED_BLOCKS:
        return False
    means = blocks.mean((1, 3))
    return bool(np.square(means).mean() < AREA_RATIO**2 * np.square(change, dtype=np.float64).mean())
