"""Faults of what is around the arm: obstacles, their feed, and a policy that drives into things."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from vla_ros.lab.faults.case import MOVING, Case, Expected
from vla_ros.lab.faults.cases.setpoints import against
from vla_ros.lab.faults.rig import Rig
from vla_ros.lab.faults.times import Times
from vla_ros.safety.geometry.obstacle_shape import Obstacle


def shown(*obstacles: Obstacle) -> Callable[[Rig], None]:
    """From now on, the feed says this."""

    def inject(rig: Rig) -> None:
        rig.obstacles = obstacles

    return inject


def ball(x: float, y: float, z: float, frame: str = "base") -> Obstacle:
    """A ball of 10 cm."""
    return Obstacle("ball", frame, "sphere", (0.1,), (x, y, z))


def unheard(rig: Rig) -> None:
    """The feed falls silent."""
    rig.obstacles = None


def cases(t: Times) -> Iterator[Case]:
    """The cases of this file."""
    feed = Expected(("obstacle",), rest_s=t.at_once + 0.05)
    yield Case(
        "obstacle-on-the-arm",
        "a box around the hand",
        Expected(("obstacle",), (*MOVING, "HOLDING", "STOPPING")),
        shown(Obstacle("box", "base", "box", (0.5, 0.5, 0.5), (0.35, 0.0, 0.25))),
    )
    yield Case(
        "obstacle-stale",
        "no obstacles heard any more",
        Expected(("obstacle",), rest_s=t.at_once + t.obstacles),
        unheard,
    )
    yield Case("obstacle-nan", "an obstacle at NaN", feed, shown(ball(math.nan, 0.0, 0.5)))
    yield Case("obstacle-frame", "an obstacle in an unknown frame", feed, shown(ball(1.0, 1.0, 0.5, "camera")))
    for rule, what, joints in (
        ("table", "the policy drives the hand into the table", {"joint2": 1.0}),
        ("fence", "the policy drives the hand through the fence", {"joint1": -1.0}),
        ("keep_out", "the policy drives the hand into a keep-out box", {"joint1": 1.0}),
        ("self_collision", "the policy folds the arm into itself", {"joint4": -1.0, "joint6": -1.0}),
    ):
        yield Case(f"into-{rule.replace('_', '-')}", what, Expected((rule,), MOVING), against(**joints))
