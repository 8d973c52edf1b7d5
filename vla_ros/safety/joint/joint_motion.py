"""One joint's output: position, velocity and acceleration in whole numbers, moved by one admissible step per tick.

Invariant, kept by `follow` and `stop` whatever they are given: |v| <= V, |a| <= A, lower <= q <= upper, and the state
is viable (see `position_limit`): the stop policy brings it to rest inside all four limits. Each step has |a' - a| <= J.
"""

from __future__ import annotations

from vla_ros.safety.joint import acceleration_limit, jerk_limit, position_limit, velocity_limit
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.position_limit import PositionLimit
from vla_ros.safety.joint.stopping_distance import travel

SHARES = (8, 4, 2, 1)
"""Eighths of a step that are tried when the whole of it is not viable; the last resort is none, the stop policy."""


class JointMotion:
    """State and limits of one joint. q, v, a: nanoradian (nanometre), per tick, per tick squared."""

    __slots__ = ("_ramp", "_slack", "_surge", "_target_v", "_ticks", "a", "limits", "q", "range", "v")

    def __init__(self, limits: TickLimits) -> None:
        self.limits = limits
        self.range = PositionLimit(limits)
        ramp = -(-limits.acceleration // limits.jerk)
        # Bounds for `_far`: velocity still gained while an acceleration runs out; ticks to rest without a change of sign.
        self._surge = limits.acceleration * (ramp + 1)
        self._ticks = limits.velocity // limits.acceleration + 3 * ramp + 3
        # For `way`: ticks in which the brake is built up and released.
        self._ramp = -(-2 * limits.acceleration // limits.jerk) + 2
        # On the target to within this much jerk counts as moving with it.
        self._slack = limits.jerk // 4
        self.place(0)

    def place(self, q: int) -> None:
        """Start at rest at q, moved into the range where it lies outside."""
        self.q = max(self.limits.lower, min(self.limits.upper, q))
        self.v = self.a = self._target_v = 0

    @property
    def at_rest(self) -> bool:
        """Whether it neither moves nor is about to."""
        return self.v == 0 and self.a == 0

    def way(self) -> int:
        """Bound on what the stop policy covers until rest, back and forth added up, the step just taken included.

        As `PositionLimit.reach`: the way on with the present velocity, and the way back of an acceleration against it.
        """
        speed, push = abs(self.v), abs(self.a)
        if not (speed or push):
            return 0
        acceleration, jerk = self.limits.acceleration, self.limits.jerk
        rise = travel(push, jerk) - push
        ramp = self._ramp - (-push // jerk)
        if (self.v < 0) is (self.a < 0) or not speed:
            peak = speed + rise
            return speed + peak * ramp + travel(peak, acceleration)
        back = max(0, rise - speed)
        return speed + (speed + back) * ramp + travel(speed, acceleration) + travel(back, acceleration)

    def stop(self) -> None:
        """Take one step of the stop policy."""
        limits = self.limits
        self.a = jerk_limit.stop(self.v, self.a, limits.acceleration, limits.jerk)
        self.v += self.a
        self.q += self.v
        self._target_v = 0

    def blend(self, before: tuple[int, int, int], a: int, share: int) -> None:
        """Go back to the state `before`, then take a share, in quarters, of the step from the stop policy's action to a."""
        self.q, self.v, self.a = before
        stop = jerk_limit.stop(self.v, self.a, self.limits.acceleration, self.limits.jerk)
        step = a - stop
        # Rounded towards the stop policy on either side.
        self._step(stop + (step * share // 4 if step > 0 else -(-step * share // 4)))

    def follow(self, target: int, target_v: int, speed: int) -> str:
        """Step onto the target if all limits allow it, else towards it.

        Args:
            target: where the joint should be after this tick.
            target_v: how far the target itself moved in this tick.
            speed: the velocity limit that holds now, at most the joint's; a joint that is faster slows down to it.

        Returns:
            the rule that kept it off the target; empty when it is on it.
        """
        limits, slack = self.limits, self._slack
        q, v, a = self.q, self.v, self.a
        gap = target - target_v - q
        wanted = gap + target_v - v
        off = wanted - (target_v - self._target_v)  # from the target's own acceleration
        self._target_v = target_v
        if (
            -slack <= gap <= slack
            and -slack <= off <= slack
            and abs(wanted) <= limits.acceleration
            and abs(wanted - a) <= limits.jerk
            and self._far(target, v + wanted, speed)
        ):
            self.q, self.v, self.a = target, v + wanted, wanted
            return ""
        slow = max(velocity_limit.peak(v, a, limits.jerk), velocity_limit.peak(-v, -a, limits.jerk)) <= speed
        low, high, rule = self._bounds(wanted, speed if slow else limits.velocity)
        if not slow:
            rule = velocity_limit.NAME
        elif not rule and max(abs(gap), abs(off)) > slack:
            # On the target but not moving with it, it would be off again in the next tick for lack of jerk.
            rule = jerk_limit.NAME
        if not rule:
            if self.range.viable(target, v + wanted, wanted):
                self.q, self.v, self.a = target, v + wanted, wanted
                return ""
            rule = position_limit.NAME

        approach = self.range.approach
        v_wanted = target_v + (approach(gap) if gap > 0 else -approach(-gap))
        above, below = limits.upper - q, q - limits.lower
        most, least = (
            min(approach(above), self.range.allowed(above - v)),
            -min(approach(below), self.range.allowed(below + v)),
        )
        if (target > limits.upper and most < min(v_wanted, speed)) or (
            target < limits.lower and least > max(v_wanted, -speed)
        ):
            rule = position_limit.NAME  # whatever else forbids it, this is what holds it
        v_wanted = max(min(v_wanted, speed, most), -speed, least)
        self._step(max(low, min(high, jerk_limit.towards(v_wanted - v, a, limits.acceleration, limits.jerk))))
        return rule

    def _far(self, q: int, v: int, speed: int) -> bool:
        """Whether it is plain that a state with |a| <= A keeps the speed and stays viable. Fast; False says nothing."""
        most = abs(v) + self._surge
        way = most * self._ticks + self.limits.slow_zone
        return most + self._surge <= speed and self.limits.lower + way <= q <= self.limits.upper - way

    def _bounds(self, wanted: int, speed: int) -> tuple[int, int, str]:
        """The admissible accelerations of this tick without regard to position, and the rule that forbids `wanted`."""
        limits = self.limits
        low, high = velocity_limit.bounds(self.v, speed, limits.jerk)
        rule = "" if low <= wanted <= high else velocity_limit.NAME
        for name, (lower, upper) in (
            (acceleration_limit.NAME, acceleration_limit.bounds(limits.acceleration)),
            (jerk_limit.NAME, jerk_limit.bounds(self.a, limits.jerk)),
        ):
            if not rule and not lower <= wanted <= upper:
                rule = name
            low, high = max(low, lower), min(high, upper)
        return low, high, rule

    def _step(self, a: int) -> None:
        """Move with acceleration a, or with as much of it as is viable, the stop policy's action being the rest."""
        q, v = self.q, self.v
        limits = self.limits
        stop = jerk_limit.stop(v, self.a, limits.acceleration, limits.jerk)
        step = a - stop
        for share in SHARES:
            # Rounded towards the stop policy on either side, so that a mirrored motion is mirrored exactly.
            tried = stop + (step * share // 8 if step > 0 else -(-step * share // 8))
            if self.range.viable(q + v + tried, v + tried, tried):
                break
        else:
            tried = stop
        self.a = tried
        self.v = v + tried
        self.q = q + self.v
