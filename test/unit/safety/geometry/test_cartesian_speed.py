"""Speed limits of the tool, the elbow and every other body."""

from __future__ import annotations

import numpy as np
import pytest

from test.unit.safety.geometry.motion import FREE, Model, adversarial_outputs, executed, speeds
from test.unit.safety.simulated_arm import URDF, Arm, parameters
from vla_ros.parameters import ParameterError
from vla_ros.robot.kinematics import Kinematics
from vla_ros.safety.filter import SafetyFilter
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

SWUNG = [1.2, *HOME[1:].tolist()]


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.mark.parametrize("limit", [0.25, 1.0])
def test_no_instant_of_an_adversarial_stream_is_faster(model: Model, limit: float) -> None:
    found = speeds(model, adversarial_outputs(parameters(**{**FREE, **{"cartesian_speed.limit_m_s": limit}}), 900))
    assert found.max() <= limit
    assert found.max() > 0.7 * limit, "nor is it much slower than it may be"


def test_without_the_rule_the_same_stream_is_faster(model: Model) -> None:
    assert speeds(model, adversarial_outputs(parameters(**FREE), 300)).max() > 1.2


def test_the_judge_agrees_with_the_robots_own_kinematics(model: Model) -> None:
    outputs = adversarial_outputs(parameters(**{**FREE, **{"cartesian_speed.limit_m_s": 0.5}}), 200)
    q, dq = executed(outputs)
    kinematics = Kinematics(URDF, JOINT_NAMES[:7])
    ahead, behind = (np.array([kinematics.forward(row[:7])[:3, 3] for row in q + sign * 1e-6 * dq]) for sign in (1, -1))
    assert np.linalg.norm(ahead - behind, axis=1).max() / 2e-6 <= 0.5


def test_a_link_may_have_a_tighter_limit(model: Model) -> None:
    changes = {"cartesian_speed.limit_m_s": 1.0, "cartesian_speed.links": ["link4 0.1", "tool 0.6"]}
    found = speeds(model, adversarial_outputs(parameters(**{**FREE, **changes}), 500)).max(axis=0)
    of = dict(zip(model.parts.names, found, strict=True))
    assert of["link4"] <= 0.1 and of["tool"] <= 0.6
    assert of["tool"] > 0.1


def test_the_arm_goes_slower_smoothly_and_says_why() -> None:
    arm = Arm(**{**FREE, **{"cartesian_speed.limit_m_s": 0.2}}).armed()
    arm.decisions.clear()
    assert "cartesian_speed" in arm.towards(SWUNG, 300, speed=2.0)
    reasons = [d.verdict.reason for d in arm.decisions if d.verdict is not None and d.verdict.rule == "cartesian_speed"]
    slowed = sum(reason.startswith("slowed to ") for reason in reasons)
    assert slowed > 0.9 * len(reasons), "few steps are refused"
    accelerations = np.diff([d.velocities for d in arm.decisions if d.positions][100:200], axis=0)
    assert np.abs(accelerations[:, 0]).max() < 0.5 * 7.5 * 0.004, (
        "it does not chatter between full brake and full thrust"
    )


def test_a_slow_stream_passes_unchanged() -> None:
    arm = Arm(**{**FREE, **{"cartesian_speed.limit_m_s": 1.0}}).armed()
    assert "cartesian_speed" not in arm.towards(SWUNG, 200, speed=0.2)


@pytest.mark.parametrize(
    "link", ["nowhere 0.1", "link4", "link4 fast", "link4 0", "link4 nan", "link4 -1", "link4 inf"]
)
def test_what_is_no_link_and_speed_is_named(link: str) -> None:
    with pytest.raises(ParameterError, match=r"cartesian_speed.links: '.*' is not a link and m/s; links: hand, "):
        SafetyFilter.from_urdf(parameters(**{**FREE, **{"cartesian_speed.links": [link]}}), URDF)


def test_the_speed_of_the_tool_is_told() -> None:
    arm = Arm(**{**FREE, **{"cartesian_speed.limit_m_s": 1.0}}).armed()
    assert arm.filter.tool_speed_m_s() == 0.0
    arm.towards(SWUNG, 100, speed=0.2)
    assert 0.05 < arm.filter.tool_speed_m_s() < 0.15
    assert np.isnan(Arm(**{**FREE, "tool.link": ""}).armed().filter.tool_speed_m_s())
