"""One joint's output: position, velocity and acceleration in whole numbers, moved by one admissible step per tick.

Invariant, kept by `follow` and `stop` whatever they are given: |v| <= V, |a| <= A, lower <= q <= upper, and the state
is viable (see `position_limit`): the stop policy brings it to rest inside all four limits. Each step has |a' - a| <= J.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from vla_ros.safety.joint import jerk_limit, position_limit, velocity_limit
from vla_ros.safety.joint.acceleration_limit import AccelerationLimit
from vla_ros.safety.joint.jerk_limit import JerkLimit
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.position_limit import PositionLimit
from vla_ros.safety.joint.stop_path import stop_path_length
from vla_ros.safety.joint.velocity_limit import VelocityLimit

STEP_EIGHTHS = (8, 4, 2, 1)
"""Shares of a step that are tried until one is viable; the last resort is none of it, the stop policy."""
UNBOUNDED = 2**63


class KinodynamicLimit(Protocol):
    """A limit that bounds the acceleration of this tick. name: of the rule."""

    @property
    def name(self) -> str: ...

    def acceleration_bounds(self, v: int, a: int, max_speed: int) -> tuple[int, int]:
        """Return the smallest and largest acceleration of this tick, per tick squared.

        Args:
            v, a: velocity and acceleration now, per tick and per tick squared.
            max_speed: the velocity limit that holds now, per tick.
        """
        ...


@dataclass(slots=True)
class JointOutput:
    """Where the output of one joint is: all that a tick changes of it.

    q, v, a: nanoradian (nanometre), per tick, per tick squared. target_v: how far its target moved in the tick before.
    """

    q: int = 0
    v: int = 0
    a: int = 0
    target_v: int = 0


class JointMotion:
    """The limits of one joint, and the steps that its output may take under them.

    Args:
        limits: of the joint, per tick.
    """

    __slots__ = (
        *("_jerk_limit", "_kinodynamic_limits", "_position_limit", "_velocity_limit"),
        *("_stop_ticks", "_tolerance", "_velocity_rise", "limits"),
    )

    def __init__(self, limits: TickLimits) -> None:
        self.limits = limits
        self._velocity_limit = VelocityLimit(limits)
        self._jerk_limit = JerkLimit(limits)
        self._position_limit = PositionLimit(limits)
        self._kinodynamic_limits: tuple[KinodynamicLimit, ...] = (
            self._velocity_limit,
            AccelerationLimit(limits),
            self._jerk_limit,
        )
        ramp_ticks = -(-limits.acceleration // limits.jerk)
        # Bounds for `clearly_viable`: velocity still gained while an acceleration runs out; ticks to rest without a change
        # of sign.
        self._velocity_rise = limits.acceleration * (ramp_ticks + 1)
        self._stop_ticks = limits.velocity // limits.acceleration + 3 * ramp_ticks + 3
        # On the target to within this much jerk counts as moving with it.
        self._tolerance = limits.jerk // 4

    def at(self, q: int) -> JointOutput:
        """Return an output at rest at q, moved into the range where it lies outside."""
        return JointOutput(max(self.limits.lower, min(self.limits.upper, q)))

    def stop_path_length(self, joint: JointOutput) -> int:
        """Return a bound on what the stop policy covers until rest; see `stop_path.stop_path_length`."""
        return stop_path_length(joint.v, joint.a, self.limits.acceleration, self.limits.jerk)

    def stop(self, joint: JointOutput) -> None:
        """Take one step of the stop policy."""
        joint.a = self._jerk_limit.stop_policy(joint.v, joint.a)
        joint.v += joint.a
        joint.q += joint.v
        joint.target_v = 0

    def scale_toward_stop(self, joint: JointOutput, before: tuple[int, int, int], a: int, quarters: int) -> None:
        """Go back to (q, v, a) `before`, then take that many quarters of the step from the stop policy's action to a."""
        joint.q, joint.v, joint.a = before
        stop = self._jerk_limit.stop_policy(joint.v, joint.a)
        step = a - stop
        # Rounded towards the stop policy on either side.
        self._step(joint, stop + (step * quarters // 4 if step > 0 else -(-step * quarters // 4)))

    def follow(self, joint: JointOutput, target: int, target_v: int, max_speed: int) -> str:
        """Step onto the target if all limits allow it, else towards it.

        Args:
            joint: the output, moved.
            target: where the joint should be after this tick.
            target_v: how far the target itself moved in this tick.
            max_speed: the velocity limit that holds now, at most the joint's; a joint that is faster slows down to it.

        Returns:
            the rule that kept it off the target; empty when it is on it.
        """
        limits, tolerance = self.limits, self._tolerance
        q, v, a = joint.q, joint.v, joint.a
        error = target - target_v - q
        wanted = error + target_v - v
        correction = wanted - (target_v - joint.target_v)  # beyond the target's own acceleration
        joint.target_v = target_v
        if (
            -tolerance <= error <= tolerance
            and -tolerance <= correction <= tolerance
            and abs(wanted) <= limits.acceleration
            and abs(wanted - a) <= limits.jerk
            and self.clearly_viable(target, v + wanted, max_speed)
        ):
            joint.q, joint.v, joint.a = target, v + wanted, wanted
            return ""
        within_speed = self._velocity_limit.peak_speed(v, a) <= max_speed
        low, high, rule = self._acceleration_bounds(joint, wanted, max_speed if within_speed else limits.velocity)
        if not within_speed:
            rule = velocity_limit.NAME
        elif not rule and max(abs(error), abs(correction)) > tolerance:
            # On the target but not moving with it, it would be off again in the next tick for lack of jerk.
            rule = jerk_limit.NAME
        if not rule:
            if self._position_limit.viable(target, v + wanted, wanted):
                joint.q, joint.v, joint.a = target, v + wanted, wanted
                return ""
            rule = position_limit.NAME

        wanted_v = self._approach_velocity(error, target_v)
        lower_v, upper_v = self._range_velocities(joint)
        if (target > limits.upper and upper_v < min(wanted_v, max_speed)) or (
            target < limits.lower and lower_v > max(wanted_v, -max_speed)
        ):
            rule = position_limit.NAME  # whatever else forbids it, this is what holds it
        wanted_v = max(min(wanted_v, max_speed, upper_v), -max_speed, lower_v)
        self._step(joint, max(low, min(high, self._jerk_limit.acceleration_toward(wanted_v - v, a))))
        return rule

    def wanted_velocity(self, joint: JointOutput, target: int, target_v: int, max_speed: int) -> int:
        """Return the velocity that `follow` would like to have; its arguments are the same."""
        wanted_v = self._approach_velocity(target - target_v - joint.q, target_v)
        return max(-max_speed, min(max_speed, wanted_v))

    def clearly_viable(self, q: int, v: int, max_speed: int) -> bool:
        """Return whether a state with |a| <= A keeps max_speed and is viable by a quick bound; False decides nothing."""
        peak_speed = abs(v) + self._velocity_rise
        distance = peak_speed * self._stop_ticks + self.limits.slow_zone
        return (
            peak_speed + self._velocity_rise <= max_speed
            and self.limits.lower + distance <= q <= self.limits.upper - distance
        )

    def _approach_velocity(self, error: int, target_v: int) -> int:
        """The velocity of a joint that is `error` behind a target which moves by target_v per tick."""
        approach_speed = self._position_limit.approach_speed
        return target_v + (approach_speed(error) if error > 0 else -approach_speed(-error))

    def _range_velocities(self, joint: JointOutput) -> tuple[int, int]:
        """Return the lowest and highest velocity that the ends of the range, and their slow zones, leave."""
        limit = self._position_limit
        to_upper, to_lower = self.limits.upper - joint.q, joint.q - self.limits.lower
        return (
            -min(limit.approach_speed(to_lower), limit.max_speed_at(to_lower + joint.v)),
            min(limit.approach_speed(to_upper), limit.max_speed_at(to_upper - joint.v)),
        )

    def _acceleration_bounds(self, joint: JointOutput, wanted: int, max_speed: int) -> tuple[int, int, str]:
        """Return the admissible accelerations of this tick without regard to position, and the rule that forbids `wanted`."""
        low, high, rule = -UNBOUNDED, UNBOUNDED, ""
        for limit in self._kinodynamic_limits:
            lower, upper = limit.acceleration_bounds(joint.v, joint.a, max_speed)
            if not rule and not lower <= wanted <= upper:
                rule = limit.name
            low, high = max(low, lower), min(high, upper)
        return low, high, rule

    def _step(self, joint: JointOutput, a: int) -> None:
        """Move with acceleration a, or with as much of it as is viable, the stop policy's action being the rest."""
        q, v = joint.q, joint.v
        stop = self._jerk_limit.stop_policy(v, joint.a)
        step = a - stop
        for eighths in STEP_EIGHTHS:
            # Rounded towards the stop policy on either side, so that a mirrored motion is mirrored exactly.
            tried = stop + (step * eighths // 8 if step > 0 else -(-step * eighths // 8))
            if self._position_limit.viable(q + v + tried, v + tried, tried):
                break
        else:
            tried = stop
        joint.a = tried
        joint.v = v + tried
        joint.q = q + joint.v
