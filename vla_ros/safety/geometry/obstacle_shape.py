"""One obstacle as a feed reports it: a box, a ball or a capsule with its pose."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import coal
import numpy as np
import pinocchio as pin

SIZES = {"box": 3, "sphere": 1, "capsule": 2}
LARGEST_M = 100.0
"""Neither sides nor coordinates beyond this are those of an obstacle."""
HUMAN = "human"
KINDS = ("", HUMAN)
FASTEST_M_S = 20.0
"""What is said to be faster is a mistake."""
LONGEST_ID = 200
"""Characters; the id is part of the filter's state and of what is logged."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One obstacle.

    shape: "box" (size: sides x y z), "sphere" (radius) or "capsule" (radius, length of the straight part, along z), m.
    frame: in which it is given, as the sender calls it. xyz: centre, m. quaternion: x y z w. kind: HUMAN, or empty: anything
    else. velocity: m/s, in the same frame; None: not known, of a human; of anything else: it stands still.
    """

    id: str
    frame: str
    shape: str
    size: tuple[float, ...]
    xyz: tuple[float, float, float]
    quaternion: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    kind: str = ""
    velocity: tuple[float, float, float] | None = None

    def fault(self) -> str:
        """Return what is wrong with it; empty: nothing."""
        if len(self.id) > LONGEST_ID:
            return f"obstacle {self.id!r:.80}: its id has {len(self.id)} characters; at most {LONGEST_ID}"
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
        if self.kind not in KINDS:
            return f"obstacle {self.id!r:.80}: {self.kind!r:.80} is no class of obstacles; known: {HUMAN}, or none"
        if self.velocity is not None and not math.hypot(*self.velocity) <= FASTEST_M_S:  # nor is NaN
            return f"obstacle {self.id!r:.80} has the velocity {self.velocity}; at most {FASTEST_M_S:g} m/s"
        return ""

    @property
    def radius_m(self) -> float:
        """Radius of the ball around it, m."""
        if self.shape == "box":
            return math.hypot(*self.size) / 2
        return self.size[0] + (self.size[1] / 2 if self.shape == "capsule" else 0.0)

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
        # A turn by an angle moves a point by at most 2 r sin(angle / 2); rounding may leave the cosine above 1.
        return shift + 2.0 * self.radius_m * (math.sqrt(max(0.0, 1.0 - cosine * cosine)) + 1e-7)
