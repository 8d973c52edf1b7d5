"""Obstacles: the arm keeps away from boxes, balls and capsules that a feed reports, and stops when the feed does.

Each message is the complete list: what it does not name is gone. Obstacles stand where the newest message says; how fast they
come nearer is the feed's business and the margin's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import coal
import numpy as np
import pinocchio as pin

from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.active_set import ActiveSet, DistancePair
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.clearance import pairs_with
from vla_ros.safety.safety_parameters import Obstacle as ObstacleParameters
from vla_ros.safety.verdict import Verdict

NAME = "obstacle"

SIZES = {"box": 3, "sphere": 1, "capsule": 2}
LARGEST_M = 100.0
"""Neither sides nor coordinates beyond this are those of an obstacle."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One obstacle.

    shape: "box" (size: sides x y z), "sphere" (radius) or "capsule" (radius, length of the straight part, along z), m.
    frame: in which it is given, as the sender calls it. xyz: centre, m. quaternion: x y z w.
    """

    id: str
    frame: str
    shape: str
    size: tuple[float, ...]
    xyz: tuple[float, float, float]
    quaternion: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)

    def fault(self) -> str:
        """Return what is wrong with it; empty: nothing."""
        if self.shape not in SIZES or len(self.size) != SIZES[self.shape]:
            return (
                f"obstacle {self.id!r:.80}: {self.shape!r:.80} with {len(self.size)} sizes; known: {', '.join(SIZES)}"
            )
        if not all(math.isfinite(x) for x in (*self.size, *self.xyz, *self.quaternion)):
            return f"obstacle {self.id!r:.80} has a number that is not finite"
        sizes = self.size[:1] if self.shape == "capsule" and self.size[1] == 0.0 else self.size  # a ball, as a capsule
        if not all(0.0 < x <= LARGEST_M for x in sizes):
            return f"obstacle {self.id!r:.80} has the size {self.size}; above 0 and at most {LARGEST_M:g} m"
        if any(abs(x) > LARGEST_M for x in self.xyz):
            return f"obstacle {self.id!r:.80} is at {self.xyz}, more than {LARGEST_M:g} m away"
        if abs(math.hypot(*self.quaternion) - 1.0) > 1e-2:
            return f"obstacle {self.id!r:.80}: the orientation {self.quaternion} is no unit quaternion"
        return ""

    def shape_and_pose(self) -> tuple[Any, Any]:
        """Return the shape for coal and its pose in base for pinocchio."""
        x, y, z, w = (value / math.hypot(*self.quaternion) for value in self.quaternion)
        pose = pin.SE3(pin.Quaternion(w, x, y, z).toRotationMatrix(), np.array(self.xyz))
        make = {"box": coal.Box, "sphere": coal.Sphere, "capsule": coal.Capsule}[self.shape]
        return make(*self.size), pose

    def displacement_m(self, other: Obstacle) -> float:
        """Return a bound on how far any of its points has moved from `other`, m; infinite when it is not the same shape."""
        if (self.shape, self.size) != (other.shape, other.size):
            return math.inf
        shift = math.dist(self.xyz, other.xyz)
        if self.shape == "sphere" or self.quaternion == other.quaternion:
            return shift
        lengths = math.hypot(*self.quaternion) * math.hypot(*other.quaternion)
        cosine = abs(sum(a * b for a, b in zip(self.quaternion, other.quaternion, strict=True))) / lengths
        radius = math.hypot(*self.size) / 2 if self.shape == "box" else self.size[0] + self.size[1] / 2
        # A turn by an angle moves a point by at most 2 r sin(angle / 2); rounding may leave the cosine above 1.
        return shift + 2.0 * radius * (math.sqrt(max(0.0, 1.0 - cosine * cosine)) + 1e-7)


ObstacleSnapshot = tuple[dict[str, tuple[int, Obstacle]], int | None, str]


class Obstacles:
    """The obstacles of the newest valid message. pairs: of all slots, slot by slot.

    Args:
        arm: gets a slot, a shape with its pairs, for each obstacle that there can be.
        parameters: of the rule.

    Raises:
        ParameterError: the frame of obstacles is not that of the arm.
    """

    def __init__(self, arm: ArmModel, parameters: ObstacleParameters) -> None:
        self._arm = arm
        self._maximum = parameters.maximum
        self._frame = parameters.frame_id
        if self._frame != arm.root:
            raise ParameterError(
                f"obstacle.frame_id: {self._frame!r} is not the root link of the URDF, {arm.root!r}, in whose frame the "
                "filter places obstacles; publish them in that frame"
            )
        self._timeout_ns = round(parameters.timeout_s * 1e9)
        self._active: dict[str, tuple[int, Obstacle]] = {}
        self._receive_ns: int | None = None
        self._refused = ""
        self._newest: list[Obstacle] = []
        self.pairs: list[DistancePair] = []
        self._shapes = [
            arm.add_fixed_shape(f"obstacle {k}", coal.Sphere(0.01), pin.SE3.Identity()) for k in range(self._maximum)
        ]
        for shape in self._shapes:
            self.pairs += pairs_with(arm, shape, NAME, "an obstacle", parameters.margin_m, parameters.slow_m)
        self._pairs_per_slot = len(self.pairs) // self._maximum
        self._slot_of = {id(pair): i // self._pairs_per_slot for i, pair in enumerate(self.pairs)}
        self._first = 0

    def start(self, active_set: ActiveSet, first: int) -> None:
        """Begin without obstacles.

        Args:
            active_set: of all pairs.
            first: index in it of the first of `pairs`.
        """
        self._first = first
        active_set.shapes_replaced(first, len(self.pairs), in_use=False)

    def snapshot(self) -> ObstacleSnapshot:
        """Return what changes from message to message."""
        return dict(self._active), self._receive_ns, self._refused

    def restore(self, snapshot: ObstacleSnapshot) -> None:
        """Go on from a snapshot."""
        self._active, self._receive_ns, self._refused = snapshot
        self._newest = self.active()
        for k, obstacle in self._active.values():
            self._arm.replace_fixed_shape(self._shapes[k], *obstacle.shape_and_pose())

    def update(self, receive_ns: int, obstacles: Sequence[Obstacle], active_set: ActiveSet) -> Verdict | None:
        """Take over a complete list.

        Returns:
            why it was refused; the arm then comes to rest, since what is there is not known.
        """
        newest = list(obstacles)
        if self._refused or self._receive_ns is None or newest != self._newest:
            self._refused = self._fault(obstacles)
            if self._refused:
                return Verdict(NAME, self._refused)
            self._refused = "the newest obstacles could not be placed"  # stays where this raises
            self._place(newest, active_set)
            self._refused, self._newest = "", newest
        self._receive_ns = receive_ns
        return None

    def active(self) -> list[Obstacle]:
        """Return what is kept away from now."""
        return [obstacle for _, obstacle in self._active.values()]

    def id_of(self, pair: DistancePair) -> str:
        """Return the id of the obstacle that one of `pairs` is about."""
        k = self._slot_of[id(pair)]
        return next((obstacle.id for slot, obstacle in self._active.values() if slot == k), "")

    def stale(self, now_ns: int) -> Verdict | None:
        """Stop when the obstacles are not known: no valid message yet, none lately, or the newest one was refused."""
        if self._refused:
            return Verdict(NAME, self._refused)
        if self._receive_ns is None:
            return Verdict(NAME, "no obstacles heard yet on vla/obstacles; publish an empty list when there are none")
        age_ns = now_ns - self._receive_ns
        if age_ns <= self._timeout_ns:
            return None
        return Verdict(
            NAME,
            f"the newest obstacles are {age_ns / 1e9:.3f} s old",
            requested=age_ns / 1e9,
            limit=self._timeout_ns / 1e9,
        )

    def _place(self, obstacles: list[Obstacle], active_set: ActiveSet) -> None:
        named = {obstacle.id: obstacle for obstacle in obstacles}
        for gone in self._active.keys() - named.keys():
            k, _ = self._active.pop(gone)
            active_set.shapes_replaced(self._first_pair(k), self._pairs_per_slot, in_use=False)
        free = sorted(set(range(self._maximum)) - {k for k, _ in self._active.values()}, reverse=True)
        for name, obstacle in named.items():
            k, before = self._active.get(name) or (free.pop(), None)
            displacement_m = math.inf if before is None else obstacle.displacement_m(before)
            if displacement_m > 0.0:
                self._arm.replace_fixed_shape(self._shapes[k], *obstacle.shape_and_pose())
                if math.isinf(displacement_m):
                    active_set.shapes_replaced(self._first_pair(k), self._pairs_per_slot, in_use=True)
                else:
                    active_set.shapes_moved(self._first_pair(k), self._pairs_per_slot, displacement_m)
            self._active[name] = k, obstacle

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
