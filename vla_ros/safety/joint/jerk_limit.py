"""Rule jerk_limit: |a' - a| <= J, and the stop policy: the one way to rest that keeps to it."""

from __future__ import annotations

from vla_ros.safety.joint.stopping_distance import speed

NAME = "jerk_limit"


def bounds(a: int, limit: int) -> tuple[int, int]:
    """Smallest and largest acceleration of this tick."""
    return a - limit, a + limit


def towards(dv: int, a: int, acceleration: int, jerk: int) -> int:
    """Acceleration of this tick that brings the velocity closer by dv, and comes to 0 together with it.

    The wanted acceleration is a* = sgn(dv) min(A, speed(|dv|, J)): the largest that can be taken back by J per tick
    before the velocity is passed. Since travel(a - J, J) = travel(a, J) - a, an a* that was reached once stays within
    reach: the approach neither overshoots nor chatters.
    """
    wanted = min(acceleration, speed(dv, jerk)) if dv > 0 else -min(acceleration, speed(-dv, jerk))
    if wanted > a + jerk:
        return a + jerk
    if wanted < a - jerk:
        return a - jerk
    return wanted


def stop(v: int, a: int, acceleration: int, jerk: int) -> int:
    """The stop policy: acceleration of this tick on the way to rest, v = a = 0.

    From any |a| <= A it keeps |a'| <= A and |a' - a| <= J by construction and ends at rest; see `ticks_to_rest`.
    """
    return towards(-v, a, acceleration, jerk)


def ticks_to_rest(velocity: int, acceleration: int, jerk: int) -> int:
    """Bound on the ticks that the stop policy needs from any |v| <= velocity, |a| <= acceleration.

    With N = ceil(A / J): at most N ticks until an acceleration in the wrong direction is gone, while the velocity grows
    to no more than `velocity` (rule velocity_limit); N ticks until the brake is full; velocity // A + 1 ticks of full
    brake; N + 1 ticks while it is released. An acceleration that is too strong at the end carries the joint through
    zero once: N ticks until it is gone, then a velocity of at most travel(A, J) is braked in 2 N + 3 more.
    """
    n = -(-acceleration // jerk)
    return velocity // acceleration + 6 * n + 6
