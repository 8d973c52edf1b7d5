"""Is an action of the size that the statistics say? Far beyond them it has another unit, or is not un-normalised."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.policies.binding.action_mapping import ActionFault
from vla_ros.policies.binding.bound_values import NOTHING, POSITIONS, BoundValue
from vla_ros.policies.binding.checkpoint_contract import VectorSpec
from vla_ros.policies.binding.robot_joints import RobotJoints
from vla_ros.policies.binding.statistics_check import ValueRange

TOOL_RANGE_M, TOOL_RANGE_RAD = 1.0, math.pi
"""What a component of the tool's pose may be where no statistics tell."""
UNITS = ((180.0 / math.pi, "degrees where radians are expected"), (1000.0, "millimeters where meters are expected"))
UNIT_TOLERANCE = 2.0
"""A value that is this many times beyond the statistics after division by a unit's factor may be of that unit."""


class ActionBounds:
    """Centre and half width of what each value of an action is, in the checkpoint's units.

    Args:
        spec: of the action; without statistics the robot's limits count.
        values: what they bind to; those that bind to nothing may be anything finite.
        factor: an action that is so many half widths from the centre is refused.
    """

    def __init__(self, spec: VectorSpec, values: Sequence[BoundValue], joints: RobotJoints, factor: float) -> None:
        known = ValueRange(spec)
        low, high = known.widest_low.copy(), known.widest_high.copy()
        for number, value in enumerate(values):
            if not (math.isfinite(low[number]) and math.isfinite(high[number])):
                low[number], high[number] = _of_robot(value, joints)
        self.centre: Array = (low + high) / 2
        self.half: Array = np.maximum((high - low) / 2, 1e-9)
        self._checked = np.array([value.entry != NOTHING for value in values], bool)
        self._values, self._factor = tuple(values), factor

    def check(self, actions: Array) -> None:
        """Raise ActionFault where a value is not finite or too far out. actions: (T, w), the checkpoint's units."""
        if not np.isfinite(actions).all():
            row, number = (int(index[0]) for index in np.nonzero(~np.isfinite(actions)))
            raise ActionFault(
                f"action row {row}: value {number} ({self._values[number].entry}) is {actions[row, number]}: the weights or "
                "the statistics of the checkpoint are damaged"
            )
        beyond = np.where(self._checked, np.abs(actions - self.centre) / self.half, 0.0)
        if beyond.max(initial=0.0) <= self._factor:
            return
        row, number = (int(index) for index in np.unravel_index(int(beyond.argmax()), beyond.shape))
        low, high = self.centre[number] - self.half[number], self.centre[number] + self.half[number]
        raise ActionFault(
            f"action row {row}: value {number} ({self._values[number].entry}) is {actions[row, number]:.4g}, "
            f"{beyond[row, number]:.0f} times beyond what the statistics say ({low:.4g} to {high:.4g}): "
            f"{self._unit_error(float(actions[row, number]), number)}"
        )

    def _unit_error(self, value: float, number: int) -> str:
        """Name the unit that would explain it."""
        for factor, words in UNITS:
            meters = self._values[number].component in POSITIONS
            if meters != words.startswith("milli"):
                continue
            if abs(value / factor - self.centre[number]) <= UNIT_TOLERANCE * self.half[number]:
                return f"a unit error, {words}"
        return "a unit error, or values that are normalised twice"


def _of_robot(value: BoundValue, joints: RobotJoints) -> tuple[float, float]:
    """Return what a value may be by the robot's limits, in the checkpoint's units."""
    if value.joint >= 0:
        low, high = float(joints.lower[value.joint]), float(joints.upper[value.joint])
        if not (math.isfinite(low) and math.isfinite(high) and high > low):
            low, high = -2 * math.pi, 2 * math.pi
    else:
        high = TOOL_RANGE_M if value.component in POSITIONS else TOOL_RANGE_RAD
        low = -high
    ends = sorted(((low - value.offset) / value.scale, (high - value.offset) / value.scale))
    return ends[0], ends[1]
