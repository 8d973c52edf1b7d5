"""Speed and separation monitoring: a moving arm keeps the protective distance of ISO 13855 and ISO 10218-2 to people.

For each body of the arm and each obstacle that is a human or carries a velocity, a candidate that moves needs, at its start,

    d >= v_h (T_age + T_r + T_s) + v_r T_r + B + C + Z

d: their distance. v_h: the obstacle's speed towards the body, or human_speed where its velocity is not known. T_age: age of
the obstacle's message. T_r: reaction time. T_s: the candidate's time to rest. v_r, B: bounds on the body's speed and on its
way until rest (`path_bounds`). C: intrusion distance, for humans. Z: what the places of both are uncertain by.

For an obstacle that keeps its velocity this is proved: convex shapes that are d apart along n come nearer by at most the
obstacle's way along n and the body's own way. On the stop policy's way to rest v_h T_s + B falls at least as fast as d. An
obstacle that appears nearer than that, or turns, stops the arm along the stop policy. At rest the rule asks for nothing, and
nothing moves until the distance is there again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import coal
import numpy as np
import pinocchio as pin

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.cartesian_speed import AIMED_AT
from vla_ros.safety.geometry.clearance import TOLERANCE_M
from vla_ros.safety.geometry.obstacle_shape import HUMAN, Obstacle
from vla_ros.safety.geometry.path_bounds import ArmPaths, CandidatePath
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.rules import RuleCode, SpeedRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, JointStates
from vla_ros.safety.verdict import Verdict

NAME = "separation"
HALVINGS = 8
"""Of the search for the share of the speed that leaves the protective distance."""


class Separation(SpeedRule):
    """The protective distance between every body and every obstacle that is a human or moves.

    Args: parameters: `separation`, `obstacle`. limits: of the joints. arm: the model.

    Raises:
        ParameterError: nobody reports obstacles.
    """

    NAME, CODE, NEEDS_ARM = NAME, RuleCode.SEPARATION, True

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel) -> None:
        if not parameters.obstacle.timeout_s:
            raise ParameterError("separation.check: needs obstacles; set obstacle.timeout_s")
        self._own = own = parameters.separation
        self._still_m = own.position_uncertainty_m + own.arm_uncertainty_m
        self._arm = arm
        self._period_s = parameters.period_s
        self._paths = ArmPaths.of(arm, limits, parameters.period_s)
        self._parts = self._paths.parts(parameters.tool)
        self._shaped = np.array([part.shape >= 0 for part in self._parts.parts])
        self._brakes = np.array([joint.acceleration for joint in limits])
        self._ramps_s = np.array([joint.acceleration / joint.jerk for joint in limits]) + 2 * parameters.period_s
        self._none = np.zeros(len(self._parts.names))
        self._known: tuple[tuple[int, ...], dict[tuple[Obstacle, int], tuple[float, Array]]] = (), {}

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return parameters.separation.check

    def check(self, state: FilterState, before: JointStates) -> Verdict | None:
        """Refuse a candidate that moves while less than the protective distance is left."""
        path = self._paths.candidate(state.joints, before)
        watched = _watched(state)
        if not watched or not path.moving:
            return None
        q = [q for q, _, _ in before]
        exact: tuple[Array, Array] | None = None
        for obstacle in watched:
            speed, still_m = self._speed(obstacle), self._still_of(obstacle)
            time_s = self._age_s(state) + self._own.reaction_s + path.ticks * self._period_s
            near = np.flatnonzero(self._gaps(q, obstacle) < speed * time_s + still_m + self._quick(path))
            if not len(near):
                continue
            exact = exact or self._exact(path)
            own = exact[0] * self._own.reaction_s + exact[1]
            for b in near:
                distance, towards = self._distance(q, obstacle, int(b))
                needed = self._closing(obstacle, distance, towards) * time_s + float(own[b]) + still_m
                if not distance >= needed:  # nor is NaN
                    return self._verdict(obstacle, int(b), distance, needed)
        return None

    def speed_permille(self, state: FilterState, rates: Array) -> int:
        watched = _watched(state)
        if not watched:
            return 1000
        q = [joint.q for joint in state.joints]
        speeds = self._paths.speeds_at(self._parts, q, rates, self._none)
        brake_s, ramp_s = float((np.abs(rates) / self._brakes).max()), float(self._ramps_s.max())
        permille = 1000
        for obstacle in watched:
            static = self._still_of(obstacle) + self._speed(obstacle) * (self._age_s(state) + self._own.reaction_s)
            for b in np.flatnonzero(self._gaps(q, obstacle) < static + self._full(obstacle, speeds, brake_s, ramp_s)):
                distance, towards = self._distance(q, obstacle, int(b))
                closing = self._closing(obstacle, distance, towards)
                room = distance - self._still_of(obstacle) - closing * (self._age_s(state) + self._own.reaction_s)
                permille = min(permille, self._share(room, closing, float(speeds[b]), brake_s, ramp_s))
        return permille

    def _share(self, room_m: float, closing: float, speed: float, brake_s: float, ramp_s: float) -> int:
        """Thousandths of a motion whose protective distance, beyond what stands still, is at most the room."""
        low, high = 0.0, 1.0 / AIMED_AT
        for _ in range(HALVINGS):
            share = (low + high) / 2
            if _needed_m(share, closing, speed, self._own.reaction_s, brake_s, ramp_s) <= room_m:
                low = share
            else:
                high = share
        return max(1, min(1000, int(1000 * AIMED_AT * low)))

    def _full(self, obstacle: Obstacle, speeds: Array, brake_s: float, ramp_s: float) -> Array:
        needed: Array = self._speed(obstacle) * (brake_s + ramp_s) + speeds * (
            self._own.reaction_s + (brake_s + ramp_s) / AIMED_AT
        )
        return needed

    def _quick(self, path: CandidatePath) -> Array:
        """(b,) m, high bound on v_r T_r + B."""
        quick: Array = path.quick_speeds(self._parts) * self._own.reaction_s + path.quick_distances(self._parts)
        return quick

    def _exact(self, path: CandidatePath) -> tuple[Array, Array]:
        """(b,) m/s and m, bounds on v_r and B."""
        speeds = path.speeds(self._parts, self._none)
        return speeds.max(axis=0), path.piece_time_s.dot(speeds)

    def _speed(self, obstacle: Obstacle) -> float:
        """Its speed in whatever direction, m/s."""
        return self._own.human_speed_m_s if obstacle.velocity is None else math.hypot(*obstacle.velocity)

    def _closing(self, obstacle: Obstacle, distance_m: float, towards: Array) -> float:
        """Its speed towards a body, m/s; `towards`: (3,) unit vector to it, which is none when they touch."""
        if obstacle.velocity is None or distance_m <= 0.0:
            return self._speed(obstacle)
        return max(0.0, float(np.add.reduce(towards * np.array(obstacle.velocity))))

    def _still_of(self, obstacle: Obstacle) -> float:
        return self._still_m + TOLERANCE_M + (self._own.intrusion_m if obstacle.kind == HUMAN else 0.0)

    def _age_s(self, state: FilterState) -> float:
        heard_ns = state.obstacles.receive_ns
        return 0.0 if heard_ns is None else max(0, state.now_ns - heard_ns) / NANO

    def _gaps(self, q: Sequence[int], obstacle: Obstacle) -> Array:
        """(b,) m, low bounds on the distances, of the balls around all of them."""
        centres, radius = self._parts.balls(self._paths.placement(q).poses)
        apart = centres[0] - np.array(obstacle.xyz)
        gaps: Array = np.sqrt(np.add.reduce(apart * apart, axis=1)) - radius - obstacle.radius_m
        return np.where(self._shaped, gaps, np.inf)  # the tool centre point has no shape

    def _distance(self, q: Sequence[int], obstacle: Obstacle, b: int) -> tuple[float, Array]:
        """Distance of a body and an obstacle at q, m, and the unit vector from the obstacle to the body, (3,)."""
        key, found = tuple(q), (obstacle, b)
        if self._known[0] != key:
            self._known = key, {}
        if found not in self._known[1]:
            self._known[1][found] = self._measured(q, obstacle, b)
        return self._known[1][found]

    def _measured(self, q: Sequence[int], obstacle: Obstacle, b: int) -> tuple[float, Array]:
        body = self._parts.parts[b]
        own = self._arm.geometry.geometryObjects[body.shape]
        pose = pin.SE3(self._paths.placement(q).poses[0, body.joint]) * own.placement
        shape, placed = obstacle.shape_and_pose()
        result = coal.DistanceResult()
        at, there = (
            coal.Transform3s(pose.rotation, pose.translation),
            coal.Transform3s(placed.rotation, placed.translation),
        )
        distance = float(coal.distance(own.geometry, at, shape, there, coal.DistanceRequest(), result))
        apart = np.array(result.getNearestPoint1()) - np.array(result.getNearestPoint2())
        length = float(np.sqrt(np.add.reduce(apart * apart)))
        return distance, apart / length if length > 0.0 else apart

    def _verdict(self, obstacle: Obstacle, b: int, distance_m: float, needed_m: float) -> Verdict:
        who = "human" if obstacle.kind == HUMAN else "moving obstacle"
        what = f"{who} {obstacle.id!r:.80} is {distance_m:.3f} m from {self._parts.names[b]}"
        reason = f"{what}; {needed_m:.3f} m are needed to move on"
        return Verdict(NAME, reason, requested=round(distance_m, 4), limit=round(needed_m, 4))


def _watched(state: FilterState) -> list[Obstacle]:
    obstacles = (obstacle for _, obstacle in state.obstacles.active.values())
    return [obstacle for obstacle in obstacles if obstacle.kind == HUMAN or obstacle.velocity is not None]


def _needed_m(share: float, closing: float, speed: float, reaction_s: float, brake_s: float, ramp_s: float) -> float:
    """Protective distance of a share of a motion, beyond what stands still: v_h T_s + v_r T_r + B."""
    stop_s = share * brake_s + ramp_s
    return closing * stop_s + share * speed * (reaction_s + share * brake_s / 2 + ramp_s)
