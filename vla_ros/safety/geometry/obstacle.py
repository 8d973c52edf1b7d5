"""Obstacles: the arm keeps away from boxes, balls and capsules that a feed reports, and stops when the feed does.

Each message is the complete list: what it does not name is gone. Obstacles stand where the newest message says; how fast they
come nearer is the feed's business and the margin's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import coal
import pinocchio as pin

from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.active_set import ActiveSet, DistancePair, DistanceState
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.clearance import pairs_with
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import DistanceRule, RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, ObstacleState
from vla_ros.safety.verdict import Verdict

NAME = "obstacle"


class ObstacleFeed(TickRule):
    """Obstacles that are not known stop the arm: age of the newest valid message <= timeout, and the newest was not refused.

    Args: parameters: `obstacle.timeout_s`. limits, arm: not used.
    """

    NAME, CODE, NEEDS_ARM = NAME, RuleCode.OBSTACLE, True

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._timeout_ns = round(parameters.obstacle.timeout_s * 1e9)

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.obstacle.timeout_s)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Stop when there is no valid message yet, none lately, or the newest one was refused."""
        heard = state.obstacles
        if heard.refused:
            return Verdict(NAME, heard.refused)
        if heard.receive_ns is None:
            return Verdict(NAME, "no obstacles heard yet on vla/obstacles; publish an empty list when there are none")
        age_ns = now_ns - heard.receive_ns
        if age_ns <= self._timeout_ns:
            return None
        return Verdict(
            NAME,
            f"the newest obstacles are {age_ns / 1e9:.3f} s old",
            requested=age_ns / 1e9,
            limit=self._timeout_ns / 1e9,
        )


class Obstacles(DistanceRule):
    """The distance to each obstacle of the newest valid message is at least the margin. pairs: of all slots, slot by slot.

    Args:
        parameters: `obstacle`.
        limits: not used.
        arm: gets a slot, a shape with its pairs, for each obstacle that there can be.

    Raises:
        ParameterError: the frame of obstacles is not that of the arm.
    """

    NAME, CODE = NAME, RuleCode.OBSTACLE

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel) -> None:
        self._arm = arm
        self._parameters = parameters.obstacle
        self._maximum = parameters.obstacle.maximum
        self._frame = parameters.obstacle.frame_id
        if self._frame != arm.root:
            raise ParameterError(
                f"obstacle.frame_id: {self._frame!r} is not the root link of the URDF, {arm.root!r}, in whose frame the "
                "filter places obstacles; publish them in that frame"
            )
        self.pairs: list[DistancePair] = []
        self._shapes: list[int] = []
        self._first = 0

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.obstacle.timeout_s)

    def distance_pairs(self, arm: ArmModel) -> list[DistancePair]:
        """Return the pairs of each moving body with each slot."""
        margin_m, slow_m = self._parameters.margin_m, self._parameters.slow_m
        self._shapes = [
            arm.add_fixed_shape(f"obstacle {k}", coal.Sphere(0.01), pin.SE3.Identity()) for k in range(self._maximum)
        ]
        for shape in self._shapes:
            self.pairs += pairs_with(arm, shape, NAME, "an obstacle", margin_m, slow_m)
        self._pairs_per_slot = len(self.pairs) // self._maximum
        self._slot_of = {id(pair): i // self._pairs_per_slot for i, pair in enumerate(self.pairs)}
        return self.pairs

    def start(self, active_set: ActiveSet, distances: DistanceState, first: int) -> None:
        """Begin without obstacles.

        Args:
            active_set, distances: of all pairs of the arm.
            first: index among them of the first of `pairs`.
        """
        self._first = first
        active_set.shapes_replaced(distances, self._first, len(self.pairs), in_use=False)

    def show(self, state: ObstacleState, first: int) -> None:
        """Put the shapes of a state into the arm model, which holds none; `first`: as in `start`."""
        self._first = first
        for k, obstacle in state.active.values():
            self._arm.replace_fixed_shape(self._shapes[k], *obstacle.shape_and_pose())

    def update(
        self,
        state: ObstacleState,
        receive_ns: int,
        obstacles: Sequence[Obstacle],
        active_set: ActiveSet,
        distances: DistanceState,
    ) -> Verdict | None:
        """Take over a complete list.

        Returns:
            why it was refused; the arm then comes to rest, since what is there is not known.
        """
        newest = list(obstacles)
        if state.refused or state.receive_ns is None or newest != state.newest:
            state.refused = self._fault(obstacles)
            if state.refused:
                return Verdict(NAME, state.refused)
            state.refused = "the newest obstacles could not be placed"  # stays where this raises
            self._place(state, newest, active_set, distances)
            state.refused, state.newest = "", newest
        state.receive_ns = receive_ns
        return None

    def id_of(self, state: ObstacleState, pair: DistancePair) -> str:
        """Return the id of the obstacle that one of `pairs` is about."""
        k = self._slot_of[id(pair)]
        return next((obstacle.id for slot, obstacle in state.active.values() if slot == k), "")

    def _place(
        self, state: ObstacleState, obstacles: list[Obstacle], active_set: ActiveSet, distances: DistanceState
    ) -> None:
        named = {obstacle.id: obstacle for obstacle in obstacles}
        for gone in state.active.keys() - named.keys():
            k, _ = state.active.pop(gone)
            active_set.shapes_replaced(distances, self._first_pair(k), self._pairs_per_slot, in_use=False)
        free = sorted(set(range(self._maximum)) - {k for k, _ in state.active.values()}, reverse=True)
        for name, obstacle in named.items():
            k, before = state.active.get(name) or (free.pop(), None)
            displacement_m = math.inf if before is None else obstacle.displacement_m(before)
            if displacement_m > 0.0:
                shape, pose = obstacle.shape_and_pose()
                if math.isinf(displacement_m):
                    self._arm.replace_fixed_shape(self._shapes[k], shape, pose)
                    active_set.shapes_replaced(distances, self._first_pair(k), self._pairs_per_slot, in_use=True)
                else:
                    self._arm.move_fixed_shape(self._shapes[k], pose)
                    active_set.shapes_moved(distances, self._first_pair(k), self._pairs_per_slot, displacement_m)
            state.active[name] = k, obstacle

    def _first_pair(self, k: int) -> int:
        return self._first + k * self._pairs_per_slot

    def _fault(self, obstacles: Sequence[Obstacle]) -> str:
        if len(obstacles) > self._maximum:
            return f"{len(obstacles)} obstacles; obstacle.maximum is {self._maximum}"
        if len({obstacle.id for obstacle in obstacles}) != len(obstacles):
            return "two obstacles have the same id"
        for obstacle in obstacles:
            if obstacle.frame != self._frame:
                return f"obstacle {obstacle.id!r:.80} is in the frame {obstacle.frame!r:.80}, not in {self._frame!r}"
        return next((fault for fault in (obstacle.fault() for obstacle in obstacles) if fault), "")
