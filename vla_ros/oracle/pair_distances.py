"""How far apart are many pairs of bodies, at many configurations at once?

A ball around each body gives a lower bound of every distance, in one step for all pairs. The distance itself is computed
where somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.oracle.distance import box_distances
from vla_ros.oracle.robot import JudgedBody

Integers = NDArray[np.int64]
LinkPoses = Mapping[str, tuple[Array, Array]]
"""Link → rotations (N, 3, 3) and positions (N, 3), m, in the frame of the root link."""


@dataclass(frozen=True)
class JudgedPair:
    """Two bodies, or a body and a plane (normal, distance: the arm stays where normal · p ≤ distance)."""

    rule: str
    margin_m: float
    body: JudgedBody
    other: JudgedBody | None = None
    plane: tuple[Array, float] | None = None
    what: str = ""


class PairDistances:
    """Pairs, and how to measure them all.

    pairs: those given. margins: (P,) m, of each. bodies: that they are about. first, second: (P,) numbers of the two bodies;
    a second one of -1 is a plane.

    Args: pairs: in any order.
    """

    def __init__(self, pairs: Sequence[JudgedPair]) -> None:
        self.pairs = list(pairs)
        self.margins = np.array([pair.margin_m for pair in pairs])
        bodies = {id(body): body for pair in pairs for body in (pair.body, pair.other) if body is not None}
        index = {key: i for i, key in enumerate(bodies)}
        self.bodies = list(bodies.values())
        self._rotations = np.array([body.T_link_body[:3, :3] for body in self.bodies]).reshape(-1, 3, 3)
        self._centres = np.array([body.T_link_body[:3, 3] for body in self.bodies]).reshape(-1, 3)
        self.first = np.array([index[id(pair.body)] for pair in pairs], np.intp)
        self.second = np.array([-1 if pair.other is None else index[id(pair.other)] for pair in pairs], np.intp)
        self._planar = np.flatnonzero([pair.plane is not None for pair in pairs])
        self._solid = np.flatnonzero([pair.plane is None for pair in pairs])
        planes = [pair.plane for pair in pairs if pair.plane is not None]
        self._normals = np.array([normal for normal, _ in planes]).reshape(-1, 3)
        self._bounds = np.array([bound for _, bound in planes])
        self._half = np.array([body.half for body in self.bodies]).reshape(-1, 3)
        self._radius = np.array([body.radius for body in self.bodies])
        balls = np.array([body.bounding_radius for body in self.bodies])
        self._balls = balls[self.first[self._solid]] + balls[self.second[self._solid]]

    def place(self, link_poses: LinkPoses) -> tuple[Array, Array]:
        """Return the rotations (B, N, 3, 3) and centres (B, N, 3), m, of all bodies."""
        R = np.array([link_poses[body.link][0] for body in self.bodies])
        p = np.array([link_poses[body.link][1] for body in self.bodies])
        centres: Array = p + (R @ self._centres[:, None, :, None])[..., 0]
        return R @ self._rotations[:, None], centres

    def lower_bounds(self, placed: tuple[Array, Array]) -> Array:
        """Return (P, N) m, a lower bound of each pair's distance; between a body and a plane it is the distance."""
        R, p = placed
        bounds = np.empty((len(self.pairs), p.shape[1]))
        body = self.first[self._planar]
        bounds[self._planar] = self._plane_distances(R[body], p[body])
        first, second = self.first[self._solid], self.second[self._solid]
        bounds[self._solid] = np.linalg.norm(p[first] - p[second], axis=-1) - self._balls[:, None]
        return bounds

    def distance(self, pair: int, placed: tuple[Array, Array], rows: Integers) -> Array:
        """Return the distance of one pair at some of the configurations, m; see `box_distances` for bodies that overlap."""
        R, p = placed
        i, k = self.first[pair], self.second[pair]
        if k < 0:
            at = int(np.searchsorted(self._planar, pair))
            away: Array = self._plane_distances(R[i, rows][None], p[i, rows][None], slice(at, at + 1))[0]
            return away
        apart: Array = box_distances(R[i, rows], p[i, rows], self._half[i], R[k, rows], p[k, rows], self._half[k])
        apart -= self._radius[i] + self._radius[k]
        return apart

    def _plane_distances(self, R: Array, p: Array, planes: slice = slice(None)) -> Array:
        """(K, N) of K bodies, each with its plane."""
        normals, body = self._normals[planes], self.first[self._planar[planes]]
        turned = np.abs(np.einsum("ki,knij->knj", normals, R))
        extent = np.einsum("knj,kj->kn", turned, self._half[body]) + self._radius[body][:, None]
        away: Array = self._bounds[planes][:, None] - np.einsum("kni,ki->kn", p, normals) - extent
        return away
