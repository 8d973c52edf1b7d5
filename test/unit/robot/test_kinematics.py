"""Inverse kinematics undoes forward kinematics, stays inside the limits and is smooth along a path."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vla_ros.robot.joint_map import JointNamesError
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

KINEMATICS = Kinematics(urdf(), JOINT_NAMES)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-0.5, 0.5), min_size=7, max_size=7))
def test_inverse_undoes_forward(offsets: list[float]) -> None:
    q = HOME.copy()
    # Not at a limit: there a solution may exist that is not found, which `inverse` says.
    q[:7] = np.clip(q[:7] + offsets, KINEMATICS.lower[:7] + 0.05, KINEMATICS.upper[:7] - 0.05)
    pose = KINEMATICS.forward(q)
    found = KINEMATICS.inverse(pose, HOME)
    assert found is not None
    assert np.abs(KINEMATICS.forward(found) - pose).max() < 1e-6
    assert (found >= KINEMATICS.lower).all() and (found <= KINEMATICS.upper).all()
    assert found[7] == HOME[7]


def test_what_is_out_of_reach_has_no_solution() -> None:
    pose = KINEMATICS.forward(HOME)
    pose[:3, 3] = 2.0, 0.0, 0.1
    assert KINEMATICS.inverse(pose, HOME) is None


def test_following_a_straight_line_stays_on_it_and_is_smooth() -> None:
    pose, q, course = KINEMATICS.forward(HOME), HOME, []
    for _ in range(150):
        pose = pose.copy()
        pose[:3, 3] += 0.001, 0.001, -0.001
        q = KINEMATICS.follow(pose, q, centering=0.0026)
        course.append(q)
        assert np.abs(KINEMATICS.forward(q) - pose).max() < 1e-6
    assert np.abs(np.diff(course, n=2, axis=0)).max() < 2e-4


def test_an_arm_at_rest_stays_at_rest() -> None:
    assert KINEMATICS.follow(KINEMATICS.forward(HOME), HOME) == pytest.approx(HOME, abs=1e-9)


def test_limit_proximity_is_one_at_a_limit() -> None:
    q = (KINEMATICS.lower + KINEMATICS.upper) / 2
    assert KINEMATICS.limit_proximity(q) == 0.0
    q[3] = KINEMATICS.upper[3]
    assert KINEMATICS.limit_proximity(q) == pytest.approx(1.0)


def test_order_follows_the_names() -> None:
    swapped = Kinematics(urdf(), JOINT_NAMES[::-1])
    assert swapped.forward(HOME[::-1]) == pytest.approx(KINEMATICS.forward(HOME))


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (JOINT_NAMES[1:], "joint_names: joint1 moves tool and is not named"),
        ((*JOINT_NAMES, "wheel"), "joint_names: the URDF has no joint wheel"),
    ],
)
def test_joints_that_do_not_bind_are_refused(names: tuple[str, ...], text: str) -> None:
    with pytest.raises(JointNamesError) as error:
        Kinematics(urdf(), names)
    assert str(error.value) == text


def test_a_tool_frame_must_exist() -> None:
    with pytest.raises(ValueError, match="no link 'spoon'"):
        Kinematics(urdf(), JOINT_NAMES, "spoon")


ARM = """<robot name="made_up"><link name="base"/><link name="l1"/><link name="l2"/><link name="tool"/>
<joint name="j1" type="continuous"><parent link="base"/><child link="l1"/><axis xyz="0 0 1"/><limit velocity="1" effort="9"/>
</joint>
<joint name="j2" type="revolute"><parent link="l1"/><child link="l2"/><origin xyz="0 0 0.3"/><axis xyz="0 1 0"/>
<limit lower="-1.5" upper="1.5" velocity="1" effort="9"/></joint>
<joint name="j3" type="revolute"><parent link="l2"/><child link="tool"/><origin xyz="0.4 0 0"/><axis xyz="0 1 0"/>
<limit lower="-3" upper="3" velocity="2" effort="9"/>{}</joint></robot>"""


def test_a_continuous_joint_has_no_limits_and_turns_on() -> None:
    arm = Kinematics(ARM.format(""), ["j1", "j2", "j3"])
    q = np.array([9.0, 0.2, -0.4])
    assert np.isinf([arm.lower[0], arm.upper[0]]).all() and arm.velocity[0] == 1.0
    assert arm.forward(q) == pytest.approx(arm.forward(q - [2 * np.pi, 0.0, 0.0]))
    found = arm.inverse(arm.forward(q), q - 0.05)
    assert found == pytest.approx(q, abs=1e-4), "it stays in its turn, and goes to no middle"
    assert arm.follow(arm.forward(q), q, centering=0.1)[0] == pytest.approx(9.0)
    assert arm.limit_proximity(np.array([1e3, 0.0, 0.0])) == 0.0


def test_a_joint_that_follows_another_moves_with_it_and_is_not_named() -> None:
    urdf = ARM.format('<mimic joint="j2" multiplier="-2" offset="0.1"/>')
    free, arm = Kinematics(ARM.format(""), ["j1", "j2", "j3"]), Kinematics(urdf, ["j2", "j1"])
    assert arm.arm.tolist() == [1, 0]
    pose = arm.forward(np.array([0.3, 0.7]))
    assert pose == pytest.approx(free.forward(np.array([0.7, 0.3, -0.5])))
    followed = arm.follow(pose, np.array([0.29, 0.69]))
    assert followed == pytest.approx([0.3, 0.7], abs=1e-3)
    with pytest.raises(JointNamesError, match=r"'j3' follows 'j2' in the URDF \(<mimic>\); command 'j2' alone"):
        Kinematics(urdf, ["j1", "j2", "j3"])
