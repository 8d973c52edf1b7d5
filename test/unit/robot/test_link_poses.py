"""A link is where its joints have moved it."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.robot.kinematics import Kinematics
from vla_ros.robot.link_poses import LinkPoses
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, origin_of, urdf

TURNING = """<robot name="turning"><link name="base"/><link name="turned"/><link name="lifted"/><link name="followed"/>
<joint name="turn" type="continuous"><parent link="base"/><child link="turned"/><axis xyz="0 0 1"/></joint>
<joint name="lift" type="prismatic"><parent link="turned"/><child link="lifted"/><axis xyz="1 0 0"/>
  <limit lower="0" upper="1" velocity="1" effort="1"/></joint>
<joint name="follow" type="prismatic"><parent link="base"/><child link="followed"/><axis xyz="0 0 1"/>
  <limit lower="-9" upper="9" velocity="1" effort="1"/><mimic joint="lift" multiplier="2" offset="0.1"/></joint></robot>"""


def test_the_tool_is_where_the_kinematics_have_it() -> None:
    links = LinkPoses(urdf(), JOINT_NAMES)
    q = HOME + 0.1
    assert links.pose("tool", q) == pytest.approx(Kinematics(urdf(), JOINT_NAMES).forward(q), abs=1e-12)
    assert links.pose("front_camera_optical", q) == pytest.approx(origin_of("front_camera_optical"), abs=1e-9)


def test_a_camera_on_the_hand_moves_with_it() -> None:
    links, moved = LinkPoses(urdf(), JOINT_NAMES), HOME.copy()
    moved[0] += 0.5
    before, after = links.pose("wrist_camera_optical", HOME), links.pose("wrist_camera_optical", moved)
    assert before is not None and after is not None
    turn = np.array([[np.cos(0.5), -np.sin(0.5), 0], [np.sin(0.5), np.cos(0.5), 0], [0, 0, 1]])
    assert after[:3, 3] == pytest.approx(turn @ before[:3, 3], abs=1e-9)


def test_continuous_joints_and_followers_move_their_links() -> None:
    links = LinkPoses(TURNING, ["lift", "turn"])
    lifted, followed = links.pose("lifted", np.array([0.5, np.pi / 2])), links.pose("followed", np.array([0.5, 0.0]))
    assert lifted is not None and lifted[:3, 3] == pytest.approx([0.0, 0.5, 0.0], abs=1e-12)
    assert followed is not None and followed[2, 3] == pytest.approx(1.1)


def test_a_link_that_an_unnamed_joint_moves_has_no_pose() -> None:
    links = LinkPoses(TURNING, ["turn"])
    assert links.pose("lifted", np.zeros(1)) is None and links.unnamed_joints("lifted") == ["lift"]
    assert links.pose("turned", np.zeros(1)) is not None
    assert links.root == "base"
    assert links.pose("nowhere", np.zeros(1)) is None and not links.knows("nowhere")
