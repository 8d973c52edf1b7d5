"""Rule self_collision: the arm's bodies keep away from each other, except for pairs that may touch.

May touch: bodies of the same link or of links next to each other in the chain; pairs that the SRDF disables or the
configuration allows; pairs that overlap in every one of many configurations, which says nothing but that the bodies are drawn
larger than the links; and pairs that are proved to stay apart in the whole range of the joints between them.

The proof: in a box of joint positions with centre c and half widths h, a pair is nowhere nearer than its distance at c minus
reach.h. Boxes in which that is not enough are halved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.active_set import Row
from vla_ros.safety.geometry.arm_model import ArmModel, Array
from vla_ros.safety.geometry.clearance import TOLERANCE_M
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.safety_parameters import SelfCollision

NAME = "self_collision"
CONFIGURATIONS = 300
"""Tried for pairs that always overlap."""
PROVED_JOINTS = 3
BOXES = 1000
"""A proof is tried for pairs with few joints between them, and given up after this many boxes."""
_FOUND: dict[tuple[object, ...], list[bool]] = {}
"""By arm, pairs, margin and limits: which pairs need a row. A process that makes many filters looks for them once."""


def disabled(parameters: SelfCollision) -> list[tuple[str, str]]:
    """Pairs of links whose collisions the SRDF disables.

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


def allowed(arm: ArmModel, parameters: SelfCollision, srdf: Iterable[tuple[str, str]]) -> set[frozenset[str]]:
    """Pairs of links that may touch by configuration and SRDF.

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


def rows(
    arm: ArmModel, parameters: SelfCollision, limits: tuple[JointLimits, ...], srdf: Iterable[tuple[str, str]]
) -> Iterator[Row]:
    """Yield a row for each pair of bodies that must not touch. Only after these may `arm` be measured."""
    if not parameters.check:
        return
    may_touch = allowed(arm, parameters, srdf)
    pairs = []
    for i, k in combinations(range(len(arm.bodies)), 2):
        links = frozenset((arm.bodies[i].link, arm.bodies[k].link))
        if not arm.neighbours(i, k) and links not in may_touch and any(arm.reach(i, k)):
            pairs.append((i, k, arm.pair(arm.bodies[i].index, arm.bodies[k].index)))
    arm.ready()
    key = arm.source, tuple((i, k) for i, k, _ in pairs), parameters.margin_m, limits
    if key not in _FOUND:
        _FOUND[key] = _needed(arm, pairs, parameters.margin_m, limits)
    for (i, k, pair), needed in zip(pairs, _FOUND[key], strict=True):
        if needed:
            what = f"{arm.bodies[i].link} and {arm.bodies[k].link}"
            yield Row(NAME, what, pair, arm.reach(i, k), parameters.margin_m, parameters.slow_m)


def _needed(
    arm: ArmModel, pairs: Sequence[tuple[int, int, int]], margin_m: float, limits: tuple[JointLimits, ...]
) -> list[bool]:
    """Which pairs (body, body, pair) neither always overlap nor are proved to stay apart."""
    lower, upper = np.array([j.lower for j in limits]), np.array([j.upper for j in limits])
    draw = np.random.default_rng(0)
    apart = np.zeros(len(pairs), bool)
    for _ in range(CONFIGURATIONS):
        arm.place(draw.uniform(lower, upper))
        apart |= np.array([arm.distance(pair) > 0.0 for _, _, pair in pairs], bool)
    return [
        bool(ever_apart) and not _always_apart(arm, pair, arm.reach(i, k), margin_m, (lower, upper))
        for (i, k, pair), ever_apart in zip(pairs, apart, strict=True)
    ]


def _always_apart(
    arm: ArmModel, pair: int, reach: Sequence[float], margin_m: float, limits: tuple[Array, Array]
) -> bool:
    """Whether a pair is proved to keep the margin wherever the joints are; False: not proved with few boxes."""
    lower, upper = limits
    joints = [i for i, each in enumerate(reach) if each]
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
        shrinks = [reach[joint] * h for joint, h in zip(joints, half, strict=True)]
        if sum(shrinks) > spare_m:
            widest = shrinks.index(max(shrinks))
            half[widest] /= 2
            for side in (-half[widest], half[widest]):
                moved = centre.copy()
                moved[widest] += side
                boxes.append((moved, half.copy()))
        if not boxes:
            return True
    return False
