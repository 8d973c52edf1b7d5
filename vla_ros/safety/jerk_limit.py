"""Jerk limit: |a' - a| <= J, and what is left of the acceleration can still be taken back inside every limit."""

from __future__ import annotations

from vla_ros.safety.kinodynamics import Bounds, State


class JerkLimit:
    """v + a - J <= v' <= v + a + J."""

    name = "jerk_limit"

    def velocities(self, state: State, bounds: Bounds) -> tuple[int, int]:
        """Return the least and greatest next velocity, nrad/tick."""
        ahead = state.v + state.a
        return ahead - bounds.jerk, ahead + bounds.jerk
