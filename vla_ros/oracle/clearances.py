"""How far is every body of the arm from what it must keep away from, as the configuration says it?

Conventions: all in the frame of the URDF's root link. Bodies that no commanded joint moves are not judged against what
stands still, nor two that none moves against each other. Bodies of two rigid groups that one joint connects may touch, and
so may the links that the configuration or its SRDF allows, and pairs that overlap wherever the joints are: these are drawn
larger than the links, and no stream of commands is to blame for it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from vla_ros.arrays import Array
from vla_ros.oracle.pair_distances import JudgedPair, LinkPoses, PairDistances
from vla_ros.oracle.robot import JudgedBody, JudgedRobot, capsule, pose
from vla_ros.parameters import ParameterError
from vla_ros.safety.safety_parameters import SafetyFilterParameters

WORLD = ""
"""The link of what stands still."""
FURTHEST = 1e6
"""Where a joint has no limit, it is tried as far from 0 as this, rad or m."""
CONFIGURATIONS = 300
"""Tried for pairs that always overlap; the very ones that the filter tries, so that both mean the same pairs."""


@dataclass(frozen=True)
class RuleClearance:
    """Smallest distance of one rule. sample: where; distance_m: at most 0: they overlap; margin_m: what must be kept."""

    rule: str
    what: str
    distance_m: float
    margin_m: float
    sample: int


class Clearances:
    """All distances that the configuration asks for.

    notes: what is not judged, and why.

    Args:
        robot: whose bodies.
        parameters: what is kept, and by which margin.
        ranges: (joints, 2) lower and upper limit of each joint of `joint_names`, rad or m.

    Raises:
        ParameterError: the configuration names a link that the URDF lacks, or a file that cannot be read.
    """

    def __init__(self, robot: JudgedRobot, parameters: SafetyFilterParameters, ranges: Array) -> None:
        self._robot = robot
        self._parameters = parameters
        self.notes: list[str] = []
        p = parameters
        kept = (p.fence.box, p.fence.planes, p.table.height_m, p.keep_out.boxes, p.self_collision.check)
        self._moving: list[JudgedBody] = []
        self._rules: list[PairDistances] = []
        if not any((*kept, p.obstacle.timeout_s)):
            return
        if robot.meshes:
            self.notes.append(f"clearances of the meshes of {', '.join(robot.meshes)} are not judged")
        bodies = [*robot.bodies, *_tool(robot, parameters)]
        self._joints_moving = robot.movers(p.joint_names)
        self._moving = [body for body in bodies if self._joints_moving[body.link]]
        pairs = [
            *self._fixed_pairs(),
            *self._not_always_overlapping(list(self._self_collision_pairs(bodies)), ranges),
        ]
        rules = dict.fromkeys(pair.rule for pair in pairs)
        self._rules = [PairDistances([pair for pair in pairs if pair.rule == rule]) for rule in rules]

    def clearances(self, names: Sequence[str], q: Array, obstacles: Sequence[JudgedBody] = ()) -> list[RuleClearance]:
        """Return the smallest distance of each rule over all samples.

        Args:
            names, q: (N, len(names)) joint positions, rad or m.
            obstacles: bodies of link WORLD, see `box` and `ball`, judged by the margin of the obstacles.
        """
        rules = self.rules(obstacles)
        if not rules or not len(q):
            return []
        poses = self.link_poses(names, q)
        return [_smallest(rule, rule.place(poses)) for rule in rules]

    def rules(self, obstacles: Sequence[JudgedBody] = ()) -> list[PairDistances]:
        """Return the pairs of each rule, those of the obstacles the last."""
        margin_m = self._parameters.obstacle.margin_m
        pairs = [
            JudgedPair("obstacle", margin_m, body, obstacle, what=f"{body.link} – obstacle")
            for obstacle in obstacles
            for body in self._moving
        ]
        return [*self._rules, PairDistances(pairs)] if pairs else self._rules

    def link_poses(self, names: Sequence[str], q: Array) -> LinkPoses:
        """Return the poses of all links, and of WORLD, at joint positions (N, len(names)), rad or m."""
        poses = self._robot.poses(names, q)
        poses[WORLD] = np.broadcast_to(np.eye(3), (len(q), 3, 3)), np.zeros((len(q), 3))
        return poses

    def _fixed_pairs(self) -> Iterator[JudgedPair]:
        """Yield the pairs of fence, table and keep-out boxes."""
        p = self._parameters
        planes = [
            ("fence", p.fence.margin_m, np.array(row[:3]), row[3], "side of the fence")
            for row in _groups_of(p.fence.planes, 4)
        ]
        for row in _groups_of(p.fence.box, 6):
            for axis, sign in itertools.product(range(3), (-1, 1)):
                bound = row[axis + 3] if sign > 0 else -row[axis]
                name = f"{'upper' if sign > 0 else 'lower'} {'xyz'[axis]} of the fence"
                planes.append(("fence", p.fence.margin_m, sign * np.eye(3)[axis], bound, name))
        planes += [("table", p.table.margin_m, np.array([0.0, 0.0, -1.0]), -z, "table") for z in p.table.height_m]
        for body in self._moving:
            for rule, margin_m, normal, bound, name in planes:
                length = float(np.linalg.norm(normal))
                plane = normal / length, bound / length
                yield JudgedPair(rule, margin_m, body, plane=plane, what=f"{body.link} – {name}")
            for i, row in enumerate(_groups_of(p.keep_out.boxes, 9)):
                other = box(row[:3], row[3:6], pose((0.0, 0.0, 0.0), row[6:])[:3, :3])
                yield JudgedPair("keep_out", p.keep_out.margin_m, body, other, what=f"{body.link} – box {i}")

    def _self_collision_pairs(self, bodies: Sequence[JudgedBody]) -> Iterator[JudgedPair]:
        """Yield the pairs of the arm's own bodies that must not touch."""
        rule = self._parameters.self_collision
        if not rule.check:
            return
        group, allowed = self._robot.group, _allowed(self._robot, rule.allowed, rule.srdf)
        for a, b in itertools.combinations(bodies, 2):
            adjacent = frozenset((group[a.link], group[b.link])) in self._robot.adjacent
            moving = self._joints_moving[a.link] != self._joints_moving[b.link]
            if moving and not adjacent and frozenset((a.link, b.link)) not in allowed:
                yield JudgedPair("self_collision", rule.margin_m, a, b, what=f"{a.link} – {b.link}")

    def _not_always_overlapping(self, pairs: Sequence[JudgedPair], ranges: Array) -> list[JudgedPair]:
        """Return the pairs that do not overlap in every configuration; the others are noted."""
        if not pairs:
            return []
        low, high = np.sort(np.clip(ranges.T, -FURTHEST, FURTHEST), axis=0)
        q = np.random.default_rng(0).uniform(low, high, (CONFIGURATIONS, len(low)))
        distances = PairDistances(pairs)
        placed = distances.place(self.link_poses(self._parameters.joint_names, q))
        apart: list[JudgedPair] = []
        overlapping: list[str] = []
        for i, (pair, bounds) in enumerate(zip(pairs, distances.lower_bounds(placed), strict=True)):
            if (bounds > 0.0).any() or (distances.distance(i, placed, np.arange(len(q))) > 0.0).any():
                apart.append(pair)
            elif pair.what not in overlapping:
                overlapping.append(pair.what)
        if overlapping:
            self.notes.append(f"pairs that overlap wherever the joints are, not judged: {', '.join(overlapping)}")
        return apart


def box(centre: Sequence[float], size: Sequence[float], R: Array | None = None) -> JudgedBody:
    """Return a fixed box: centre and sides in m, rotation (3, 3) in the base frame."""
    T = pose(centre)
    T[:3, :3] = np.eye(3) if R is None else R
    return JudgedBody(WORLD, np.array(size) / 2, 0.0, T)


def ball(centre: Sequence[float], radius: float) -> JudgedBody:
    """Return a fixed ball: centre and radius in m."""
    return JudgedBody(WORLD, np.zeros(3), radius, pose(centre))


def _smallest(rule: PairDistances, placed: tuple[Array, Array]) -> RuleClearance:
    """Return the pair and the sample that are nearest to their margin, or furthest beyond it."""
    bounds = rule.lower_bounds(placed) - rule.margins[:, None]
    best: RuleClearance | None = None
    spare_m = np.inf
    for i in np.argsort(bounds.min(axis=1), kind="stable").tolist():
        near = np.flatnonzero(bounds[i] < spare_m)
        if not len(near):
            break  # so are all that follow
        distance = rule.distance(i, placed, near)
        sample = int(np.argmin(distance))
        if best is None or distance[sample] - rule.margins[i] < spare_m:
            pair = rule.pairs[i]
            best = RuleClearance(pair.rule, pair.what, float(distance[sample]), pair.margin_m, int(near[sample]))
            spare_m = best.distance_m - best.margin_m
    assert best is not None
    return best


def _groups_of(values: Sequence[float], width: int) -> list[Sequence[float]]:
    return [values[i : i + width] for i in range(0, len(values), width)]


def _tool(robot: JudgedRobot, parameters: SafetyFilterParameters) -> list[JudgedBody]:
    link = parameters.tool.link
    if link and link not in robot.group:
        raise ParameterError(f"tool.link: {link!r} is not a link of the URDF; it has {', '.join(robot.group)}")
    return [
        capsule(link, np.array(row[:3]), np.array(row[3:6]), row[6]) for row in _groups_of(parameters.tool.capsules, 7)
    ]


def _allowed(robot: JudgedRobot, pairs: Sequence[str], srdf: str) -> set[frozenset[str]]:
    found = set()
    for pair in pairs:
        links = pair.split()
        unknown = [link for link in links if link not in robot.group]
        if len(links) != 2 or unknown:
            raise ParameterError(f"self_collision.allowed: {pair!r}: expected two links of the URDF")
        found.add(frozenset(links))
    if srdf:
        try:
            root = ElementTree.fromstring(Path(srdf).read_text())
        except (OSError, ElementTree.ParseError) as error:
            raise ParameterError(f"self_collision.srdf: {srdf}: {error}") from None
        found |= {
            frozenset((str(entry.get("link1")), str(entry.get("link2")))) for entry in root.iter("disable_collisions")
        }
    return found
