"""A filter on the simulated arm with everything around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import yaml

from test.unit.safety.perfect_arm import PerfectArm
from vla_ros.parameters import flattened, from_mapping, nested
from vla_ros.robot.kinematics import Kinematics
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.verdict import Verdict
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

URDF = urdf()
NO_EFFORT = URDF.replace('upper="-0.0698" velocity="2.175" effort="87"', 'upper="-0.0698" velocity="2.175" effort="0"')
OFF = {
    "fence.box": [],
    "table.height_m": [],
    "self_collision.check": False,
    "effort.check": False,
    "cartesian_speed.limit_m_s": 0.0,
}
AHEAD = Obstacle("post", "base", "box", (0.1, 0.1, 1.4), (0.75, 0.0, 0.7))
"""In front of the hand, which is at x = 0.37 at home."""


def parameters(**changes: Any) -> SafetyFilterParameters:
    """The simulator's configuration with changes given as {"fence.box": [...]}; setpoints are stamped when they are sent."""
    blocks = yaml.safe_load(Path("config/sim.yaml").read_text())
    mapping = {**blocks["/**"]["ros__parameters"], **blocks["safety_filter"]["ros__parameters"]}
    alone = {"safety_monitor.timeout_s": 0.0, "command.delay_s": 0.028}
    return from_mapping(SafetyFilterParameters, nested({**flattened(mapping), **alone, **changes}))


class Arm(PerfectArm):
    """A filter with its surroundings, a perfect arm; obstacles are heard in every tick."""

    def __init__(self, **changes: Any) -> None:
        self.parameters = parameters(**changes)
        super().__init__(SafetyFilter.from_urdf(self.parameters, URDF), HOME.tolist())
        self.efforts: Sequence[float] = ()
        self.obstacles: list[Obstacle] | None = [] if self.parameters.obstacle.timeout_s else None

    def armed(self) -> Self:
        """Armed, and past the ticks in which a stream begins."""
        super().armed()
        if self.filter.values.entry_ticks:
            self.tick(self.filter.values.entry_ticks)
        return self

    def measure(self) -> None:
        self.filter.joint_state(self.now_ns, JOINT_NAMES, self.q, [0.0] * 8, self.efforts)
        if self.obstacles is not None:
            self.filter.obstacles(self.now_ns, self.obstacles)

    def command(self, positions: Sequence[float], due_ns: int, channel: str) -> Verdict | None:
        return self.filter.command(
            Setpoint(
                channel,
                channel,
                next(self._seq),
                due_ns,
                self.now_ns - due_ns,
                self.now_ns,
                JOINT_NAMES,
                list(positions),
            )
        )

    def towards(self, goal: Sequence[float], ticks: int, channel: str = "policy", speed: float = 0.8) -> set[str]:
        """Stream a straight line to a goal at 100 Hz, waiting where the arm does not follow; the rules that acted."""
        rules, begin_ns, sent = set(), self.now_ns, 0
        setpoint = list(self.q)
        for _ in range(ticks):
            while begin_ns + sent * 10_000_000 <= self.now_ns:
                if max(abs(s - q) for s, q in zip(setpoint, self.q, strict=True)) < 0.1:
                    steps = (max(-speed, min(speed, (g - s) * 5)) * 0.01 for g, s in zip(goal, setpoint, strict=True))
                    setpoint = [s + step for s, step in zip(setpoint, steps, strict=True)]
                self.command(setpoint, begin_ns + sent * 10_000_000, channel)
                sent += 1
            verdict = self.tick().verdict
            if verdict is not None:
                rules.add(verdict.rule)
        return rules

    def tool(self) -> np.ndarray:
        """(3,) where the finger pads are, m."""
        pose: np.ndarray = Kinematics(URDF, JOINT_NAMES[:7]).forward(np.array(self.q[:7]))
        return pose[:3, 3]


def forward(q: Sequence[float], by: float) -> list[float]:
    """Home, leaned forward: the hand goes ahead."""
    goal = list(q)
    goal[1] += by
    goal[3] += by
    return goal


OBSTACLE = {**OFF, "obstacle.timeout_s": 0.2}
