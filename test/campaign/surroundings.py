"""The simulated arm among things that it must not touch: every output, and what lies between two, judged by the oracle."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from test.campaign.arm import SIGNAL_TIMEOUT_NS, Arm, parameters
from vla_ros.oracle.live.obstacle_bodies import obstacle_body
from vla_ros.oracle.oracle import Oracle
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.joint.joint_limits import joint_limits
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

URDF = urdf()
LIMITS = {
    "limits.acceleration": [7.5, 3.75, 5.0, 6.25, 7.5, 10.0, 10.0, 1.0],
    "limits.jerk": [750.0, 375.0, 500.0, 625.0, 750.0, 1000.0, 1000.0, 50.0],
    "obstacle.timeout_s": SIGNAL_TIMEOUT_NS / 1e9,
}
BETWEEN = (0.25, 0.5, 0.75, 1.0)
"""Where between two outputs the arm is looked at."""
CLEAR_M = 0.012
"""Obstacles are put at least so much beyond their margin from the arm at rest, so that it may be armed."""


def random_surroundings(draw: random.Random) -> dict[str, Any]:
    """Some of: a fence, a table, boxes to keep out of, self-collision, efforts, a tool; with margins and slow zones."""
    changes: dict[str, Any] = dict(LIMITS)
    if draw.random() < 0.7:
        size = [draw.uniform(0.45, 0.9) for _ in range(4)]
        changes["fence.box"] = [-size[0], -size[1], -0.06, size[2], size[3], draw.uniform(0.85, 1.3)]
        changes["fence.planes"] = [1.0, draw.uniform(-0.5, 0.5), 1.0, draw.uniform(1.5, 1.8)]
        changes["fence.margin_m"] = draw.choice((0.0, 0.01))
        changes["fence.slow_m"] = draw.choice((0.0, 0.05, 0.2))
    if draw.random() < 0.7:
        changes["table.height_m"] = [draw.uniform(-0.05, 0.05)]
        changes["table.margin_m"] = draw.choice((0.0, 0.005))
        changes["table.slow_m"] = draw.choice((0.0, 0.1))
    if draw.random() < 0.7:
        changes["keep_out.boxes"] = [x for _ in range(draw.randint(1, 3)) for x in _keep_out(draw)]
        changes["keep_out.margin_m"] = draw.choice((0.0, 0.02))
        changes["keep_out.slow_m"] = draw.choice((0.0, 0.05))
    changes["self_collision.check"] = draw.random() < 0.7
    changes["self_collision.margin_m"] = draw.choice((0.0, 0.005))
    changes["self_collision.allowed"] = ["left_finger right_finger"]
    changes["effort.check"] = draw.random() < 0.3
    changes["obstacle.margin_m"] = draw.choice((0.0, 0.02))
    changes["obstacle.slow_m"] = draw.choice((0.0, 0.1))
    if draw.random() < 0.3:
        changes["tool.link"] = "hand"
        changes["tool.capsules"] = [0.0, 0.0, 0.1, 0.0, draw.uniform(0.0, 0.1), 0.2, 0.015]
    return changes


def random_obstacle(draw: random.Random, name: str) -> Obstacle:
    """Somewhere within the arm's reach."""
    shape = draw.choice(("box", "sphere", "capsule"))
    size = {
        "box": tuple(draw.uniform(0.03, 0.3) for _ in range(3)),
        "sphere": (draw.uniform(0.02, 0.12),),
        "capsule": (draw.uniform(0.02, 0.06), draw.choice((0.0, draw.uniform(0.05, 0.5)))),
    }[shape]
    xyz = draw.uniform(-0.7, 0.8), draw.uniform(-0.7, 0.7), draw.uniform(0.0, 1.1)
    turn = np.array([draw.gauss(0, 1) for _ in range(4)])
    x, y, z, w = (turn / np.linalg.norm(turn)).tolist()
    return Obstacle(name, "base", shape, size, xyz, (x, y, z, w))


solid = obstacle_body
"""The same for the oracle."""


class SurroundedArm(Arm):
    """The arm with its model. fed: whether obstacles are heard. spare: rule → least distance beyond its margin, m.

    judged: configurations. Args: changes: to the configuration, see `random_surroundings`.
    """

    def __init__(self, changes: dict[str, Any], keep: bool = False) -> None:
        limits = joint_limits(URDF, parameters(JOINT_NAMES, changes))
        super().__init__(limits, changes=changes, urdf=URDF, keep=keep)
        self.oracle = Oracle(URDF, self.parameters)
        self.q = HOME.tolist()
        self.fed = True
        self.obstacles: list[Obstacle] = []
        self.spare: dict[str, float] = {}
        self.judged = 0
        self._path: list[list[float]] = []
        self._heard_ns = 0

    def hear(self) -> None:
        if self.fed:
            assert self.filter.obstacles(self.now_ns, self.obstacles) is None
            self._heard_ns = self.now_ns
        self._path.append(self.q)

    def forbidden(self) -> bool:
        return super().forbidden() or self.now_ns - self._heard_ns > SIGNAL_TIMEOUT_NS

    def again(self) -> None:
        self.fed = True
        super().again()

    def clearances(self, q: NDArray[np.float64], obstacles: Sequence[Obstacle]) -> dict[str, tuple[float, str]]:
        """Rule → least distance beyond its margin, m, and whose, over configurations (N, joints)."""
        found = self.oracle.clearances(q, [solid(obstacle) for obstacle in obstacles])
        return {each.rule: (each.distance_m - each.margin_m, each.what) for each in found}

    def surround(self, draw: random.Random, count: int) -> None:
        """Put other obstacles where they are not in the way of the arm at rest; judge what was before."""
        assert self.at_rest, "obstacles are changed only at rest: one that comes to the arm is not judged here"
        self.examine()
        self.obstacles = []
        for i in range(count):
            obstacle = random_obstacle(draw, f"o{i}")
            if all(spare > CLEAR_M for spare, _ in self.clearances(np.array([self.q]), [obstacle]).values()):
                self.obstacles.append(obstacle)

    def examine(self) -> None:
        """Judge the path since the last time.

        Raises:
            AssertionError: the arm was too near to something.
        """
        self.judge.finish()
        path = np.array([*self._path, self.q])
        self._path = []
        steps = path[1:] - path[:-1]
        moving = steps.any(axis=1)
        begin, step = path[:-1][moving], steps[moving]
        if not len(step):
            return
        q = np.concatenate([begin + share * step for share in BETWEEN])
        self.judged += len(q)
        for rule, (spare, what) in self.clearances(q, self.obstacles).items():
            self.spare[rule] = min(self.spare.get(rule, np.inf), spare)
            assert spare >= 0.0, f"{rule}: {what}: {-spare * 1e3:.4f} mm past its margin"


def wander(arm: SurroundedArm, draw: random.Random, _: int) -> list[float]:
    """An aim of the adversary: full speed towards a configuration anywhere, which changes now and then."""
    if draw.random() < 0.02:
        arm.wave = [draw.uniform(joint.lower, joint.upper) for joint in arm.limits], 1.0, 0.0
    goal = arm.wave[0]
    return [q + max(-r, min(r, g - q)) for q, r, g in zip(arm.q, arm.reach, goal, strict=True)]


def _keep_out(draw: random.Random) -> list[float]:
    angle = draw.uniform(-3.0, 3.0)
    distance = draw.uniform(0.4, 0.8)
    centre = [distance * np.cos(angle), distance * np.sin(angle), draw.uniform(0.0, 0.8)]
    size = [draw.uniform(0.05, 0.3) for _ in range(3)]
    return [float(x) for x in (*centre, *size, *(draw.uniform(-1.0, 1.0) for _ in range(3)))]
