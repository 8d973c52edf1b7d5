"""The acceleration limit is the same on both sides, whatever the joint does."""

from __future__ import annotations

import pytest

from vla_ros.safety.joint.acceleration_limit import NAME, AccelerationLimit
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.joint_motion import JointMotion, JointOutput


@pytest.mark.parametrize(("v", "a", "max_speed"), [(0, 0, 6), (5, -3, 6), (-6, 3, 1)])
def test_the_bounds_are_the_limit_on_both_sides(v: int, a: int, max_speed: int) -> None:
    assert AccelerationLimit(TickLimits(0, 24, 6, 3, 1)).acceleration_bounds(v, a, max_speed) == (-3, 3)


def test_a_target_that_only_the_acceleration_limit_forbids_is_named_after_it() -> None:
    """A jerk limit that allows all, a target that is one more than the acceleration limit away."""
    motion = JointMotion(TickLimits(-1000, 1000, 100, 3, 50))
    joint = JointOutput()
    assert motion.follow(joint, 4, 4, 100) == NAME
    assert joint.a <= 3
