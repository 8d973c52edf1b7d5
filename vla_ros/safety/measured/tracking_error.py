"""Rule tracking_error: the measured arm is where it was sent, within a tolerance per joint."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.joint.joint_limits import NANO
from vla_ros.safety.verdict import Verdict

NAME = "tracking_error"


class TrackingError:
    """The tolerance covers the lag of the arm: 0.1 rad is 50 ms at 2 rad/s. It catches collisions and dead controllers.

    Args: joint_names: the filter's joints. tolerance: per joint, rad or m.
    """

    def __init__(self, joint_names: Sequence[str], tolerance: Sequence[float]) -> None:
        self._joint_names = tuple(joint_names)
        self._tolerance = tuple(int(value * NANO) for value in tolerance)

    def check(self, measured: Sequence[int], output: Sequence[int]) -> Verdict | None:
        """Latch when a joint is too far from its output. measured, output: nanoradian or nanometre per joint."""
        for name, q, sent, tolerance in zip(self._joint_names, measured, output, self._tolerance, strict=True):
            if abs(q - sent) > tolerance:
                return Verdict(
                    NAME,
                    f"{name} is {abs(q - sent) / NANO:.4f} from where it was sent; {tolerance / NANO:.4f} is tolerated",
                    name,
                    (q - sent) / NANO,
                    tolerance / NANO,
                )
        return None
