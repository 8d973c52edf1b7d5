"""Braking in whole numbers: how far a joint travels until rest, and how fast it may be so that it can still stop.

One tick of a joint is: choose a velocity v', move by v'. Everything is an integer: positions in nanoradian (nanometre),
velocities per tick, decelerations w per tick squared. The same two formulas serve one derivative higher: with a for v
and the jerk for w they say by how much the velocity still changes while the acceleration runs out.

Guarantees, for v >= 0, w >= 1 and any integer d:
    travel(v, w) = v + travel(max(0, v - w), w)
    travel(speed(d, w), w) <= max(0, d) < travel(speed(d, w) + 1, w)   (the right half for d >= 0)
Hence from v <= speed(d, w), braking is always admissible: with v' = max(0, v - w) and d' = d - v', v' <= speed(d', w)
whenever v was chosen one tick earlier with travel(v, w) <= d + v. The set of admissible velocities is never empty.
"""

from __future__ import annotations

from math import isqrt


def travel(v: int, w: int) -> int:
    """Distance covered from this tick on, when it moves by v and each later tick by w less, until rest.

    With n = v // w:  v + (v - w) + ... + (v - n w) = (n + 1) v - w n (n + 1) / 2.
    """
    n = v // w
    return (n + 1) * v - w * n * (n + 1) // 2


def speed(d: int, w: int) -> int:
    """Largest v with travel(v, w) <= d; 0 for d <= 0.

    n is the largest number with travel(n w, w) = w n (n + 1) / 2 <= d; between n w and (n + 1) w the travel is linear.
    """
    if d <= 0:
        return 0
    n = (isqrt(8 * (d // w) + 1) - 1) // 2
    return (d + w * n * (n + 1) // 2) // (n + 1)
