"""Acceleration limit: |v' - v| <= A."""

from __future__ import annotations

from vla_ros.safety.kinodynamics import Bounds, State


class AccelerationLimit:
    """v - A <= v' <= v + A."""

    name = "acceleration_limit"

    def velocities(self, state: State, bounds: Bounds) -> tuple[int, int]:
        """Return the least and greatest next velocity, nrad/tick."""
        return state.v - bounds.acceleration, state.v + bounds.acceleration
