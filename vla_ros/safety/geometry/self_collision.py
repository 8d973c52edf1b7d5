"""Self-collision: the arm's bodies keep away from each other, except for pairs that may touch.

May touch: bodies of the same link or of links next to each other in the chain; pairs that the SRDF disables or the
configuration allows; pairs that overlap in every one of many configurations, which says nothing but that the bodies are drawn
larger than the links; and pairs that are proved to stay apart in the whole range of the joints between them.

The proof: in a box of joint positions with centre c and half widths h, a pair is nowhere nearer than its distance at c minus
w.h, with w its lever arm bounds:  distance(c) - w.h >= margin. Boxes in which that is not enough are halved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.active_set import DistancePair
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.clearance import TOLERANCE_M
from vla_ros.safety.geometry_parameters import SelfCollisionParameters
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import DistanceRule, RuleCode
from vla_ros.safety.safety_parameters import SafetyFilterParameters

NAME = "self_collision"
CONFIGURATIONS = 300
"""Tried for pairs that always overlap."""
PROVED_JOINTS = 3
BOXES = 1000
"""A proof is tried for pairs with few joints between them, and given up after this many boxes."""
_CHECKED_PAIRS: dict[tuple[object, ...], list[bool]] = {}
"""By arm, pairs, margin and limits: which pairs must be checked. A process that makes many filters looks for them once."""


def disabled_pairs(parameters: SelfCollisionParameters) -> list[tuple[str, str]]:
    """Return the pairs of links whose collisions the SRDF disables.

    Raises:
        ParameterError: it cannot be read.
    """
    if not parameters.srdf:
        return []
    try:
        root = ElementTree.fromstring(Path(parameters.srdf).read_text())
    except (OSError, ValueError, ElementTree.ParseError) as error:
        raise ParameterError(f"self_collision.srdf: {parameters.srdf} cannot be read: {error}") from None
    return [(str(e.get("link1")), str(e.get("link2"))) for e in root.iter("disable_collisions")]


def allowed_pairs(
    arm: ArmModel, parameters: SelfCollisionParameters, srdf: Iterable[tuple[str, str]]
) -> set[frozenset[str]]:
    """Return the pairs of links that may touch by configuration and SRDF.

    Raises:
        ParameterError: a pair is not two links of the arm.
    """
    links = {body.link for body in arm.bodies}
    pairs = set()
    for text in parameters.allowed:
        pair = frozenset(text.split())
        if len(pair) != 2 or not pair <= links:
            raise ParameterError(
                f"self_collision.allowed: {text!r} is not two links with bodies; there are {', '.join(sorted(links))}"
            )
        pairs.add(pair)
    return pairs | {frozenset(pair) for pair in srdf}


class SelfCollision(DistanceRule):
    """The distance of every two bodies that must not touch is at least the margin.

    srdf: pairs of links that may touch besides those of the configuration; None: those of the configured file.

    Args: parameters: `self_collision`. limits: of the joints. arm: not used.
    """

    NAME, CODE = NAME, RuleCode.SELF_COLLISION

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self.srdf: Sequence[tuple[str, str]] | None = None
        self._parameters = parameters.self_collision
        self._limits = tuple(limits)

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return parameters.self_collision.check

    def distance_pairs(self, arm: ArmModel) -> Iterator[DistancePair]:
        """Yield each pair of bodies that must not touch. All other shapes and pairs must have been added to `arm` before."""
        parameters, limits = self._parameters, self._limits
        if self.srdf is None:
            self.srdf = disabled_pairs(parameters)
        may_touch = allowed_pairs(arm, parameters, self.srdf)
        pairs = []
        for i, k in combinations(range(len(arm.bodies)), 2):
            links = frozenset((arm.bodies[i].link, arm.bodies[k].link))
            if not arm.adjacent(i, k) and links not in may_touch and any(arm.lever_arm_bounds(i, k)):
                pairs.append((i, k, arm.add_pair(arm.bodies[i].index, arm.bodies[k].index)))
        arm.finish_pairs()
        key = arm.fingerprint, tuple((i, k) for i, k, _ in pairs), parameters.margin_m, limits
        if key not in _CHECKED_PAIRS:
            _CHECKED_PAIRS[key] = _must_be_checked(arm, pairs, parameters.margin_m, limits)
        for (i, k, pair), checked in zip(pairs, _CHECKED_PAIRS[key], strict=True):
            if checked:
                description = f"{arm.bodies[i].link} and {arm.bodies[k].link}"
                lever_arm_bounds = arm.lever_arm_bounds(i, k)
                yield DistancePair(NAME, description, pair, lever_arm_bounds, parameters.margin_m, parameters.slow_m)


def _must_be_checked(
    arm: ArmModel, pairs: Sequence[tuple[int, int, int]], margin_m: float, limits: tuple[JointLimits, ...]
) -> list[bool]:
    """Return which pairs (body, body, pair) neither always overlap nor are proved to stay apart."""
    lower, upper = np.array([j.lower for j in limits]), np.array([j.upper for j in limits])
    generator = np.random.default_rng(0)
    apart = np.zeros(len(pairs), bool)
    for _ in range(CONFIGURATIONS):
        arm.place(generator.uniform(lower, upper))
        apart |= np.array([arm.distance(pair) > 0.0 for _, _, pair in pairs], bool)
    return [
        bool(ever_apart) and not _always_apart(arm, pair, arm.lever_arm_bounds(i, k), margin_m, (lower, upper))
        for (i, k, pair), ever_apart in zip(pairs, apart, strict=True)
    ]


def _always_apart(
    arm: ArmModel, pair: int, lever_arm_bounds: Sequence[float], margin_m: float, limits: tuple[Array, Array]
) -> bool:
    """Return whether a pair is proved to keep the margin wherever the joints are; False: not proved with few boxes."""
    lower, upper = limits
    joints = [i for i, each in enumerate(lever_arm_bounds) if each]
    if len(joints) > PROVED_JOINTS:
        return False
    q = (lower + upper) / 2
    boxes = [(q[joints].tolist(), ((upper - lower) / 2)[joints].tolist())]
    for _ in range(BOXES):
        centre, half = boxes.pop()
        q[joints] = centre
        arm.place(q)
        spare_m = arm.distance(pair) - TOLERANCE_M - margin_m
        if spare_m < 0.0:
            return False
        shrinks = [lever_arm_bounds[joint] * h for joint, h in zip(joints, half, strict=True)]
        if sum(shrinks) > spare_m:
            widest = shrinks.index(max(shrinks))
            half[widest] /= 2
            for side in (-half[widest], half[widest]):
                shifted = centre.copy()
                shifted[widest] += side
                boxes.append((shifted, half.copy()))
        if not boxes:
            return True
    return False
