"""How fast may the arm near a boundary, so that it comes to rest before it, and slides along it?

A boundary is a room d(q) >= 0: a distance beyond its margin, or the angle that is left in a cone. A joint with velocity v_i
uses it up at the rate c_i = -(dd / dq_i) v_i. The joints that want to use some up are slowed to one share s of the velocity
v_i that they want; the others go on, as they do when one joint is at the end of its range. t_i is the time in which a brake
is built up and released, A_i the brake. Of the others c_i and v_i are those of now, or those that they want if these
free less room:

    sum of s c_i (t_i + s |v_i| / 2 A_i)  +  sum over the others of c_i (t_i + |v_i| / 2 A_i)  <=  d
    s (sum of c_i)  +  (sum over the others of c_i)  <=  d / max t_i

The first is about the room that is left at rest, the second keeps the arm off the boundary until then. It is a forecast by
gradients, which shapes the motion: the checks of the rules decide.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.safety.joint.joint_limits import JointLimits

Permille = NDArray[np.int64]


class Approach:
    """The brakes of an arm's joints.

    period_s: of a tick. brakes: (n,) rad/s^2 or m/s^2. ramps_s: (n,) s in which a brake is built up and released.

    Args:
        limits: of the joints.
        period_s: of a tick.
    """

    def __init__(self, limits: Sequence[JointLimits], period_s: float) -> None:
        self.period_s = period_s
        self.brakes: Array = np.array([joint.acceleration for joint in limits])
        self.ramps_s: Array = np.array([joint.acceleration / joint.jerk for joint in limits]) + 2 * period_s

    def reach(self, rates: Array, now: Array) -> Array:
        """Return a bound on how far each joint goes until rest, (n,) rad or m, with rates (n,) or with those of `now`."""
        reach: Array = np.abs(self._ways(np.maximum(np.abs(rates), np.abs(now))))
        return reach

    def permille(self, gradients: Array, rates: Array, now: Array, rooms: Array) -> Permille:
        """Return the thousandths of each joint's wanted velocity that are left, (n,).

        Args:
            gradients: (k, n) of the rooms of k boundaries, per rad or m.
            rates: (n,) that the joints want to have, rad/s or m/s.
            now: (n,) that they have.
            rooms: (k,) as the gradients' unit; below 0 is 0.
        """
        rooms, closing = np.maximum(rooms, 0.0), -gradients * rates
        nearing = closing > 0.0
        toward = np.where(nearing, closing, 0.0)
        others = _sums(np.where(nearing, 0.0, np.maximum(closing, -gradients * now)))
        used = np.maximum(-gradients * self._ways(rates), -gradients * self._ways(now))
        left = np.maximum(rooms - _sums(np.where(nearing, 0.0, used)), 0.0)
        squared, linear = _sums(toward * np.abs(rates) / (2 * self.brakes)), _sums(toward * self.ramps_s)
        with np.errstate(divide="ignore", invalid="ignore"):
            at_rest = 2 * left / (linear + np.sqrt(linear * linear + 4 * squared * left))
            shares = np.minimum(at_rest, np.maximum(rooms / self.ramps_s.max() - others, 0.0) / _sums(toward))
        of_joints = np.where(nearing, np.minimum(shares, 1.0)[:, None], 1.0).min(axis=0, initial=1.0)
        permille: Permille = (1000 * of_joints).astype(np.int64)
        return permille

    def _ways(self, rates: Array) -> Array:
        """How far each joint goes until rest, with its sign, (n,) rad or m."""
        ways: Array = rates * (self.ramps_s + np.abs(rates) / (2 * self.brakes))
        return ways


def _sums(values: Array) -> Array:
    sums: Array = np.add.reduce(values, axis=1)  # no dot product: the order of its additions differs between processors
    return sums
