"""Meshes are found where people put them: beside the URDF, in the package around it, in folders that are named."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from vla_ros.robot.meshes import locate_meshes

LINK = '<link name="l{}"><collision><geometry><mesh filename="{}"/></geometry></collision></link>'


@pytest.mark.parametrize(
    ("address", "folders", "found"),
    [
        ("meshes/m.stl", ["my_arm/urdf", "my_arm"], True),
        ("meshes/m.stl", ["my_arm/urdf"], False),
        ("../meshes/m.stl", ["my_arm/urdf"], True),
        ("package://my_arm/meshes/m.stl", ["my_arm/urdf"], True),
        ("package://my_arm/meshes/m.stl", ["my_arm"], True),
        ("package://my_arm/meshes/m.stl", ["."], True),
        ("model://my_arm/meshes/m.stl", ["."], True),
        ("package://other/meshes/m.stl", ["my_arm/urdf"], False),
        ("meshes/m.stl", [], False),
        ("", ["my_arm"], False),
    ],
)
def test_a_mesh_is_found_by_its_address(tmp_path: Path, address: str, folders: list[str], found: bool) -> None:
    mesh = tmp_path / "my_arm" / "meshes" / "m.stl"
    mesh.parent.mkdir(parents=True)
    (tmp_path / "my_arm" / "urdf").mkdir()
    mesh.touch()
    root = ElementTree.fromstring(
        f"<robot>{LINK.format(1, address)}{LINK.format(2, mesh)}{LINK.format(3, f'file://{mesh}')}</robot>"
    )
    missing = locate_meshes(root, "collision", [tmp_path / folder for folder in folders])
    assert missing == ([] if found else [("l1", address)])
    paths = [tag.get("filename") for tag in root.iter("mesh")]
    assert paths == [str(mesh) if found else address, str(mesh), str(mesh)]


def test_packages_of_an_installation_are_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = tmp_path / "share" / "some_arm" / "m.stl"
    mesh.parent.mkdir(parents=True)
    mesh.touch()
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    root = ElementTree.fromstring(f"<robot>{LINK.format(1, 'package://some_arm/m.stl')}</robot>")
    assert locate_meshes(root, "collision", []) == []
