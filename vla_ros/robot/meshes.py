"""Where is a mesh that a URDF names? Relative to the URDF's folder, in a named folder, or in an installed ROS package."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

PACKAGE = ("package://", "model://")


def locate_meshes(root: ElementTree.Element, element: str, folders: Sequence[Path]) -> list[tuple[str, str]]:
    """Put the path of each mesh file that is found in the place of its address.

    Args:
        root: <robot> of the URDF; changed.
        element: "collision" or "visual".
        folders: are searched first, in this order; then the sourced ROS installations.

    Returns:
        (link, address) of each mesh that is nowhere, none twice.
    """
    missing = []
    for link in root.findall("link"):
        for mesh in link.iterfind(f"{element}/geometry/mesh"):
            address = mesh.get("filename", "")
            found = next((path for path in _candidates(address, folders) if path.is_file()), None)
            if found is None:
                missing.append((str(link.get("name")), address))
            else:
                mesh.set("filename", str(found.resolve()))
    return list(dict.fromkeys(missing))


def mesh_folders(named: Sequence[str], urdf_file: str = "") -> list[Path]:
    """Return the folders that relative addresses begin in: those that are named, then that of a URDF's file."""
    folders = [Path(folder).expanduser() for folder in named]
    return [*folders, Path(urdf_file).expanduser().parent] if urdf_file else folders


def package_folders() -> list[str]:
    """Return the share folders of the sourced ROS installations."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    return [str(Path(prefix) / "share") for prefix in prefixes if prefix]


def _candidates(address: str, folders: Sequence[Path]) -> Iterator[Path]:
    for scheme in PACKAGE:
        if address.startswith(scheme):
            package, _, rest = address.removeprefix(scheme).partition("/")
            for folder in folders:
                yield folder / package / rest
                # A URDF usually lies inside its package: my_arm/urdf/my_arm.urdf.
                yield from (above / rest for above in (folder, *folder.resolve().parents) if above.name == package)
            yield from (Path(folder) / package / rest for folder in package_folders())
            return
    path = Path(address.removeprefix("file://"))
    if address:
        yield from [path] if path.is_absolute() else [folder / path for folder in folders]
