"""Last check: what is about to be sent, looked at once more in floats by a few lines that share nothing with the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vla_ros.safety.finding import Finding

SLACK = 1e-6  # relative, and in rad or m: rounding of floats, thousands of times below any limit


class LastCheck:
    """Differences of the outputs themselves against the limits as configured.

    Args:
        joint_names; lower, upper: rad or m; velocity, acceleration, jerk: per s, s^2, s^3; dt_s: period of the outputs.
    """

    name = "last_check"

    def __init__(
        self,
        joint_names: Sequence[str],
        lower: Sequence[float],
        upper: Sequence[float],
        velocity: Sequence[float],
        acceleration: Sequence[float],
        jerk: Sequence[float],
        dt_s: float,
    ) -> None:
        self._joints = tuple(joint_names)
        self._range = list(zip(lower, upper, strict=True))
        self._most = [[v * dt_s, a * dt_s**2, j * dt_s**3] for v, a, j in zip(velocity, acceleration, jerk, strict=True)]
        self._sent: list[tuple[float, ...]] = []

    def begin(self, q: Sequence[float]) -> None:
        """The output starts anew, at rest at `q`."""
        self._sent = [tuple(q)] * 3

    def check(self, q: Sequence[float]) -> Finding | None:
        """Judge the next output, rad or m; it counts as sent when nothing is wrong with it."""
        for i, joint in enumerate(self._joints):
            lower, upper = self._range[i]
            value = q[i]
            if not math.isfinite(value) or not lower - SLACK <= value <= upper + SLACK:
                return Finding(self.name, f"{joint}: {value} is outside {lower} to {upper}", joint, value)
            q1, q2, q3 = self._sent[-1][i], self._sent[-2][i], self._sent[-3][i]
            steps = (value - q1, value - 2 * q1 + q2, value - 3 * q1 + 3 * q2 - q3)
            for what, step, most in zip(("velocity", "acceleration", "jerk"), steps, self._most[i], strict=True):
                if not abs(step) <= most * (1 + SLACK) + 1e-8:
                    return Finding(self.name, f"{joint}: {what} {abs(step) / most:.3f} of its limit", joint, step, most)
        self._sent = [*self._sent[-2:], tuple(q)]
        return None
