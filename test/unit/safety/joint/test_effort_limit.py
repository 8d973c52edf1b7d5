"""Efforts of the motion."""

from __future__ import annotations

import re

import pytest

from test.unit.safety.simulated_arm import NO_EFFORT, OFF, URDF, Arm, parameters
from vla_ros.parameters import ParameterError
from vla_ros.safety.filter import SafetyFilter
from vla_ros.sim.arm_description import HOME


def test_effort_limits_hold_back_what_is_too_heavy() -> None:
    changes = {**OFF, "effort.check": True, "effort.limit": [87.0, 12.0, 87.0, 87.0, 12.0, 12.0, 12.0, 70.0]}
    heavy = HOME.tolist()
    heavy[3] = -1.3  # joint2 holds 2 N m at home, 20 there
    arm, free = Arm(**changes).armed(), Arm(**OFF).armed()
    assert "effort_limit" in arm.towards(heavy, 700)
    free.towards(heavy, 700)
    assert free.q[3] > -1.35
    assert -2.4 < arm.q[3] < -1.6


def test_a_payload_that_cannot_be_held_is_refused_at_the_start() -> None:
    arm = Arm(**{**OFF, "effort.check": True, "payload.link": "hand", "payload.mass_kg": 40.0})
    arm.settle()
    done, text = arm.filter.arm(arm.now_ns)
    assert not done
    assert "effort_limit: joint" in text


def test_a_missing_effort_limit_is_named() -> None:
    with pytest.raises(ParameterError, match=r"effort.limit: joint joint4 has no <limit effort"):
        SafetyFilter.from_urdf(parameters(), NO_EFFORT)


@pytest.mark.parametrize(("key", "value"), [("effort.check", True), ("contact.threshold", [5.0] * 8)])
def test_masses_that_are_missing_are_named(key: str, value: object) -> None:
    massless = re.sub(r"<inertial>.*?</inertial>", "", URDF, flags=re.DOTALL)
    with pytest.raises(ParameterError, match=rf"{key}: the URDF tells no mass of .*link7.* joint1, "):
        SafetyFilter.from_urdf(parameters(**{**OFF, key: value}), massless)
    one = re.sub(r'(<link name="link5">.*?)<inertial>.*?</inertial>', r"\1", URDF, count=1, flags=re.DOTALL)
    with pytest.raises(ParameterError, match=f"{key}: the URDF tells no mass of link5; give"):
        SafetyFilter.from_urdf(parameters(**{**OFF, key: value}), one)
