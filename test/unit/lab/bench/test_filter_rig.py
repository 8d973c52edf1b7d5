"""The rig's configurations, obstacles and clock."""

from __future__ import annotations

import math

import pytest

from vla_ros.lab.bench.filter_rig import (
    BEGIN_NS,
    NEAR_M,
    OBSTACLE_TICKS,
    RADIUS_M,
    SETPOINT_NS,
    START,
    FilterRig,
    audit_log,
    far_obstacles,
    full_configuration,
    near_obstacles,
    sine_motion,
    with_unlimited_steps,
    without_rules,
)
from vla_ros.oracle.clearances import ball
from vla_ros.oracle.oracle import Oracle
from vla_ros.safety.filter import SafetyFilter
from vla_ros.sim.arm_description import VELOCITY_LIMIT


def test_near_obstacles_are_near_and_are_not_touched() -> None:
    parameters, urdf = full_configuration()
    oracle = Oracle(urdf, without_rules(parameters, "environment", "self_collision"))
    obstacles = near_obstacles(parameters, urdf, 1)
    assert len(obstacles) == 10
    for each in obstacles:
        (found,) = oracle.clearances(sine_motion(0.0), [ball(each.xyz, RADIUS_M)])
        assert found.distance_m > parameters.obstacle.margin_m
        assert found.distance_m > NEAR_M[0]
    assert max(abs(a - b) for a, b in zip(sine_motion(0.0), START.tolist(), strict=True)) < 1e-6


def test_far_obstacles_are_out_of_reach() -> None:
    assert len(far_obstacles()) == 10
    assert all(math.hypot(each.xyz[0], each.xyz[1]) - RADIUS_M > 1.5 for each in far_obstacles())


def test_the_sine_motion_keeps_half_of_the_velocity_limits() -> None:
    h = 1e-3
    for k in range(5000):
        step = zip(sine_motion(k * h), sine_motion((k + 1) * h), VELOCITY_LIMIT, strict=True)
        assert all(abs(b - a) / h <= limit / 2 for a, b, limit in step)


def test_groups_of_rules_are_switched_off_one_by_one() -> None:
    parameters, _ = full_configuration()
    assert parameters.obstacle.timeout_s > 0 and parameters.effort.check and parameters.self_collision.check
    assert parameters.fence.box and parameters.table.height_m
    off = without_rules(parameters, "environment", "effort")
    assert not (off.fence.box or off.fence.planes or off.table.height_m or off.keep_out.boxes or off.effort.check)
    assert off.self_collision.check and off.obstacle == parameters.obstacle


def test_setpoints_are_due_at_100_hz_and_obstacles_every_8_ticks() -> None:
    parameters, urdf = full_configuration()
    rig = FilterRig(without_rules(parameters, "environment", "self_collision", "effort"), urdf, far_obstacles())
    due: list[float] = []
    sent = 0
    for _ in range(100):
        due += rig.advance()
        rig.send_joint_state()
        sent += rig.send_obstacles()
        rig.tick()
    assert rig.now_ns == BEGIN_NS + 100 * rig.period_ns
    assert due == pytest.approx([k * SETPOINT_NS / 1e9 for k in range(41)])
    assert sent == 100 // OBSTACLE_TICKS


def test_the_arm_follows_the_output_at_once() -> None:
    parameters, urdf = full_configuration()
    rig = FilterRig(
        with_unlimited_steps(without_rules(parameters, "environment", "self_collision", "effort", "obstacle")), urdf
    )
    for _ in range(250):
        for at_s in rig.advance():
            assert rig.send_setpoint(at_s, sine_motion(at_s)) is None
        rig.send_joint_state()
        positions = rig.tick().positions
        assert positions is not None and rig.q == list(positions)
    assert max(abs(q - start) for q, start in zip(rig.q, START.tolist(), strict=True)) > 0.1


def test_the_log_is_on_only_within_its_block() -> None:
    parameters, urdf = full_configuration()
    rig = FilterRig(without_rules(parameters, "environment", "self_collision", "effort", "obstacle"), urdf)
    unlogged = rig.filter
    with audit_log(rig, parameters, urdf):
        assert rig.filter is not unlogged
        list(rig.advance())
        rig.send_joint_state()
        assert rig.tick().positions is not None
        with pytest.raises(TypeError, match="a log already"), audit_log(rig, parameters, urdf):
            pass
    assert rig.filter is unlogged and isinstance(unlogged, SafetyFilter)
