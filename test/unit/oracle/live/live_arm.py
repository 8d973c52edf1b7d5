"""The simulated arm with a second opinion: what the filter sends is told to the judge as a controller hears it."""

from __future__ import annotations

from typing import Any

import numpy as np

from test.unit.safety.simulated_arm import URDF, Arm
from vla_ros.oracle.live.live_judge import LiveJudge
from vla_ros.oracle.live.obstacle_bodies import obstacle_body
from vla_ros.oracle.live.sent_stream import SentMessage
from vla_ros.safety.decision import Decision
from vla_ros.sim.arm_description import JOINT_NAMES

LOOK_TICKS = 5
"""50 Hz."""


class LiveArm(Arm):
    """faults: what the judge said, look by look. judging: whether it looks."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**changes)
        self.judge = LiveJudge(URDF, self.parameters, {"arm": JOINT_NAMES}, 0.01)
        self.faults: list[str] = []
        self._number = 0

    def tick(self, count: int = 1) -> Decision:
        for _ in range(count):
            decision = super().tick()
            self.judge.measured(self.now_ns, self.now_ns, JOINT_NAMES, self.q)
            if decision.positions is not None:
                self._number += 1
                self.judge.sent("arm", SentMessage(self._number, self.now_ns, 0, (0,), np.array([decision.positions])))
            if self.filter.ticks % LOOK_TICKS == 0:
                self.judge.obstacles(self.now_ns, {each.id: obstacle_body(each) for each in self.obstacles or []})
                fault = self.judge.judge(self.now_ns, self.now_ns)
                if fault:
                    self.faults.append(fault)
        return decision
