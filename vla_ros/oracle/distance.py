"""Distances between boxes with a ball rolled around them, exactly, for many poses at once.

The squared distance from the point p + t d of a segment to a box is convex in t and quadratic between the planes of the
box's six sides, so its derivative is evaluated at the sides and its zero interpolated: no iteration, no tolerance. The
nearest points of two boxes lie on an edge of one and anywhere on the other, so twenty-four segments give the distance of
two boxes.
"""

from __future__ import annotations

import itertools

import numpy as np

from vla_ros.arrays import Array

OVERLAP_TOLERANCE_M = 1e-12
"""Boxes nearer than this, m, are taken as overlapping, and their depth is computed."""


def segment_box_distances(start: Array, along: Array, half: Array) -> Array:
    """Return the distance from segments to a box about the origin; 0 where they meet it.

    Args:
        start, along: (..., 3) m, a segment's first point and the vector to its other end, in the box's frame.
        half: (3,) m, half lengths of the box; zeros make it a rectangle, a segment or a point.

    Returns:
        (...) m.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = np.concatenate([(half - start) / along, (-half - start) / along], axis=-1)
    ends = np.zeros((*sides.shape[:-1], 1))
    t = np.sort(np.concatenate([ends, np.clip(np.nan_to_num(sides), 0.0, 1.0), ends + 1.0], axis=-1), axis=-1)
    point = start[..., None, :] + t[..., None] * along[..., None, :]
    slope = np.sum((point - np.clip(point, -half, half)) * along[..., None, :], axis=-1)
    # The slope does not fall with t: the nearest point lies behind the last t at which it is not yet positive.
    last = np.sum(slope <= 0.0, axis=-1) - 1
    low, high = np.clip(last, 0, None)[..., None], np.clip(last + 1, None, t.shape[-1] - 1)[..., None]
    t0, t1 = np.take_along_axis(t, low, -1)[..., 0], np.take_along_axis(t, high, -1)[..., 0]
    s0, s1 = np.take_along_axis(slope, low, -1)[..., 0], np.take_along_axis(slope, high, -1)[..., 0]
    rise = s1 - s0
    share = np.clip(np.where(rise > 0.0, -s0 / np.where(rise > 0.0, rise, 1.0), 0.0), 0.0, 1.0)
    nearest = start + (t0 + share * (t1 - t0))[..., None] * along
    apart: Array = np.linalg.norm(nearest - np.clip(nearest, -half, half), axis=-1)
    return apart


def box_edges(half: Array) -> tuple[Array, Array]:
    """Return the edges of a box about the origin: (E, 3) first points and (E, 3) vectors to their other ends, m.

    A segment or a point has one edge, a box twelve.
    """
    long = int(np.argmax(half))
    if np.count_nonzero(half) <= 1:
        single = np.zeros((1, 3))
        single[0, long] = 2 * half[long]
        return -single / 2, single
    starts: list[Array] = []
    vectors: list[Array] = []
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        for signs in itertools.product((-1.0, 1.0), repeat=2):
            start, vector = np.zeros(3), np.zeros(3)
            start[axis], start[others], vector[axis] = -half[axis], signs * half[others], 2 * half[axis]
            starts.append(start)
            vectors.append(vector)
    return np.array(starts), np.array(vectors)


def box_distances(R_a: Array, p_a: Array, half_a: Array, R_b: Array, p_b: Array, half_b: Array) -> Array:
    """Return the distance of boxes a and b at N poses.

    Args:
        R_a, p_a, R_b, p_b: (N, 3, 3) rotations and (N, 3) centres, m, in one frame.
        half_a, half_b: (3,) half lengths, m.

    Returns:
        (N,) m; where two boxes overlap, minus the shortest shift that separates them; 0 where a segment meets a box.
    """
    R = np.swapaxes(R_b, -1, -2) @ R_a  # of a in b's frame
    p = np.einsum("nji,nj->ni", R_b, p_a - p_b)
    solid_a, solid_b = np.count_nonzero(half_a) > 1, np.count_nonzero(half_b) > 1
    if solid_b or not solid_a:
        nearest = _edges_to_box(R, p, half_a, half_b)
    if solid_a:
        back = _edges_to_box(np.swapaxes(R, -1, -2), -np.einsum("nji,nj->ni", R, p), half_b, half_a)
        nearest = np.minimum(nearest, back) if solid_b else back
    if solid_a and solid_b:
        inside = nearest <= OVERLAP_TOLERANCE_M
        nearest[inside] = -_depth(R[inside], p[inside], half_a, half_b)
    return nearest


def _edges_to_box(R: Array, p: Array, half: Array, box: Array) -> Array:
    starts, vectors = box_edges(half)
    start = np.einsum("nij,ej->nei", R, starts) + p[:, None, :]
    nearest: Array = segment_box_distances(start, np.einsum("nij,ej->nei", R, vectors), box).min(axis=1)
    return nearest


def _depth(R: Array, p: Array, half_a: Array, half_b: Array) -> Array:
    """Shortest shift that separates overlapping boxes, (N,) m: the least overlap along the axes that can separate them.

    Source: separating axis theorem; Gottschalk, Lin and Manocha, "OBBTree", SIGGRAPH 1996, section 5.
    """
    count = len(R)
    crossed = np.cross(np.eye(3)[None, :, None, :], np.swapaxes(R, -1, -2)[:, None, :, :]).reshape(count, 9, 3)
    axes = np.concatenate([np.broadcast_to(np.eye(3), (count, 3, 3)), np.swapaxes(R, -1, -2), crossed], axis=1)
    length = np.linalg.norm(axes, axis=-1)
    useful = length > 1e-6  # the cross product of parallel edges separates nothing
    axes = axes / np.where(useful, length, 1.0)[..., None]
    extent = np.abs(axes) @ half_b + np.abs(axes @ R) @ half_a
    overlap = np.where(useful, extent - np.abs(np.einsum("nki,ni->nk", axes, p)), np.inf)
    least: Array = np.maximum(overlap.min(axis=1), 0.0)
    return least
