"""Rule velocity_limit: |v| <= V, also in the ticks in which an acceleration can only run out at the jerk limit.

The acceleration a' of this tick still adds a' - J, a' - 2J, ... after it, travel(a', J) in all. So
    |a'| <= speed(V -/+ v, J)   <=>   v +/- travel(|a'|, J) <= +/- V
keeps the velocity inside for as long as the acceleration needs to vanish, without looking further ahead.
"""

from __future__ import annotations

from vla_ros.safety.joint.stopping_distance import speed, travel

NAME = "velocity_limit"


def peak(v: int, a: int, jerk: int) -> int:
    """Largest velocity still reached from (v, a) when the acceleration is taken back at the jerk limit from now on."""
    return v + travel(a, jerk) - a if a > 0 else v


def bounds(v: int, limit: int, jerk: int) -> tuple[int, int]:
    """Smallest and largest acceleration of this tick that keep |velocity| <= limit for good."""
    return -speed(limit + v, jerk), speed(limit - v, jerk)
