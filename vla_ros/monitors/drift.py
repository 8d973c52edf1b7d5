"""Drift: images and joint positions unlike the data that the policy was trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.monitors.monitor_parameters import DriftParameters
from vla_ros.monitors.training_statistics import TrainingStatistics
from vla_ros.perception.frames import CameraView
from vla_ros.time import NS_PER_S

PIXEL_STRIDE = 4
"""Every fourth pixel of every fourth row: the mean of an image needs no more."""


class Drift:
    """Warns when images or joint positions stay outside the range of the training data for `seconds`.

    Args:
        parameters: thresholds.
        statistics: of the training data; None: unknown, and there is never a warning.
        joint_names: (n,) the policy's, in its order.
    """

    def __init__(
        self, parameters: DriftParameters, statistics: TrainingStatistics | None, joint_names: Sequence[str]
    ) -> None:
        self._parameters = parameters
        self._statistics = statistics
        self._joint_names = joint_names
        self._since_ns: dict[str, int] = {}
        self._texts: dict[str, str] = {}
        self._now_ns = 0

    def on_images(self, now_ns: int, views: Mapping[str, CameraView]) -> None:
        """Take in the images of all cameras. Only those of known cameras are looked up, and only healthy ones are used."""
        if self._statistics is None:
            return
        for name, known in self._statistics.images.items():
            view = views.get(name)
            if view is not None and not view.fault:
                pixels = view.image[::PIXEL_STRIDE, ::PIXEL_STRIDE].reshape(-1, 3) / 255.0
                off = np.abs(pixels.mean(0) - known.mean) / known.std
                ratio = float(pixels.std(0).mean() / known.std.mean())
                text = ""
                if off.max() > self._parameters.image_sigma:
                    text = f"camera {name}: {['red', 'green', 'blue'][int(off.argmax())]} is {off.max():.1f} sigma off"
                elif not 1 / self._parameters.contrast <= ratio <= self._parameters.contrast:
                    text = f"camera {name}: contrast is {ratio:.2f} times the training's"
                self._note(now_ns, name, text)

    def on_joint_positions(self, now_ns: int, q: Array) -> None:
        """Take in the measured joints. q: (n,) rad or m."""
        if self._statistics is None or not len(self._statistics.lower):
            return
        lower, upper = self._statistics.lower, self._statistics.upper
        outside = np.maximum(lower - q, q - upper) / np.maximum(upper - lower, 1e-3)
        worst = int(outside.argmax())
        text = ""
        if outside[worst] > self._parameters.state_margin:
            text = f"{self._joint_names[worst]} at {q[worst]:.2f} was never there ({lower[worst]:.2f} to {upper[worst]:.2f})"
        self._note(now_ns, "state", text)

    def _note(self, now_ns: int, source: str, text: str) -> None:
        """Remember what is off with a camera or the joints, and since when; empty text: nothing is."""
        self._now_ns = now_ns
        self._texts[source] = text
        if text:
            self._since_ns.setdefault(source, now_ns)
        else:
            self._since_ns.pop(source, None)

    def warning(self) -> str:
        """Return what is off; empty when nothing is."""
        for source, since_ns in self._since_ns.items():
            if self._now_ns - since_ns >= self._parameters.seconds * NS_PER_S:
                return f"unlike the training data: {self._texts[source]}"
        return ""
