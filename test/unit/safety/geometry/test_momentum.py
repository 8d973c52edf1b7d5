"""Momentum and power of the arm's motion."""

from __future__ import annotations

import numpy as np
import pinocchio as pin
import pytest

from test.unit.safety.geometry.motion import FREE, PERIOD_S, Model, adversarial_outputs, executed
from test.unit.safety.simulated_arm import URDF, Arm, parameters
from vla_ros.parameters import ParameterError
from vla_ros.safety.filter import SafetyFilter
from vla_ros.sim.arm_description import HOME


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


def momentum_and_power(model: Model, outputs: np.ndarray) -> tuple[float, float]:
    """Largest linear momentum, kg m/s, and mechanical power of the joints, W, by pinocchio at the outputs."""
    arm = model.arm
    dq = np.diff(outputs, axis=0) / PERIOD_S
    ddq = np.diff(dq, axis=0) / PERIOD_S
    data = arm.model.createData()
    largest = 0.0
    for q, v in zip(*executed(outputs), strict=True):
        pin.computeCentroidalMomentum(arm.model, data, arm.full(q), v @ arm._coupling_matrix)
        largest = max(largest, float(np.linalg.norm(data.hg.linear)))
    efforts = arm.efforts(outputs[2:], dq[1:], ddq)
    return largest, float((efforts * dq[1:]).sum(axis=1).max())


def test_no_output_has_more_than_its_limits(model: Model) -> None:
    free = momentum_and_power(model, adversarial_outputs(parameters(**FREE), 450))
    assert free[0] > 6.0 and free[1] > 40.0
    slow = {"momentum.limit_kg_m_s": 4.0}
    momentum, _ = momentum_and_power(model, adversarial_outputs(parameters(**{**FREE, **slow}), 400))
    assert 2.0 < momentum <= 4.0
    weak = {"momentum.power_w": 50.0}
    _, power = momentum_and_power(model, adversarial_outputs(parameters(**{**FREE, **weak}), 400))
    assert 1.0 < power <= 50.0


@pytest.mark.parametrize(("key", "value"), [("limit_kg_m_s", 2.0), ("power_w", 30.0)])
def test_the_arm_is_slowed_and_reaches_its_goal(key: str, value: float) -> None:
    arm = Arm(**{**FREE, **{f"momentum.{key}": value}}).armed()
    goal = [1.0, *HOME[1:].tolist()]
    assert "momentum" in arm.towards(goal, 900, speed=2.0)
    assert arm.q[0] == pytest.approx(1.0, abs=0.01)


def test_a_body_without_a_mass_is_named() -> None:
    begin = URDF.index("<inertial>", URDF.index('<link name="link4">'))
    end = URDF.index("</inertial>", begin) + len("</inertial>")
    with pytest.raises(ParameterError, match=r"momentum: link4 has no mass in the URDF"):
        SafetyFilter.from_urdf(parameters(**{**FREE, **{"momentum.power_w": 50.0}}), URDF[:begin] + URDF[end:])
