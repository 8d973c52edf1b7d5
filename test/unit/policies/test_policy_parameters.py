"""Options of the policies that ship."""

import pytest

from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.policy_parameters import CompactParameters, MotionParameters


def test_limits_are_a_share_of_the_velocities_of_the_urdf() -> None:
    motion = from_mapping(MotionParameters, {"velocity_share": 0.25})
    velocity, acceleration, jerk = motion.arm_limits([2.0] * 7)
    assert velocity == [0.5] * 7
    assert len(acceleration) == len(jerk) == 7


def test_limits_for_another_number_of_joints_are_refused_with_both_numbers() -> None:
    motion = from_mapping(MotionParameters, {"jerk_rad_s3": [100.0]})
    with pytest.raises(ParameterError, match=r"motion\.jerk_rad_s3: has 1 values, but 7 joints move the tool"):
        motion.arm_limits([2.0] * 7)


@pytest.mark.parametrize(("key", "value"), [("euler_steps", 0), ("noise", 1.5), ("hysteresis", -0.1)])
def test_an_option_of_compact_out_of_bounds_is_refused_by_name(key: str, value: float) -> None:
    with pytest.raises(ParameterError, match=rf"compact\.{key}: must be at"):
        from_mapping(CompactParameters, {key: value}, "compact.")
