"""Robots that the campaign drives: limits alone."""

from __future__ import annotations

import random

from vla_ros.safety.joint.joint_limits import JointLimits

FRANKA = (
    JointLimits("j0", -2.8973, 2.8973, 2.175, 7.5, 750.0),
    JointLimits("j1", -1.7628, 1.7628, 2.175, 3.75, 375.0),
    JointLimits("j2", -2.8973, 2.8973, 2.175, 5.0, 500.0),
    JointLimits("j3", -3.0718, -0.0698, 2.175, 6.25, 625.0),
    JointLimits("j4", -2.8973, 2.8973, 2.61, 7.5, 750.0),
    JointLimits("j5", -0.0175, 3.7525, 2.61, 10.0, 1000.0),
    JointLimits("j6", -2.8973, 2.8973, 2.61, 10.0, 1000.0),
    JointLimits("j7", 0.0, 0.04, 0.1, 1.0, 50.0),
)
ZONED = tuple(
    JointLimits(j.name, j.lower, j.upper, j.velocity, j.acceleration, j.jerk, zone, slow)
    for j, zone, slow in zip(FRANKA[:4], (0.5, 0.3, 1.0, 0.2), (0.0, 0.2, 0.05, 1.0), strict=True)
)


def random_robot(draw: random.Random) -> tuple[JointLimits, ...]:
    """Slow and fast, stiff and soft, wide and narrow joints, some with slow zones."""
    limits = []
    for i in range(draw.randint(1, 7)):
        lower, width = draw.uniform(-3.0, 2.0), 10 ** draw.uniform(-1.7, 0.7)
        velocity, acceleration = 10 ** draw.uniform(-1.3, 0.8), 10 ** draw.uniform(-0.7, 1.8)
        jerk = acceleration * 10 ** draw.uniform(0.5, 3.0)
        zone = draw.choice((0.0, 0.0, width * draw.random()))
        limits.append(
            JointLimits(
                f"j{i}", lower, lower + width, velocity, acceleration, jerk, zone, zone and velocity * draw.random()
            )
        )
    return tuple(limits)
