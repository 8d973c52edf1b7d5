"""How far does a braking joint still travel, and how fast may it be so that it stops within a distance?

Everything is an integer: positions in nanoradian (nanometre), velocities per tick, decelerations w per tick squared. In one
tick a joint chooses a velocity v' and moves by v'. The same two formulas hold one derivative higher: with an acceleration
for v and the jerk limit for w, they give the change of velocity while the acceleration runs out.

Guarantees, for v >= 0, w >= 1 and any integer d:
    stopping_distance(v, w) = v + stopping_distance(max(0, v - w), w)
    stopping_distance(max_stoppable_speed(d, w), w) <= max(0, d)
    d < stopping_distance(max_stoppable_speed(d, w) + 1, w)   for d >= 0
Hence from v <= max_stoppable_speed(d, w), braking is always admissible: with v' = max(0, v - w) and d' = d - v',
v' <= max_stoppable_speed(d', w) whenever v was chosen one tick earlier with stopping_distance(v, w) <= d + v. The set of
admissible velocities is never empty.
"""

from __future__ import annotations

from math import isqrt


def stopping_distance(v: int, w: int) -> int:
    """Return the distance covered from this tick on, moving by v now and by w less in each later tick, until rest.

    With n = v // w:  v + (v - w) + ... + (v - n w) = (n + 1) v - w n (n + 1) / 2.

    Args:
        v: speed, nanoradian (nanometre) per tick; at least 0.
        w: deceleration, per tick squared; at least 1.
    """
    n = v // w
    return (n + 1) * v - w * n * (n + 1) // 2


def max_stoppable_speed(d: int, w: int) -> int:
    """Return the largest v with stopping_distance(v, w) <= d; 0 for d <= 0.

    n is the largest number with stopping_distance(n w, w) = w n (n + 1) / 2 <= d; between n w and (n + 1) w the distance
    is linear in v.

    Args:
        d: distance, nanoradian (nanometre).
        w: deceleration, per tick squared; at least 1.
    """
    if d <= 0:
        return 0
    n = (isqrt(8 * (d // w) + 1) - 1) // 2
    return (d + w * n * (n + 1) // 2) // (n + 1)
