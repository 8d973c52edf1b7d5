"""Stopping time and stopping distance: the arm is never so fast that it would need longer, or go further, to come to rest.

    (ticks of the candidate's step and of the stop after it) * period <= time
    length of the way of every point of a part until rest              <= distance

The first is counted in whole ticks. The second is bounded by the sum, over the pieces of the path (`path_bounds`), of the
bound on the part's speed times the piece's time. On the way to rest both only get smaller, so braking always stays allowed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.cartesian_speed import AIMED_AT, share_permille
from vla_ros.safety.geometry.path_bounds import ArmPaths
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import RuleCode, SpeedRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, JointStates
from vla_ros.safety.verdict import Verdict

NAME = "stop_distance"


class StopDistance(SpeedRule):
    """The limits of time and distance to rest.

    Args: parameters: `stop_distance`, `tool`. limits: of the joints. arm: the model.
    """

    NAME, CODE, NEEDS_ARM = NAME, RuleCode.STOP_DISTANCE, True

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel) -> None:
        own = parameters.stop_distance
        self._period_s = parameters.period_s
        self._ticks = int(own.time_s / parameters.period_s + 1e-6)
        self._time_s, self._distance_m = own.time_s, own.distance_m
        self._paths = ArmPaths.of(arm, limits, parameters.period_s)
        self._parts = self._paths.parts(parameters.tool)
        self._limits = np.full(len(self._parts.names), own.distance_m)
        self._brakes = np.array([joint.acceleration for joint in limits])
        # Time in which a brake is built up and released; the brake's own time comes on top.
        self._ramps_s = np.array([joint.acceleration / joint.jerk for joint in limits]) + 2 * parameters.period_s

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.stop_distance.time_s or parameters.stop_distance.distance_m)

    def check(self, state: FilterState, before: JointStates) -> Verdict | None:
        """Refuse a candidate from which the stop would take too long or go too far."""
        path = self._paths.candidate(state.joints, before)
        if not path.moving:
            return None
        if self._time_s and path.quick_ticks > self._ticks and path.ticks > self._ticks:
            needed_s = path.ticks * self._period_s
            reason = f"the stop would take {needed_s:.3f} s; {self._time_s:.3f} s are allowed"
            return Verdict(NAME, reason, requested=round(needed_s, 6), limit=self._time_s)
        if not self._distance_m or (path.quick_distances(self._parts) <= self._limits).all():
            return None
        distances = path.distances(self._parts, np.zeros(len(self._limits)))
        if (distances <= self._limits).all():  # nor is NaN
            return None
        b = int(distances.argmax())
        reason = f"{self._parts.names[b]} may go {distances[b]:.3f} m until rest; {self._distance_m:.3f} m are allowed"
        return Verdict(NAME, reason, requested=round(float(distances[b]), 4), limit=self._distance_m)

    def speed_permille(self, state: FilterState, rates: Array) -> int:
        times_s = np.abs(rates) / self._brakes
        permille = 1000
        if self._time_s:
            left_s = np.maximum(AIMED_AT * self._time_s - self._ramps_s, 1e-3)
            permille = share_permille(left_s, times_s)
        if self._distance_m:
            q, time_s = [joint.q for joint in state.joints], float((times_s / 2 + self._ramps_s).max())
            aim = AIMED_AT * self._limits / time_s
            if not (self._paths.quick_speeds_at(self._parts, q, rates) <= aim).all():
                permille = min(permille, self._share(aim, self._paths.speeds_at(self._parts, q, rates, aim)))
        return permille

    def _share(self, aim: Array, speeds: Array) -> int:
        """Thousandths of the speed that shorten the way enough: the brake's part of it grows with the square of the speed,
        the ramps' part with the speed."""
        permille = share_permille(aim, speeds)
        return permille if permille >= 1000 else max(permille, int((1000 * permille) ** 0.5 * AIMED_AT))
