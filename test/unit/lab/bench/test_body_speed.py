"""Speeds of the arm's bodies under the adversarial stream."""

from __future__ import annotations

import dataclasses

from vla_ros.lab.bench.body_speed import measure_body_speeds
from vla_ros.lab.bench.filter_rig import full_configuration, with_unlimited_steps, without_rules


def test_normal_and_reduced_mode_keep_their_limits_and_the_free_arm_does_not() -> None:
    parameters, urdf = full_configuration()
    parameters = without_rules(with_unlimited_steps(parameters), "environment", "self_collision", "effort", "obstacle")
    parameters = dataclasses.replace(
        parameters, cartesian_speed=dataclasses.replace(parameters.cartesian_speed, limit_m_s=0.5)
    )
    free, normal, reduced = measure_body_speeds(parameters, urdf, 400, seed=1)
    assert [free.mode, normal.mode, reduced.mode] == ["no limit", "normal", "reduced"]
    assert free.body > 1.0 and free.slowed == 0.0
    assert 0.3 < normal.body <= normal.limit == 0.5
    assert 0.15 < reduced.body <= reduced.limit == 0.25
    assert 0.0 < reduced.tool <= reduced.body and normal.slowed > 0.5
