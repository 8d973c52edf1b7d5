"""Faults of the arm's environment: obstacles, their feed, and a policy that drives the arm into something."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.cases.setpoints import push_for_a_while
from vla_ros.lab.faults.reaction import MOVING, ExpectedReaction
from vla_ros.lab.faults.rest_bounds import RestBounds
from vla_ros.lab.faults.rig import FaultRig
from vla_ros.safety.geometry.obstacle_shape import HUMAN, Obstacle


def send_obstacles(*obstacles: Obstacle) -> Callable[[FaultRig], None]:
    """Let the feed send these obstacles from now on."""

    def inject(rig: FaultRig) -> None:
        rig.obstacles = obstacles

    return inject


def ball(x: float, y: float, z: float, frame: str = "base") -> Obstacle:
    """Return a ball with a radius of 10 cm."""
    return Obstacle("ball", frame, "sphere", (0.1,), (x, y, z))


def silence_feed(rig: FaultRig) -> None:
    """Let the feed send nothing any more."""
    rig.obstacles = None


def cases(bounds: RestBounds) -> Iterator[FaultCase]:
    """Yield the cases of this file."""
    feed = ExpectedReaction(("obstacle",), rest_s=bounds.at_once + 0.05)
    yield FaultCase(
        "obstacle-on-the-arm",
        "a box around the hand",
        ExpectedReaction(("obstacle",), (*MOVING, "HOLDING", "STOPPING")),
        send_obstacles(Obstacle("box", "base", "box", (0.5, 0.5, 0.5), (0.35, 0.0, 0.25))),
    )
    yield FaultCase(
        "obstacle-stale",
        "no obstacles received any more",
        ExpectedReaction(("obstacle",), rest_s=bounds.at_once + bounds.obstacle_timeout),
        silence_feed,
    )
    yield FaultCase("obstacle-nan", "an obstacle at NaN", feed, send_obstacles(ball(math.nan, 0.0, 0.5)))
    yield FaultCase(
        "obstacle-frame", "an obstacle in an unknown frame", feed, send_obstacles(ball(1.0, 1.0, 0.5, "camera"))
    )
    yield FaultCase(
        "human-near",
        "a human 0.4 m from the hand, whose velocity is not told",
        ExpectedReaction(("separation",), (*MOVING, "HOLDING", "STOPPING")),
        send_obstacles(Obstacle("human", "base", "sphere", (0.1,), (0.95, 0.0, 0.4), kind=HUMAN)),
    )
    for rule, what, joints in (
        ("table", "the policy drives the hand into the table", {"joint2": 1.0}),
        ("fence", "the policy drives the hand through the fence", {"joint1": -1.0}),
        ("keep_out", "the policy drives the hand into a keep-out box", {"joint1": 1.0}),
        ("self_collision", "the policy folds the arm into itself", {"joint4": -1.0, "joint6": -1.0}),
    ):
        yield FaultCase(
            f"into-{rule.replace('_', '-')}", what, ExpectedReaction((rule,), MOVING), push_for_a_while(**joints)
        )
