"""Drift: images and joints that are unlike what the policy was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from vla_ros.monitors.monitor_parameters import DriftParameters
from vla_ros.monitors.training_statistics import TrainingStatistics

STEP = 4
"""Every fourth pixel of every fourth row: the mean of an image needs no more."""


class Drift:
    """Warns when what is seen or measured stays off the training's range for `seconds`.

    Args: statistics: of the training; None: nothing is known, nothing is warned of.
    """

    def __init__(
        self, parameters: DriftParameters, statistics: TrainingStatistics | None, joint_names: Sequence[str]
    ) -> None:
        self._parameters = parameters
        self._statistics = statistics
        self._joint_names = joint_names
        self._since_ns: dict[str, int] = {}
        self._words: dict[str, str] = {}
        self._now_ns = 0

    def images(self, now_ns: int, images: Mapping[str, NDArray[np.uint8]]) -> None:
        """images: (h, w, 3) rgb of each camera."""
        if self._statistics is None:
            return
        for name, known in self._statistics.images.items():
            if name in images:
                pixels = images[name][::STEP, ::STEP].reshape(-1, 3) / 255.0
                off = np.abs(pixels.mean(0) - known.mean) / known.std
                ratio = float(pixels.std(0).mean() / known.std.mean())
                words = ""
                if off.max() > self._parameters.image_sigma:
                    words = f"camera {name}: {['red', 'green', 'blue'][int(off.argmax())]} is {off.max():.1f} sigma off"
                elif not 1 / self._parameters.contrast <= ratio <= self._parameters.contrast:
                    words = f"camera {name}: contrast is {ratio:.2f} times the training's"
                self._note(now_ns, name, words)

    def state(self, now_ns: int, q: NDArray[np.float64]) -> None:
        """q: (n,) measured, rad or m."""
        if self._statistics is None or not len(self._statistics.lower):
            return
        lower, upper = self._statistics.lower, self._statistics.upper
        outside = np.maximum(lower - q, q - upper) / np.maximum(upper - lower, 1e-3)
        worst = int(outside.argmax())
        words = ""
        if outside[worst] > self._parameters.state_margin:
            words = f"{self._joint_names[worst]} at {q[worst]:.2f} was never there ({lower[worst]:.2f} to {upper[worst]:.2f})"
        self._note(now_ns, "state", words)

    def _note(self, now_ns: int, what: str, words: str) -> None:
        self._now_ns = now_ns
        self._words[what] = words
        if words:
            self._since_ns.setdefault(what, now_ns)
        else:
            self._since_ns.pop(what, None)

    def warning(self) -> str:
        """What is off; empty: nothing."""
        for what, since_ns in self._since_ns.items():
            if self._now_ns - since_ns >= self._parameters.seconds * 1e9:
                return f"unlike the training data: {self._words[what]}"
        return ""
