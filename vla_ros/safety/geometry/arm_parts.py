"""What of an arm is limited in its motion: each moving body, the tool centre point, and the centre of mass behind each joint.

A part is points with a ball around each, fixed to one joint of the model. In every configuration the lever arm bound r_i of
joint i bounds how far the joint moves a point of the part, m per rad or m. It bounds how the joint's effect changes, too:

    |d2p / dq_i dq_k| <= r_max(i, k), where max(i, k) is the joint that is further from the base

since the derivative is the axis of the nearer joint times (vector product) what the further one does to the point.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.arm_kinematics import ArmKinematics, Indices, Placement, cross, points_of
from vla_ros.safety.geometry.arm_model import ROUNDING, ArmModel
from vla_ros.safety.geometry_parameters import ToolParameters

TOOL = "tool"
"""Name of the tool centre point among the parts."""


@dataclass(frozen=True)
class Part:
    """One part.

    name: its link, or TOOL. joint: pinocchio's index. points: (k, 3) in the joint's frame, m. radius: m. shape: index of the
    body's shape in the geometry model; -1: it has none.
    """

    name: str
    joint: int
    points: Array
    radius: float
    shape: int = -1


def moving_parts(arm: ArmModel, tool: ToolParameters) -> list[Part]:
    """Return the bodies that a commanded joint moves, and the tool centre point where `tool.link` is given.

    Raises:
        ParameterError: tool.link is not a link of the URDF.
    """
    bodies = [arm.bodies[i] for i in arm.moving_bodies()]
    parts = [Part(body.link, body.joint, body.points, body.radius, body.index) for body in bodies]
    if tool.link:
        joint, pose = arm.body_frame(tool.link, "tool.link")
        parts.append(Part(TOOL, joint, (pose.rotation @ np.array(tool.point) + pose.translation)[None], 0.0))
    return parts


def centres_of_mass(arm: ArmModel, kinematics: ArmKinematics) -> list[Part]:
    """Return the centre of mass of what hangs rigidly on each driven joint, in the order of `kinematics.driven`."""
    return [
        Part(str(arm.model.names[joint]), joint, np.array(arm.model.inertias[joint].lever)[None], 0.0)
        for joint in kinematics.driven
    ]


class Parts:
    """Speeds of some parts, and bounds of how they change.

    parts, names: in the order in which they are numbered. lever_arms: (b, n) m per rad or m of each commanded joint.
    curvature: (n * n, b) the bound above, m per rad^2.

    Args:
        arm: the model. kinematics: of it. parts: at least one.

    Raises:
        ParameterError: there is none.
    """

    def __init__(self, arm: ArmModel, kinematics: ArmKinematics, parts: Sequence[Part]) -> None:
        if not parts:
            raise ParameterError(
                "urdf: no link that the joints move has a <collision> element; give the links bodies, or set tool.link"
            )
        self.names = [part.name for part in parts]
        coupling = np.abs(kinematics.coupling)
        arms = [arm.lever_arms_of(part.joint, part.points, part.radius) for part in parts]
        levers = np.array([[found.get(joint, 0.0) for joint in kinematics.driven] for found in arms])
        self.lever_arms: Array = levers @ coupling.T
        order = np.arange(len(kinematics.driven))
        further = np.maximum(order[:, None], order[None, :])
        both = (levers > 0.0)[:, :, None] & (levers > 0.0)[:, None, :]
        curvature = coupling @ np.where(both, levers[:, further], 0.0) @ coupling.T
        self.curvature: Array = curvature.reshape(len(parts), -1).T.copy()
        self.parts = tuple(parts)
        self._joints = sorted({part.joint for part in parts})
        self._slot = np.array([self._joints.index(part.joint) for part in parts], np.intp)
        self._ball_joint = np.array(self._joints, np.intp)
        self._centre, self._ball = _balls(parts, self._joints)
        self._carried, self._coupling = kinematics.supports[self._ball_joint], coupling.T
        self._placed: tuple[Placement, Array] | None = None
        self._groups: dict[tuple[int, ...], _Points] = {}

    def balls(self, poses: Array) -> tuple[Array, Array]:
        """Return a ball around all on each part's joint: middle (k, b, 3) in base, radius (b,), m, for poses (k, j, 4, 4)."""
        return points_of(poses, self._ball_joint, self._centre)[:, self._slot], self._ball[self._slot]

    def lever_arms_at(self, placement: Placement) -> Array:
        """Return bounds (b, n) on how far each joint moves a point of each part where the arm is placed, m per rad or m."""
        if self._placed is None or self._placed[0] is not placement:
            columns, centres = placement.columns[0], points_of(placement.poses, self._ball_joint, self._centre)[0]
            turning = columns[:, 3:]
            linear = columns[:, :3] + cross(turning, centres[:, None], (len(centres), *turning.shape))
            arms = (_lengths(linear) + self._ball[:, None] * _lengths(turning)) * self._carried
            self._placed = placement, (arms @ self._coupling * ROUNDING)[self._slot]
        return self._placed[1]

    def bound_near(self, placement: Placement, distance: Array, motion: Array) -> Array:
        """Return a bound on how far each part moves, (b,) m, where each joint is at most `distance` from a placement.

        Args:
            placement: (1, ...). distance: (n,) rad or m.
            motion: (n,) rad or m of each joint, not negative; or its rate, and the bound is in m/s.
        """
        products = (motion[:, None] * distance).ravel()
        bound: Array = self.lever_arms_at(placement).dot(motion) + products.dot(self.curvature)
        return bound

    def speeds(self, poses: Array, of: Sequence[int] | Indices, twists: Array, limits: Array) -> Array:
        """Return bounds on the speed of each part, (m, b) m/s. Where the ball around all on its joint keeps the limit, it is
        the ball's.

        The speed of a rigid body is a convex function of the point, so the largest is that of one of the hull's points; the
        ball around each of them adds radius times angular speed.

        Args:
            poses: (k, j, 4, 4) of the joints. of: (m,) which of them. twists: (m, j, 6) of the joints. limits: (b,) m/s.
        """
        own = twists[:, self._ball_joint]
        turning = _lengths(own[..., 3:])
        moved = own[..., :3] + cross(own[..., 3:], points_of(poses, self._ball_joint, self._centre)[of])
        speeds: Array = (_lengths(moved) + self._ball * turning)[:, self._slot]
        over = tuple(sorted({int(self._slot[b]) for b in np.flatnonzero((speeds > limits).any(axis=0))}))
        if over:
            points = self._points_of(over)
            angular = twists[:, points.joint, 3:]
            moved = twists[:, points.joint, :3] + cross(angular, points_of(poses, points.joint, points.at)[of])
            largest = np.maximum.reduceat(_lengths(moved), points.first, axis=1)
            speeds[:, points.parts] = largest + points.radius * turning[:, self._slot[points.parts]]
        return speeds

    def speeds_along(self, poses: Array, twists: Array, normals: Array) -> Array:
        """Return bounds on the speed of each part along unit vectors (s, 3) in base, (k, b, s) m/s: those of the balls.

        Args:
            poses: (k, j, 4, 4) of the joints. twists: (k, j, 6) of them.
        """
        own, along = twists[:, self._ball_joint], normals[None, None]
        turning = own[..., 3:]
        moved = own[..., :3] + cross(turning, points_of(poses, self._ball_joint, self._centre))
        spun = cross(turning[:, :, None], along, (*turning.shape[:2], *normals.shape))
        speeds: Array = (moved[:, :, None] * along).sum(axis=3) + self._ball[:, None] * _lengths(spun)
        return speeds[:, self._slot]

    def furthest_along(self, poses: Array, normals: Array) -> Array:
        """Return how far each part reaches along unit vectors (s, 3) in base, (k, b, s) m, for poses (k, j, 4, 4)."""
        points = self._points_of(tuple(range(len(self._joints))))
        at = points_of(poses, points.joint, points.at)
        along = np.add.reduce(at[:, :, None, :] * normals, axis=-1)
        furthest = np.empty((len(poses), len(self.parts), len(normals)))
        furthest[:, points.parts] = np.maximum.reduceat(along, points.first, axis=1) + points.radius[:, None]
        return furthest

    def _points_of(self, slots: tuple[int, ...]) -> _Points:
        """The points of all parts on some joints."""
        if slots not in self._groups:
            chosen = [b for b in range(len(self.parts)) if self._slot[b] in slots]
            parts = [self.parts[b] for b in chosen]
            counts = [len(part.points) for part in parts]
            self._groups[slots] = _Points(
                np.array(chosen, np.intp),
                np.repeat(np.array([part.joint for part in parts], np.intp), counts),
                np.concatenate([part.points for part in parts]),
                np.cumsum([0, *counts[:-1]]),
                np.array([part.radius for part in parts]),
            )
        return self._groups[slots]


class _Points(NamedTuple):
    """Points of some parts: which parts, the joint of each point, (p, 3) m, where each part's begin, the parts' radius."""

    parts: Indices
    joint: Indices
    at: Array
    first: Indices
    radius: Array


def _balls(parts: Sequence[Part], joints: Sequence[int]) -> tuple[Array, Array]:
    """Middle (s, 3), in the joint's frame, and radius (s,) of a ball around all parts on each joint, m."""
    centres, radii = [], []
    for joint in joints:
        own = [part for part in parts if part.joint == joint]
        low = np.min([part.points.min(axis=0) - part.radius for part in own], axis=0)
        high = np.max([part.points.max(axis=0) + part.radius for part in own], axis=0)
        centre = (low + high) / 2
        reach = [np.linalg.norm(part.points - centre, axis=1).max() + part.radius for part in own]
        centres.append(centre)
        radii.append(max(reach) * ROUNDING)
    return np.array(centres), np.array(radii)


def _lengths(vectors: Array) -> Array:
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    lengths: Array = np.sqrt(x * x + y * y + z * z)
    return lengths
