"""Poses measured in a link that is turned against the root are turned; a link that moves, or is not there, is refused."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.parameters import ParameterError
from vla_ros.robot.base_frame import camera_poses_in_root, pose_in_root
from vla_ros.robot.urdf import root_link

# As UR arms have it: `base` is `base_link` turned by 180 degrees.
URDF = """<robot name="arm"><link name="base_link"/><link name="base"/><link name="l1"/>
<joint name="turned" type="fixed"><parent link="base_link"/><child link="base"/><origin rpy="0 0 3.141592653589793"/></joint>
<joint name="j1" type="revolute"><parent link="base_link"/><child link="l1"/><axis xyz="0 0 1"/>
<limit lower="-1" upper="1" velocity="1" effort="1"/></joint></robot>"""


def test_a_camera_measured_in_the_turned_base_is_where_it_is() -> None:
    seen = {
        link: camera_poses_in_root(URDF, link, ["front"], [1.0, 0.2, 0.5, 0.0, 0.0, 0.0, 1.0], "planner.base_frame")
        for link in ("", "base_link", "base")
    }
    assert seen["base"]["front"][:3, 3] == pytest.approx([-1.0, -0.2, 0.5])
    assert seen["base"]["front"][:3, :3] == pytest.approx(np.diag([-1.0, -1.0, 1.0]), abs=1e-9)
    for link in ("", "base_link"):
        assert seen[link]["front"][:3, 3] == pytest.approx([1.0, 0.2, 0.5])


def test_what_is_no_base_is_refused_and_the_root_is_named() -> None:
    with pytest.raises(
        ParameterError, match=r"planner\.base_frame: the URDF has no link 'bse'; its root is 'base_link'"
    ):
        pose_in_root(URDF, "bse", "planner.base_frame")
    with pytest.raises(ParameterError, match=r"planner\.base_frame: joint j1 moves 'l1'.* name the root, 'base_link'"):
        pose_in_root(URDF, "l1", "planner.base_frame")


def test_two_roots_are_none() -> None:
    with pytest.raises(ParameterError, match="one root link; it has a, b"):
        root_link('<robot name="r"><link name="a"/><link name="b"/></robot>')
