"""Position limit: a joint never goes so fast that braking could carry it past its range."""

from __future__ import annotations

from vla_ros.safety.kinodynamics import Bounds, State, via


class PositionLimit:
    """-via(q - lower, A) <= v' <= via(upper - q, A)."""

    name = "position_limit"

    def velocities(self, state: State, bounds: Bounds) -> tuple[int, int]:
        """Return the least and greatest next velocity, nrad/tick."""
        braking = bounds.acceleration
        return -via(state.q - bounds.lower, braking), via(bounds.upper - state.q, braking)
