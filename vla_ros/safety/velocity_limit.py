"""Velocity limit: |v'| <= V."""

from __future__ import annotations

from vla_ros.safety.kinodynamics import Bounds, State


class VelocityLimit:
    """-V <= v' <= V."""

    name = "velocity_limit"

    def velocities(self, state: State, bounds: Bounds) -> tuple[int, int]:
        """Return the least and greatest next velocity, nrad/tick."""
        return -bounds.velocity, bounds.velocity
