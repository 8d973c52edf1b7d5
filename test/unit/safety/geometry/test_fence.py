"""The fence: which sides it has, and that the arm stays inside."""

from __future__ import annotations

import pytest

from test.unit.safety.simulated_arm import OFF, Arm, forward
from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry import fence
from vla_ros.safety.geometry_parameters import FenceParameters
from vla_ros.safety.states import State
from vla_ros.sim.arm_description import HOME


def test_a_box_has_six_sides_and_a_plane_is_normalised() -> None:
    sides = list(fence.sides(FenceParameters(box=[-1.0, -2.0, 0.0, 1.0, 2.0, 3.0], planes=[0.0, 3.0, 4.0, 10.0])))
    assert [(name, d) for name, _, d in sides[:2]] == [("x = -1", 1.0), ("x = 1", 1.0)]
    assert len(sides) == 7
    assert sides[6][0] == "plane 1"
    assert sides[6][1] == pytest.approx((0.0, 0.6, 0.8))
    assert sides[6][2] == pytest.approx(2.0)


def test_an_empty_box_and_a_plane_without_direction_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"fence.box: y_min 2.0 is not below y_max 2.0"):
        list(fence.sides(FenceParameters(box=[-1.0, 2.0, 0.0, 1.0, 2.0, 3.0])))
    with pytest.raises(ParameterError, match="plane 1 has the normal 0 0 0"):
        list(fence.sides(FenceParameters(planes=[0.0, 0.0, 0.0, 1.0])))


def test_the_arm_stops_before_the_fence_and_slows_down_on_the_way() -> None:
    arm = Arm(**{**OFF, "fence.box": [-0.6, -0.6, -0.1, 0.6, 0.6, 1.2], "fence.slow_m": 0.1}).armed()
    rules = arm.towards(forward(HOME, 1.5), 700)
    assert "fence" in rules
    assert arm.decisions[-1].verdict is not None
    assert "the fence (x = 0.6)" in arm.decisions[-1].verdict.reason
    slowed = [each.verdict for each in arm.decisions if each.verdict and "slowed to" in each.verdict.reason]
    assert slowed and all(verdict.rule == "fence" and "the fence (x = 0.6)" in verdict.reason for verdict in slowed)
    nearest = arm.filter.nearest()
    assert nearest is not None
    assert 0.001 < nearest.distance_m < 0.004
    assert arm.filter.state is State.LIMITING
    # And it can leave again.
    assert not arm.towards(HOME, 700) - {"fence", "velocity_limit", "acceleration_limit", "jerk_limit"}
    assert max(abs(q - h) for q, h in zip(arm.q, HOME, strict=True)) < 0.01


def test_an_arm_that_was_held_back_is_slowed_and_no_longer_refused() -> None:
    arm = Arm(**{**OFF, "fence.box": [-0.6, -0.6, -0.1, 0.45, 0.6, 1.2], "fence.slow_m": 0.0}).armed()
    arm.decisions.clear()
    arm.towards(forward(HOME, 0.45), 450)
    refused = [each.verdict for each in arm.decisions if each.verdict and "on the way to rest" in each.verdict.reason]
    slowed = [each.verdict for each in arm.decisions if each.verdict and "slowed to" in each.verdict.reason]
    assert len(refused) < 10 and len(slowed) > 50
    assert {verdict.rule for verdict in slowed} == {"fence"}
    nearest = arm.filter.nearest()
    assert nearest is not None and 0.001 < nearest.distance_m < 0.006


def test_a_slanted_plane_is_a_side_of_the_fence() -> None:
    arm = Arm(**{**OFF, "fence.planes": [1.0, 0.0, 1.0, 1.3]}).armed()
    arm.towards(forward(HOME, 1.5), 700)
    nearest = arm.filter.nearest()
    assert nearest is not None
    assert nearest.pair.description.endswith("the fence (plane 1)")
    assert 0.001 < nearest.distance_m < 0.01
