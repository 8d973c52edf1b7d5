"""A Franka-like arm for the filter's tests: published limits, half the acceleration, a tenth of the jerk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from test.unit.safety.perfect_arm import PerfectArm
from vla_ros.parameters import flattened, from_mapping, nested
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.decision import Decision
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.joint.joint_limits import joint_limits
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.verdict import Verdict

JOINTS = [f"joint{i}" for i in range(1, 8)] + ["finger_joint"]
LOWER = [-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973, 0.0]
UPPER = [2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973, 0.04]
VELOCITY = [2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61, 0.1]
HOME = [0.0, -0.5, 0.0, -2.0, 0.0, 1.6, 0.8, 0.02]
CLOCKS_APART_NS = 1_700_000_000_000_000_000

MAPPING: dict[str, Any] = {
    "joint_names": JOINTS,
    "limits": {
        "acceleration": [7.5, 3.75, 5.0, 6.25, 7.5, 10.0, 10.0, 1.0],
        "jerk": [750.0, 375.0, 500.0, 625.0, 750.0, 1000.0, 1000.0, 50.0],
    },
    "command": {
        "period_s": 0.01,
        "delay_s": 0.022,
        "timeout_s": 0.06,
        "max_age_s": 0.1,
        "max_lead_s": 0.05,
        "step": [0.2] * 7 + [0.04],
    },
    "measured": {
        "timeout_s": 0.1,
        "position_tolerance": [0.001] * 7 + [0.002],
        "tracking_error": [0.15] * 7 + [0.05],
        "rest_velocity": [0.02] * 7 + [0.01],
    },
    "override": {"speed_scale": 0.25},
    "controller": {"type": "forward_position", "topic": "arm_controller/commands"},
}


def urdf() -> str:
    """The arm as a URDF: joints and limits, nothing else."""
    joints = "".join(
        f'<joint name="{name}" type="{"prismatic" if name == "finger_joint" else "revolute"}">'
        f'<limit lower="{lower}" upper="{upper}" velocity="{velocity}" effort="87"/></joint>'
        for name, lower, upper, velocity in zip(JOINTS, LOWER, UPPER, VELOCITY, strict=True)
    )
    return f'<robot name="arm">{joints}</robot>'


class Bench(PerfectArm):
    """A filter, a perfect arm, and whoever commands it; the arm is measured where it is, unless `measured` says otherwise."""

    def __init__(self, changes: dict[str, Any]) -> None:
        mapping = nested({**flattened(MAPPING), **changes})
        self.parameters = from_mapping(SafetyFilterParameters, mapping)
        self.limits = joint_limits(urdf(), self.parameters)
        super().__init__(SafetyFilter(self.parameters, self.limits), HOME)
        self.measured: Callable[[list[float]], list[float] | None] = lambda q: q

    def measure(self) -> None:
        positions = self.measured(list(self.q))
        if positions is not None:
            self.filter.joint_state(self.now_ns, JOINTS, positions, [0.0] * len(JOINTS))

    def command(self, positions: list[float], **changes: Any) -> Verdict | None:
        """Offer a setpoint that arrives now, 1 ms after its stamp."""
        age_ns = changes.pop("age_ns", 1_000_000)
        fields: dict[str, Any] = {
            "channel": "policy",
            "source": changes.get("channel", "policy"),
            "seq": changes.pop("seq", None) or next(self._seq),
            "stamp_ns": self.now_ns + CLOCKS_APART_NS - age_ns,
            "age_ns": age_ns,
            "receive_ns": self.now_ns,
            "joint_names": JOINTS,
            "positions": positions,
        }
        return self.filter.command(Setpoint(**{**fields, **changes}))

    def stream(self, path: Callable[[float], list[float]], seconds: float, **changes: Any) -> list[Decision]:
        """Command path(t) at 100 Hz, t from 0, and return the decisions of that time."""
        first, start_ns, sent = len(self.decisions), self.now_ns, 0
        while self.now_ns - start_ns < seconds * 1e9:
            while sent * 10_000_000 <= self.now_ns - start_ns:
                due_ns = start_ns + sent * 10_000_000
                self.command(
                    path(sent * 0.01), stamp_ns=due_ns + CLOCKS_APART_NS, age_ns=self.now_ns - due_ns, **changes
                )
                sent += 1
            self.tick()
        return self.decisions[first:]


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    """Make a bench; changes are given as {"command.timeout_s": 0.1}."""
    return lambda changes=None: Bench(changes or {})


@pytest.fixture
def bench() -> Bench:
    """An armed filter that holds HOME."""
    return Bench({}).armed()
