"""A rig without a graph: it records what a case does to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.cases import all_cases
from vla_ros.lab.faults.graphs import bounds
from vla_ros.lab.faults.rig_messages import RigJointState, RigSetpoint
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

POSITIONS = tuple(map(float, HOME))
CASES = {case.name: case for case in all_cases(bounds())}


class FakeRig:
    """Keeps the attributes that a case sets and the calls that it makes, in order."""

    def __init__(self) -> None:
        self.alter_setpoint: Any = None
        self.alter_joint_state: Any = None
        self.policy_active = self.camera_frozen = self.controller_silent = False
        self.controller_scaling = 1.0
        self.heartbeat_active = self.deadman_held = True
        self.enabling = 1
        self.obstacles: Any = ()
        self.joint_state = RigJointState(JOINT_NAMES, POSITIONS, (0.0,) * len(JOINT_NAMES), (1.0,) * len(JOINT_NAMES))
        self.state, self.rule = "TRACKING", ""
        self.overrides: list[Any] = []
        self.calls: list[tuple[Any, ...]] = []

    def run_for(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        self.calls.append(("run_for", seconds))
        return until()

    def call_filter(self, service: str) -> tuple[bool, str]:
        self.calls.append(("call_filter", service))
        return True, "other limits"

    def set_override(self, alter: Any) -> None:
        self.overrides.append(alter)

    def count_publishers(self) -> int:
        return 1

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments: self.calls.append((name, *arguments))

    def named(self, *names: str) -> list[tuple[Any, ...]]:
        """Return the calls with these names."""
        return [call for call in self.calls if call[0] in names]


def injected(name: str) -> FakeRig:
    """Return a rig into which a case has injected its fault."""
    rig, case = FakeRig(), CASES[name]
    assert isinstance(case, FaultCase)
    case.inject(rig)  # type: ignore[arg-type]
    return rig


def correct_setpoint(seq: int = 1, stamp_ns: int = 10**9) -> RigSetpoint:
    """Return a setpoint at home."""
    return RigSetpoint(seq, stamp_ns, JOINT_NAMES, POSITIONS)
