"""Rule obstacle: the arm keeps away from boxes, balls and capsules that a feed reports, and stops when the feed does.

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
from vla_ros.safety.geometry.active_set import Neighbours, Row
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.clearance import against
from vla_ros.safety.safety_parameters import Obstacle as Parameters
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
        """What is wrong with it; empty: nothing."""
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

    def solid(self) -> tuple[Any, Any]:
        """The shape and its pose."""
        x, y, z, w = (value / math.hypot(*self.quaternion) for value in self.quaternion)
        pose = pin.SE3(pin.Quaternion(w, x, y, z).toRotationMatrix(), np.array(self.xyz))
        make = {"box": coal.Box, "sphere": coal.Sphere, "capsule": coal.Capsule}[self.shape]
        return make(*self.size), pose

    def shift_m(self, other: Obstacle) -> float:
        """Bound on how far any of its points has moved from `other`, m; infinite when it is not the same solid."""
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


class Obstacles:
    """The obstacles of the newest valid message.

    Args:
        arm: gets a place for each obstacle that there can be.
        parameters: of the rule.

    Raises:
        ParameterError: the frame of obstacles is not that of the arm.
    """

    def __init__(self, arm: ArmModel, parameters: Parameters) -> None:
        self._arm = arm
        self._maximum = parameters.maximum
        self._frame = parameters.frame_id
        if self._frame != arm.root:
            raise ParameterError(
                f"obstacle.frame_id: {self._frame!r} is not the root link of the URDF, {arm.root!r}, in whose frame the "
                "filter places obstacles; publish them in that frame"
            )
        self._timeout_ns = round(parameters.timeout_s * 1e9)
        self._shown: dict[str, tuple[int, Obstacle]] = {}
        self._receive_ns: int | None = None
        self._refused = ""
        self._newest: list[Obstacle] = []
        self.rows: list[Row] = []
        self._shapes = [
            arm.add_world(f"obstacle {k}", coal.Sphere(0.01), pin.SE3.Identity()) for k in range(self._maximum)
        ]
        for shape in self._shapes:
            self.rows += against(arm, shape, NAME, "an obstacle", parameters.margin_m, parameters.slow_m)
        self._per_shape = len(self.rows) // self._maximum
        self._place_of = {id(row): i // self._per_shape for i, row in enumerate(self.rows)}
        self._first = 0

    def begin(self, neighbours: Neighbours, first: int) -> None:
        """All places are empty; the rows of the first one begin at `first`."""
        self._first = first
        neighbours.forget(first, len(self.rows), watched=False)

    def snapshot(self) -> tuple[dict[str, tuple[int, Obstacle]], int | None, str]:
        """What changes from message to message."""
        return dict(self._shown), self._receive_ns, self._refused

    def restore(self, snapshot: tuple[dict[str, tuple[int, Obstacle]], int | None, str]) -> None:
        """Go on from a snapshot."""
        self._shown, self._receive_ns, self._refused = snapshot
        self._newest = self.shown()
        for k, obstacle in self._shown.values():
            self._arm.set_world(self._shapes[k], *obstacle.solid())

    def update(self, receive_ns: int, obstacles: Sequence[Obstacle], neighbours: Neighbours) -> Verdict | None:
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
            self._place(newest, neighbours)
            self._refused, self._newest = "", newest
        self._receive_ns = receive_ns
        return None

    def shown(self) -> list[Obstacle]:
        """What is kept away from now."""
        return [obstacle for _, obstacle in self._shown.values()]

    def name(self, row: Row) -> str:
        """The id of the obstacle that one of `rows` is about."""
        k = self._place_of[id(row)]
        return next((obstacle.id for place, obstacle in self._shown.values() if place == k), "")

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

    def _place(self, obstacles: list[Obstacle], neighbours: Neighbours) -> None:
        named = {obstacle.id: obstacle for obstacle in obstacles}
        for gone in self._shown.keys() - named.keys():
            k, _ = self._shown.pop(gone)
            neighbours.forget(self._row(k), self._per_shape, watched=False)
        free = sorted(set(range(self._maximum)) - {k for k, _ in self._shown.values()}, reverse=True)
        for name, obstacle in named.items():
            k, before = self._shown.get(name) or (free.pop(), None)
            shift_m = math.inf if before is None else obstacle.shift_m(before)
            if shift_m > 0.0:
                self._arm.set_world(self._shapes[k], *obstacle.solid())
                if math.isinf(shift_m):
                    neighbours.forget(self._row(k), self._per_shape, watched=True)
                else:
                    neighbours.shifted(self._row(k), self._per_shape, shift_m)
            self._shown[name] = k, obstacle

    def _row(self, k: int) -> int:
        return self._first + k * self._per_shape

    def _fault(self, obstacles: Sequence[Obstacle]) -> str:
        if len(obstacles) > self._maximum:
            return f"{len(obstacles)} obstacles; obstacle.maximum is {self._maximum}"
        if len({obstacle.id for obstacle in obstacles}) != len(obstacles):
            return "two obstacles have the same id"
        for obstacle in obstacles:
            if obstacle.frame != self._frame:
                return f"obstacle {obstacle.id!r:.80} is in the frame {obstacle.frame!r:.80}, not in {self._frame!r}"
        return next((fault for fault in (obstacle.fault() for obstacle in obstacles) if fault), "")
