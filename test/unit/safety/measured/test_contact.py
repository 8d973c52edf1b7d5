"""Contact: pushes from outside."""

from __future__ import annotations

import numpy as np

from test.unit.safety.simulated_arm import OFF, URDF, Arm
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry_parameters import PayloadParameters, ToolParameters
from vla_ros.safety.states import State
from vla_ros.sim.arm_description import HOME, JOINT_NAMES


def test_a_push_from_outside_latches() -> None:
    arm = Arm(**{**OFF, "contact.threshold": [5.0] * 8})
    model = ArmModel(URDF, JOINT_NAMES, ToolParameters(), PayloadParameters())
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
    model = ArmModel(URDF, JOINT_NAMES, ToolParameters(), PayloadParameters())
    free = model.efforts(HOME[None], np.zeros((1, 8)), np.zeros((1, 8)))[0].tolist()
    pushed = [effort + 8.0 for effort in free]
    arm.efforts = free
    arm.armed().tick(20)
    arm.efforts = pushed
    arm.tick()
    assert arm.filter.disarm()[0]
    arm.tick(500)
    assert arm.filter.arm(arm.now_ns)[0]
    assert arm.tick().state in (State.ENTERING, State.HOLDING), "a push of before"


def test_a_watched_contact_needs_efforts() -> None:
    arm = Arm(**{**OFF, "contact.threshold": [5.0] * 8}).armed()
    decision = arm.tick()
    assert decision.state is State.PROTECTIVE_STOP
    assert decision.verdict is not None
    assert "joint_states carries no efforts" in decision.verdict.reason
