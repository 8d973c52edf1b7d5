"""TCP overspeed: how fast the measured joints move the tool."""

from __future__ import annotations

import numpy as np
import pytest

from test.unit.safety.simulated_arm import OFF, URDF, Arm
from vla_ros.robot.kinematics import Kinematics
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry_parameters import PayloadParameters, ToolParameters
from vla_ros.safety.states import State
from vla_ros.sim.arm_description import HOME, JOINT_NAMES


def test_the_speed_of_the_tool_is_that_of_its_fastest_point() -> None:
    model = ArmModel(URDF, JOINT_NAMES, ToolParameters(), PayloadParameters())
    kinematics, draw = Kinematics(URDF, JOINT_NAMES[:7]), np.random.default_rng(3)
    for _ in range(20):
        q, dq = HOME + draw.uniform(-0.3, 0.3, 8), draw.uniform(-1.0, 1.0, 8)
        q[7], dq[7] = 0.02, 0.0
        step = 1e-6
        before, after = (kinematics.forward((q + s * dq)[:7])[:3, 3] for s in (-step, step))
        pads = float(np.linalg.norm(after - before)) / (2 * step)
        fastest = model.tool_speed(q, dq)
        assert pads <= fastest + 1e-6
        turning = float(np.abs(dq[:7]).sum())
        assert fastest <= pads + 0.25 * turning, "no point of the hand is further from the pads"
    assert model.tool_speed(HOME, np.zeros(8)) == 0.0


@pytest.mark.parametrize(("dq", "latches"), [(0.3, False), (1.0, True)])
def test_a_tool_that_is_too_fast_latches(dq: float, latches: bool) -> None:
    arm = Arm(**{**OFF, "measured.tcp_speed_m_s": 0.25})
    arm.armed().tick(10)
    speeds = [dq, *[0.0] * 7]
    arm.measure = lambda: arm.filter.joint_state(arm.now_ns, JOINT_NAMES, arm.q, speeds)  # type: ignore[method-assign]
    decision = arm.tick(8)
    assert (decision.state is State.PROTECTIVE_STOP) is latches
    if latches:
        assert decision.verdict is not None and decision.verdict.rule == "tcp_overspeed"
        assert "0.25 is allowed" in decision.verdict.reason
