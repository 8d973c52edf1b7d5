"""Efforts of the motion, and pushes from outside."""

from __future__ import annotations

import numpy as np
import pytest

from test.unit.safety.simulated_arm import NO_EFFORT, OFF, URDF, Arm, parameters
from vla_ros.parameters import ParameterError
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.safety_parameters import Payload, Tool
from vla_ros.safety.states import State
from vla_ros.sim.arm_description import HOME, JOINT_NAMES


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
    arm.tick()
    done, text = arm.filter.arm(arm.now_ns)
    assert not done
    assert "effort_limit: joint" in text


def test_a_missing_effort_limit_is_named() -> None:
    with pytest.raises(ParameterError, match=r"effort.limit: joint joint4 has no <limit effort"):
        SafetyFilter.from_urdf(parameters(), NO_EFFORT)


def test_a_push_from_outside_latches() -> None:
    arm = Arm(**{**OFF, "contact.threshold": [5.0] * 8})
    model = ArmModel(URDF, JOINT_NAMES, Tool(), Payload())
    arm.efforts = model.efforts(HOME[None], np.zeros((1, 8)), np.zeros((1, 8)))[0].tolist()
    arm.armed().tick(20)
    assert arm.filter.state is State.HOLDING
    arm.efforts = [effort + (8.0 if i == 3 else 0.0) for i, effort in enumerate(arm.efforts)]
    arm.tick(3)
    assert arm.filter.state is State.HOLDING, "shorter than contact.duration_s"
    decision = arm.tick(5)
    assert decision.state is State.PROTECTIVE_STOP
    assert decision.verdict is not None
    assert decision.verdict.rule == "contact"
    assert decision.verdict.reason.startswith("joint4 is pushed with 8 N m")


def test_a_push_before_arming_does_not_count() -> None:
    arm = Arm(**{**OFF, "contact.threshold": [5.0] * 8})
    model = ArmModel(URDF, JOINT_NAMES, Tool(), Payload())
    free = model.efforts(HOME[None], np.zeros((1, 8)), np.zeros((1, 8)))[0].tolist()
    pushed = [effort + 8.0 for effort in free]
    arm.efforts = free
    arm.armed().tick(20)
    arm.efforts = pushed
    arm.tick()
    assert arm.filter.disarm()[0]
    arm.tick(500)
    assert arm.filter.arm(arm.now_ns)[0]
    assert arm.tick().state is State.HOLDING, "a push of before"


def test_a_watched_contact_needs_efforts() -> None:
    arm = Arm(**{**OFF, "contact.threshold": [5.0] * 8}).armed()
    decision = arm.tick()
    assert decision.state is State.PROTECTIVE_STOP
    assert decision.verdict is not None
    assert "joint_states carries no efforts" in decision.verdict.reason
