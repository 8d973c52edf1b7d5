"""Schema: a command names exactly the robot's joints, once each, with finite positions of a sane size."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vla_ros.safety.finding import Finding
from vla_ros.safety.limits import to_nano

LARGEST = 1e3  # rad or m; far outside any arm, and degrees for radians are caught by position and continuity


class Schema:
    """Args: joint_names: the robot's joints; positions are returned in this order."""

    name = "schema"

    def __init__(self, joint_names: Sequence[str]) -> None:
        self._index = {joint: i for i, joint in enumerate(joint_names)}

    def check(self, names: Sequence[str], positions: Sequence[float]) -> tuple[int, ...] | Finding:
        """Return the positions in nrad, ordered as the robot's joints, or what is wrong with them."""
        if len(names) != len(positions):
            return Finding(self.name, f"{len(names)} joint names and {len(positions)} positions")
        ordered: list[int | None] = [None] * len(self._index)
        for joint, position in zip(names, positions, strict=True):
            index = self._index.get(joint)
            if index is None:
                return Finding(self.name, f"the robot has no joint {joint!r}", str(joint))
            if ordered[index] is not None:
                return Finding(self.name, f"{joint} is named twice", joint)
            if not math.isfinite(position) or abs(position) > LARGEST:
                return Finding(self.name, f"{joint}: {position} is not a position", joint, float(position))
            ordered[index] = to_nano(position)
        for joint, index in self._index.items():
            if ordered[index] is None:
                return Finding(self.name, f"{joint} is missing", joint)
        return tuple(value for value in ordered if value is not None)
