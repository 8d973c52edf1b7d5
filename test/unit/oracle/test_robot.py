"""The oracle's own reading of a URDF: poses as pinocchio's, bodies, groups, and one line for what is no robot."""

from __future__ import annotations

import numpy as np
import pinocchio
import pytest

from vla_ros.oracle.robot import JudgedRobot, capsule, pose
from vla_ros.parameters import ParameterError
from vla_ros.sim.arm_description import JOINT_NAMES, MIMIC_JOINT, POSITION_LOWER, POSITION_UPPER, urdf

SOFT = '<joint name="joint2" type="revolute"><safety_controller soft_lower_limit="-0.5" soft_upper_limit="9"/>'
LOOSE = '<joint name="joint2" type="revolute"><limit lower="-9" upper="9" velocity="99"/></joint>'


def test_kinematics_agree_with_pinocchio() -> None:
    rng = np.random.default_rng(5)
    model = pinocchio.buildModelFromXML(urdf())
    data = model.createData()
    q = rng.uniform(POSITION_LOWER, POSITION_UPPER, (20, 8))
    poses = JudgedRobot(urdf()).poses(JOINT_NAMES, q)
    for i, each in enumerate(q):
        values = {**dict(zip(JOINT_NAMES, each, strict=True)), MIMIC_JOINT: each[7]}
        pinocchio.framesForwardKinematics(model, data, np.array([values[name] for name in model.names[1:]]))
        for link in ("link4", "tool", "left_finger", "right_finger"):
            T = data.oMf[model.getFrameId(link)]
            np.testing.assert_allclose(poses[link][0][i], T.rotation, atol=1e-12)
            np.testing.assert_allclose(poses[link][1][i], T.translation, atol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_roll_pitch_yaw_turn_about_fixed_axes(seed: int) -> None:
    rpy = np.random.default_rng(seed).uniform(-3.0, 3.0, 3)
    np.testing.assert_allclose(pose((1.0, 2.0, 3.0), rpy)[:3, :3], pinocchio.rpy.rpyToMatrix(*rpy), atol=1e-14)


def test_a_capsule_reaches_from_its_start_to_its_end() -> None:
    start, end = np.array([0.1, 0.2, 0.3]), np.array([0.4, -0.2, 0.3])
    body = capsule("hand", start, end, 0.05)
    R, p = body.T_link_body[:3, :3], body.T_link_body[:3, 3]
    assert p - R @ body.half == pytest.approx(start)
    assert p + R @ body.half == pytest.approx(end)
    assert body.bounding_radius == pytest.approx(0.3)


def test_links_on_fixed_joints_are_one_group_and_a_mimic_is_moved_by_whom_it_follows() -> None:
    robot = JudgedRobot(urdf())
    assert robot.group["base"] == 0
    assert robot.group["tool"] == robot.group["hand"]
    assert frozenset((robot.group["link1"], robot.group["link2"])) in robot.adjacent
    assert robot.movers([JOINT_NAMES[7]])["right_finger"] == {MIMIC_JOINT}
    assert robot.movers([JOINT_NAMES[0]])["link3"] == {"joint1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<robot", "urdf: not readable as XML"),
        ("<robot><link name='a'/><link name='b'/></robot>", "a robot has one root link, this one has 2 [(]a, b[)]"),
        (urdf().replace('xyz="0 0 1"', 'xyz="0 0 0"'), "joint1 has no direction of its axis"),
        (urdf().replace('xyz="0 0 1"', 'xyz="0 x 1"'), "joint joint1: expected 3 finite numbers, got '0 x 1'"),
    ],
)
def test_what_is_no_robot_is_one_line(text: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said) as refused:
        JudgedRobot(text)
    assert "\n" not in str(refused.value)


def test_limits_of_the_oracle_are_the_tighter_ones_of_its_own_joints() -> None:
    soft = urdf().replace('<joint name="joint2" type="revolute">', SOFT, 1)
    nested = soft.replace("</robot>", f"<gazebo>{LOOSE}</gazebo></robot>")
    joint = JudgedRobot(f"\n{nested}").joints["joint2"]
    assert (joint.lower, joint.upper) == (-0.5, 1.7628)
    with pytest.raises(ParameterError, match="urdf: joint2: a name that is given more than once"):
        JudgedRobot(urdf().replace("</robot>", f"{LOOSE}</robot>"))
