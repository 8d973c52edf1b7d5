"""Does an arm that is pushed against what it must keep away from slide along it? `python -m vla_ros.lab.bench.sliding`.

A stream pushes the arm against one boundary and meanwhile asks it to go to and fro along it. Another one pushes as well, and
moves all other joints as the adversarial stream does. No other distance is kept.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.lab.bench.adversary import Adversary
from vla_ros.lab.bench.filter_rig import START, FilterRig, full_configuration, with_unlimited_steps, without_rules
from vla_ros.safety.geometry.collision_constraints import HELD_BY
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.safety_parameters import SafetyFilterParameters

Target = Callable[[float], Sequence[float]]
"""Time of a setpoint, s → its positions, rad or m."""
STREAMS = ("push", "adversarial")
TICKS = 2500
"""10 s."""
ALONG_HZ, ALONG_RAD = 0.2, 0.5
"""The push goes to and fro like that with ALONG joints."""
APPROACH_S = 2.0
"""In this time the push goes from home to its goal, which lies beyond the boundary."""
NEAR_M = 0.02
"""A pair is near its margin where its distance beyond it is less."""


@dataclass(frozen=True)
class Boundary:
    """What the arm is pushed against.

    Args:
        name: of the rule. changes: its parameters. goal: joint → rad from home, beyond the boundary.
        along: joint that is to bring the arm along it. obstacles: in its way.
    """

    name: str
    changes: dict[str, object]
    goal: dict[int, float]
    along: int = 0
    obstacles: tuple[Obstacle, ...] = ()


BOUNDARIES = (
    Boundary("fence", {"box": [-0.7, -0.8, -0.05, 0.5, 0.8, 1.3]}, {1: 0.9, 3: 0.9}),
    Boundary("table", {"height_m": [0.0]}, {1: 1.55}),
    Boundary("keep_out", {"boxes": [0.65, 0.0, 0.3, 0.1, 1.6, 0.6, 0.0, 0.0, 0.0]}, {1: 1.5, 3: 1.5}),
    Boundary("self_collision", {"check": True}, {3: -1.2, 5: -1.5}),
    Boundary(
        "obstacle",
        {"timeout_s": 0.5},
        {1: 1.5, 3: 1.5},
        obstacles=(Obstacle("drum", "base", "sphere", (0.3,), (0.85, 0.0, 0.4)),),
    ),
)


@dataclass(frozen=True)
class Slide:
    """What came of one stream against one boundary.

    boundary, stream: which of BOUNDARIES and STREAMS. near: share of the ticks in which the nearest pair is near its margin.
    refused: share in which a distance refused the step, so that the whole arm braked. least_m, median_m: distance beyond the
    margin, over the ticks near it. along: way of the joint that goes along, of the way that was asked for; NaN: nothing was.
    """

    boundary: str
    stream: str
    refused: float
    near: float
    least_m: float
    median_m: float
    along: float


def measure_sliding(ticks: int = TICKS, seed: int = 1) -> list[Slide]:
    """Push the arm against each boundary with each stream."""
    return [measure(boundary, stream, ticks, seed) for boundary in BOUNDARIES for stream in STREAMS]


def measure(boundary: Boundary, stream: str, ticks: int, seed: int) -> Slide:
    """Run one stream against one boundary."""
    parameters, urdf = configuration(boundary)
    rig = FilterRig(parameters, urdf, boundary.obstacles)
    target = push(boundary) if stream == "push" else adversarial_push(boundary, Adversary(rig.filter.limits, seed))
    refused, spares, outputs, asked = 0, [], [rig.q], [START.tolist()]
    for _ in range(ticks):
        for at_s in rig.advance():
            asked.append(list(target(at_s)))
            rig.send_setpoint(at_s, asked[-1])
        rig.send_joint_state()
        rig.send_obstacles()
        verdict = rig.tick().verdict
        refused += verdict is not None and verdict.rule in HELD_BY and not verdict.reason.startswith("slowed")
        nearest = rig.filter.nearest()
        spares.append(math.inf if nearest is None else nearest.distance_m - nearest.pair.margin_m)
        outputs.append(rig.q)
    near = np.array([spare for spare in spares if spare < NEAR_M])
    along = math.nan
    if stream == "push":
        along = path(np.array(outputs)[:, boundary.along]) / path(np.array(asked)[:, boundary.along])
    least, median = (float(near.min()), float(np.median(near))) if len(near) else (math.nan, math.nan)
    return Slide(boundary.name, stream, refused / ticks, len(near) / ticks, least, median, along)


def configuration(boundary: Boundary) -> tuple[SafetyFilterParameters, str]:
    """Return config/sim.yaml with this boundary alone, and the URDF."""
    parameters, urdf = full_configuration()
    parameters = without_rules(parameters, "environment", "self_collision", "effort", "speed", "obstacle")
    group = dataclasses.replace(getattr(full_configuration()[0], boundary.name), **boundary.changes)
    return with_unlimited_steps(dataclasses.replace(parameters, **{boundary.name: group})), urdf


def push(boundary: Boundary) -> Target:
    """Return a stream that goes from home to the goal, stays there, and goes to and fro along the boundary all the time."""

    def target(time_s: float) -> list[float]:
        q: list[float] = START.tolist()
        for joint, offset in boundary.goal.items():
            q[joint] += offset * min(1.0, time_s / APPROACH_S)
        q[boundary.along] += ALONG_RAD * math.sin(2 * math.pi * ALONG_HZ * time_s)
        return q

    return target


def adversarial_push(boundary: Boundary, adversary: Adversary) -> Target:
    """Return a stream that goes from home to the goal with the goal's joints; the others go where the adversary says."""
    pushed = push(boundary)

    def target(time_s: float) -> list[float]:
        q, goal = adversary.target(time_s), pushed(time_s)
        return [goal[joint] if joint in boundary.goal else q[joint] for joint in range(len(q))]

    return target


def path(q: Array) -> float:
    """Length of the way of one joint, (t,) rad or m."""
    return float(np.abs(np.diff(q)).sum())


def table(slides: Sequence[Slide]) -> str:
    """Return the table of docs/safety.md."""
    lines = [
        "| boundary | stream | ticks near it | steps refused | least beyond the margin, mm | median, mm | way along it |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for each in slides:
        numbers = (f"{1e3 * each.least_m:.2f}", f"{1e3 * each.median_m:.2f}", f"{each.along:.0%}")
        shown = " | ".join("–" if number.startswith("nan") else number for number in numbers)
        lines.append(f"| {each.boundary} | {each.stream} | {each.near:.0%} | {each.refused:.1%} | {shown} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(measure_sliding()))
