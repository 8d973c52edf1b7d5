"""Tracking error: the measured arm follows the setpoints; one that is blocked, loose or switched off stops the filter."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.finding import Finding
from vla_ros.safety.limits import NANO, to_nano


class TrackingError:
    """Args: joint_names; largest: rad or m per joint."""

    name = "tracking_error"

    def __init__(self, joint_names: Sequence[str], largest: Sequence[float]) -> None:
        self._joints = joint_names
        self._largest = [to_nano(value) for value in largest]

    def check(self, measured: Sequence[int], output: Sequence[int]) -> Finding | None:
        """Compare measured positions with the last output, both nrad."""
        for joint, is_at, sent, largest in zip(self._joints, measured, output, self._largest, strict=True):
            if abs(is_at - sent) > largest:
                error = (is_at - sent) / NANO
                reason = f"{joint} is {error:+.3f} from its setpoint: blocked, or not following"
                return Finding(self.name, reason, joint, error, largest / NANO)
        return None
