"""What the policy of the campaign sends: a smooth swing, setpoint by setpoint, and the measured state that is handed on."""

from __future__ import annotations

import math
from dataclasses import dataclass

from vla_ros.sim.arm_description import HOME, JOINT_NAMES

PERIOD_S = 0.01
SWING_HZ = 0.8
SWING = {"joint1": 0.2, "joint6": 0.12, "joint7": 0.25}
"""Amplitudes, rad: well inside every limit and clear of everything from HOME on."""
FULL_SPEED_S = 1.0 / SWING_HZ
"""The swing has grown to its amplitude and passes its middle at its highest speed."""


@dataclass(frozen=True)
class Setpoint:
    """One message on vla/joint_command. positions: rad or m."""

    seq: int
    stamp_ns: int
    names: tuple[str, ...]
    positions: tuple[float, ...]
    source: str = "policy"

    def moved(self, **joints: float) -> tuple[float, ...]:
        """The positions with other values for some joints, rad or m."""
        return tuple(joints.get(name, q) for name, q in zip(self.names, self.positions, strict=True))


@dataclass(frozen=True)
class Measured:
    """One message on joint_states; rad or m, per s, N m or N."""

    names: tuple[str, ...]
    positions: tuple[float, ...]
    velocities: tuple[float, ...]
    efforts: tuple[float, ...] = ()

    def position(self, joint: str) -> float:
        """Of one joint, rad or m."""
        return self.positions[self.names.index(joint)]


def swing(elapsed_s: float) -> tuple[float, ...]:
    """Positions, in the order of JOINT_NAMES, of a swing about HOME that grows from nothing within one period."""
    share = min(1.0, elapsed_s / FULL_SPEED_S)
    grown = share**3 * (10.0 - 15.0 * share + 6.0 * share * share)
    phase = grown * math.sin(2.0 * math.pi * SWING_HZ * elapsed_s)
    return tuple(float(q) + SWING.get(name, 0.0) * phase for name, q in zip(JOINT_NAMES, HOME, strict=True))
