"""Continuity: a command continues from the last setpoint that was sent; one that jumps is refused, not limited."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.finding import Finding
from vla_ros.safety.limits import NANO, to_nano


class Continuity:
    """Args: joint_names; step: largest distance in rad or m per joint."""

    name = "continuity"

    def __init__(self, joint_names: Sequence[str], step: Sequence[float]) -> None:
        self._joints = joint_names
        self._step = [to_nano(value) for value in step]

    def check(self, setpoint: Sequence[int], output: Sequence[int]) -> Finding | None:
        """Compare a command with the last output, both nrad."""
        for joint, wanted, sent, step in zip(self._joints, setpoint, output, self._step, strict=True):
            if abs(wanted - sent) > step:
                distance = (wanted - sent) / NANO
                reason = f"{joint}: a jump of {distance:+.3f} from the last setpoint"
                return Finding(self.name, reason, joint, distance, step / NANO, 0.0)
        return None
