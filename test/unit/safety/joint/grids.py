"""Small grids of limits on which every state of a joint can be looked at."""

from __future__ import annotations

import itertools

from vla_ros.safety.joint.jerk_limit import JerkLimit
from vla_ros.safety.joint.joint_limits import TickLimits

GRIDS = [TickLimits(0, 24, v, a, j) for v, a, j in [(3, 1, 1), (5, 2, 1), (6, 3, 1), (6, 3, 2), (7, 4, 3), (4, 5, 2)]]
GRIDS += [TickLimits(0, 24, 5, 2, 1, zone, slow) for zone, slow in [(6, 1), (10, 0), (3, 4), (12, 2)]]

State = tuple[int, int, int]


def rest_path(state: State, limits: TickLimits) -> list[State]:
    """The stop policy's states after `state`, to rest."""
    path = []
    q, v, a = state
    jerk_limit = JerkLimit(limits)
    while (v, a) != (0, 0):
        a = jerk_limit.stop_policy(v, a)
        v += a
        q += v
        path.append((q, v, a))
        assert len(path) < 1000, "the stop policy does not come to rest"
    return path


def in_range(q: int, v: int, limits: TickLimits) -> bool:
    """Whether q is in the range, and v below the line from velocity at the slow zone's edge to slow_velocity at its end."""
    if not limits.lower <= q <= limits.upper:
        return False
    zone, slow = limits.slow_zone, limits.slow_velocity
    distance = limits.upper - q if v > 0 else q - limits.lower
    return distance >= zone or abs(v) * zone <= slow * zone + (limits.velocity - slow) * distance


def viable_states(limits: TickLimits) -> set[State]:
    """All states whose path to rest stays inside the range and the velocity limit."""
    states = itertools.product(
        range(limits.lower, limits.upper + 1),
        range(-limits.velocity, limits.velocity + 1),
        range(-limits.acceleration, limits.acceleration + 1),
    )

    def inside(path: list[State]) -> bool:
        return all(in_range(q, v, limits) and abs(v) <= limits.velocity for q, v, _ in path)

    return {state for state in states if inside([state, *rest_path(state, limits)])}
