"""A continuous joint stands at q and at q + 2 pi k alike: the filter counts its turns, and reads each message as the nearest.

Drivers report such joints without end, or wrapped to a turn: 3.14, then -3.14. The joint has not moved then. Read is
    q + 2 pi k   with the whole k for which it is nearest
to the value before, for a measured joint, and to the output, for a setpoint. The first value of all is moved into the joint's
range, if it is outside.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.joint.joint_limits import JointLimits

TURN_FEMTO = 6_283_185_307_179_586
"""2 pi, in units of 1e-15 rad: a thousand turns are off by less than a nanoradian."""
FEMTO_PER_NANO = 1_000_000
MOST_TURNS = 1000
"""A position that is further away is no matter of turns; rules refuse it as it is."""


class ContinuousJoints:
    """Which of the joints are continuous, and what their values mean.

    indices: of these joints.

    Args: limits: of the filter's joints, in their order.
    """

    def __init__(self, limits: Sequence[JointLimits]) -> None:
        self._limits = tuple(limits)
        self.indices = tuple(i for i, joint in enumerate(limits) if joint.continuous)

    def nearest(self, q: int, to: int) -> int:
        """Return q + 2 pi k nearest to another position, all in nanoradians."""
        turns = ((to - q) * FEMTO_PER_NANO * 2 + TURN_FEMTO) // (2 * TURN_FEMTO)
        return q if abs(turns) > MOST_TURNS else q + _nano(turns)

    def in_range(self, joint: int, q: int) -> int:
        """Return q + 2 pi k that is inside the range of joint number `joint`, with the least k; q where there is none."""
        limits = self._limits[joint]
        for turns in (0, -1, 1):
            if limits.lower <= (q + _nano(turns)) / 1e9 <= limits.upper:
                return q + _nano(turns)
        return q

    def read_setpoint(self, setpoint: Setpoint, output: Sequence[int]) -> Setpoint:
        """Return a setpoint as it is nearest to the output, (n,) nanoradian or nanometre.

        A setpoint without such joints, or that says what rules are to refuse, is returned as it is.
        """
        names, positions = list(setpoint.joint_names), list(setpoint.positions)
        if len(names) != len(positions):
            return setpoint
        for i in self.indices:
            name = self._limits[i].name
            if names.count(name) != 1 or not math.isfinite(positions[names.index(name)]):
                continue
            turns = math.floor((output[i] / 1e9 - positions[names.index(name)]) / math.tau + 0.5)
            if turns and abs(turns) <= MOST_TURNS:
                positions[names.index(name)] += turns * math.tau
        return dataclasses.replace(setpoint, positions=positions)


def _nano(turns: int) -> int:
    """Whole turns in nanoradians, rounded."""
    return (2 * turns * TURN_FEMTO + FEMTO_PER_NANO) // (2 * FEMTO_PER_NANO)
