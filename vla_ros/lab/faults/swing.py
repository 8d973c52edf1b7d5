"""The motion that the policy of the campaign asks for: a smooth swing about HOME."""

from __future__ import annotations

import math

from vla_ros.sim.arm_description import HOME, JOINT_NAMES

PERIOD_S = 0.01
"""From setpoint to setpoint."""
LEAD_NS = 24_000_000
"""Setpoints are stamped so far ahead, as by the action expert of config/sim.yaml."""
SWING_HZ = 0.8
AMPLITUDES = {"joint1": 0.2, "joint6": 0.12, "joint7": 0.25}
"""rad: well inside every limit and clear of everything from HOME on."""
FULL_SPEED_S = 1.0 / SWING_HZ
"""After one period the swing has its full amplitude and passes its middle at its highest speed."""


def swing(elapsed_s: float) -> tuple[float, ...]:
    """Return the positions, in the order of JOINT_NAMES, rad or m. The amplitude grows from 0 within one period."""
    share = min(1.0, elapsed_s / FULL_SPEED_S)
    amplitude = share**3 * (10.0 - 15.0 * share + 6.0 * share * share)
    offset = amplitude * math.sin(2.0 * math.pi * SWING_HZ * elapsed_s)
    return tuple(float(q) + AMPLITUDES.get(name, 0.0) * offset for name, q in zip(JOINT_NAMES, HOME, strict=True))
