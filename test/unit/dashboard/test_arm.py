"""The arm as it is drawn is the arm as the policies compute with it."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from vla_ros.dashboard.arm import Arm
from vla_ros.parameters import ParameterError
from vla_ros.robot.kinematics import Kinematics
from vla_ros.robot.meshes import mesh_folders
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.transforms import matrix

STL = """solid a
facet normal 0 0 1
outer loop
vertex 0 0 0
vertex 0.1 0 0
vertex 0 0.1 0
endloop
endfacet
endsolid a
"""


def test_joint_poses_lead_to_the_tool(arm: Arm) -> None:
    q = np.array([*HOME])
    arm.set_joints(q)
    poses = [np.eye(4)]
    for joint, (parent, _) in enumerate(arm.joints[1:], 1):
        position, (w, x, y, z) = arm.joint_pose(joint)
        poses.append(poses[parent] @ matrix(position, [x, y, z, w]))
    names = [name for _, name in arm.joints]
    hand = poses[names.index("joint7")]
    assert np.linalg.norm(hand[:3, 3] - arm.tool_position()) < 0.25
    kinematics = Kinematics(urdf(), JOINT_NAMES, "tool")
    np.testing.assert_allclose(arm.tool_position(), kinematics.forward(q)[:3, 3], atol=1e-9)


def test_meshes_are_closed_over_their_vertices(arm: Arm) -> None:
    meshes = arm.meshes()
    assert {mesh.joint for mesh in meshes} >= set(range(8))
    for mesh in meshes:
        assert mesh.faces.max() < len(mesh.vertices)
        assert np.isfinite(mesh.vertices).all()
        assert np.abs(mesh.vertices).max() < 1.0


def with_meshes(text: str, *files: str) -> str:
    """The URDF with mesh files in place of its first visual shapes."""
    robot = ElementTree.fromstring(text)
    for geometry, file in zip(robot.iterfind("link/visual/geometry"), files, strict=False):
        geometry[:] = [ElementTree.Element("mesh", filename=file)]
    return ElementTree.tostring(robot, "unicode")


def test_a_mesh_that_is_not_there_is_named_and_the_others_are_drawn(arm: Arm, tmp_path: Path) -> None:
    torn = tmp_path / "torn.stl"
    torn.write_text("no mesh")
    files = ["package://gone/base.stl", f"file://{torn}"]
    lacking = Arm(with_meshes(urdf(), *files), JOINT_NAMES, "tool")
    drawn = sum(len(mesh.vertices) for mesh in lacking.meshes())
    assert lacking.missing_meshes == [files[0], str(torn)]
    whole = sum(len(mesh.vertices) for mesh in arm.meshes())
    assert 0.9 * whole < drawn < whole
    assert arm.missing_meshes == []


def test_meshes_are_drawn_from_where_the_filter_finds_them(tmp_path: Path) -> None:
    for file in ("shapes/base.stl", "hand_description/hand.stl"):
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).write_text(STL)
    text = with_meshes(urdf(), "shapes/base.stl", "package://hand_description/hand.stl")
    unfound = Arm(text, JOINT_NAMES, "tool")
    unfound.meshes()
    assert unfound.missing_meshes == ["shapes/base.stl", "package://hand_description/hand.stl"]
    found = Arm(text, JOINT_NAMES, "tool", mesh_folders([str(tmp_path)]))
    assert len(found.meshes()) and found.missing_meshes == []
    beside = Arm(with_meshes(urdf(), "shapes/base.stl"), JOINT_NAMES, "tool", mesh_folders([], f"{tmp_path}/arm.urdf"))
    assert len(beside.meshes()) and beside.missing_meshes == []


def test_without_any_visual_shape_the_arm_is_drawn_as_it_collides() -> None:
    lacking = Arm(with_meshes(urdf(), *["package://gone/all.stl"] * 1000), JOINT_NAMES, "tool")
    assert lacking.meshes()
    assert set(lacking.missing_meshes) == {"package://gone/all.stl"}


def test_limits_are_the_urdfs_in_the_order_asked_for() -> None:
    arm = Arm(urdf(), ["finger_joint", "joint4"], "tool")
    assert arm.upper == pytest.approx([0.04, -0.0698])
    assert arm.prismatic == {"finger_joint"}


@pytest.mark.parametrize(
    ("text", "joints", "tool", "said"),
    [
        ("<robot", ["joint1"], "tool", "urdf: cannot be read"),
        (None, ["joint9"], "tool", "joint_names: 'joint9' is not a joint"),
        (None, ["joint1"], "flange", "tool_frame: 'flange' is not a link"),
    ],
)
def test_what_does_not_fit_is_named(text: str | None, joints: list[str], tool: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        Arm(text or urdf(), joints, tool)
