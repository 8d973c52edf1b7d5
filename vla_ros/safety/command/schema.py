"""Rule schema: a setpoint names exactly the robot's joints and gives each a number that can be meant."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vla_ros.safety.command.setpoint import Command
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.verdict import Verdict

NAME = "schema"


SHOWN = 80
"""Characters of a name that a message may carry into a verdict, which is logged and published many times."""


class Schema:
    """Args: limits: of the robot's joints, in the filter's order."""

    def __init__(self, limits: Sequence[JointLimits]) -> None:
        self._limits = tuple(limits)
        self._names = tuple(joint.name for joint in limits)
        # Positions further outside the range than the range is wide are not a matter of limits but of units.
        self._widest = tuple((2 * j.lower - j.upper, 2 * j.upper - j.lower) for j in limits)
        self._seen: tuple[str, ...] = self._names
        self._order = list(range(len(self._names)))

    def check(self, command: Command) -> Verdict | None:
        """Refuse wrong names, wrong length, non-finite numbers and wrong units."""
        names = tuple(command.joint_names)
        if names != self._seen:
            verdict = self._check_names(names)
            if verdict is not None:
                return verdict
            self._order = [names.index(name) for name in self._names]
            self._seen = names
        positions = command.positions
        if len(positions) != len(self._names):
            return Verdict(NAME, f"{len(positions)} positions for {len(self._names)} joints")
        for i, (name, (lowest, highest)) in enumerate(zip(self._names, self._widest, strict=True)):
            position = positions[self._order[i]]
            if not math.isfinite(position):
                return Verdict(NAME, f"{name} is {position}", name, position)
            if not lowest <= position <= highest:
                limit = self._limits[i].upper if position > highest else self._limits[i].lower
                return Verdict(
                    NAME,
                    f"{name} is far outside its range; positions are rad and m, not degrees or mm",
                    name,
                    position,
                    limit,
                )
        return None

    def point(self, command: Command) -> list[int]:
        """Positions of a command that has passed, in the filter's order, nanoradian or nanometre."""
        return [round(command.positions[i] * NANO) for i in self._order]

    def _check_names(self, names: tuple[str, ...]) -> Verdict | None:
        for name in self._names:
            if names.count(name) != 1:
                return Verdict(NAME, f"{name} is named {names.count(name)} times, not once", name)
        for name in names:
            if name not in self._names:
                return Verdict(NAME, f"{name!r:.{SHOWN}} is not a joint of this robot", name[:SHOWN])
        return None
