"""What a URDF says of its joints: read as the standard parsers read it, and only what belongs to the robot itself.

Joints and links are direct children of <robot>. What lies deeper, in <gazebo>, <ros2_control> or <transmission>, is no joint
of the robot, whatever its tag says. A name given twice is refused: either of the two could be the one that is meant.

Source: urdfdom (`parseURDF`, `parseJoint`), the URDF specification (joint, safety_controller, mimic).
"""

from __future__ import annotations

import math
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from vla_ros.parameters import LARGEST, ParameterError

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
"""A number as C reads it: Python's float also takes 1_000."""
ONCE = ("limit", "safety_controller", "mimic", "axis", "parent", "child", "origin")
"""Elements that a joint has at most once."""


@dataclass(frozen=True)
class Mimic:
    """A joint that stands at multiplier * position of joint `leader` + offset."""

    leader: str
    multiplier: float
    offset: float


def urdf_text(data: str | bytes) -> str:
    """Return the text of a URDF as every parser takes it: decoded, with nothing before its first tag.

    Args:
        data: bytes are decoded as their XML declaration says, UTF-8 without one.

    Raises:
        ParameterError: the bytes are not what the declaration says.
    """
    if isinstance(data, bytes):
        declared = re.search(rb"""^\s*<\?xml[^>]*\bencoding=["']([\w.-]+)["']""", data.removeprefix(b"\xef\xbb\xbf"))
        wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
        encoding = "utf-16" if wide else declared[1].decode() if declared else "utf-8"
        try:
            data = data.decode(encoding)
        except (UnicodeDecodeError, LookupError) as error:
            raise ParameterError(f"urdf: is not in the encoding {encoding}: {error}") from None
    text = data.strip("\ufeff\0 \t\r\n")
    return re.sub(r"""^(<\?xml[^>]*?)\s+encoding=["'][^"']*["']""", r"\1", text)


def read_urdf(file: str | Path) -> str:
    """Return the text of a URDF file, see `urdf_text`.

    Raises:
        ParameterError: it cannot be read; the line names it.
    """
    try:
        return urdf_text(Path(file).expanduser().read_bytes())
    except OSError as error:
        raise ParameterError(f"urdf: {file}: {error.strerror or error}") from None
    except ParameterError as error:
        raise ParameterError(f"urdf: {file}: {str(error).removeprefix('urdf: ')}") from None


def urdf_root(urdf: str) -> ElementTree.Element:
    """Parse a URDF and return its <robot> element.

    Namespace prefixes stay part of the names: files keep xacro's after expansion, declared or not.

    Raises:
        ParameterError: the text is no XML, its root is no <robot>, it is xacro, or two of its joints or links have one name.
    """
    builder = ElementTree.TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    try:
        parser.Parse(urdf_text(urdf).encode(), True)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        raise ParameterError(
            f"urdf: not readable as XML ({error}); check the file or topic robot_description"
        ) from None
    root: ElementTree.Element = builder.close()
    if root.tag != "robot":
        raise ParameterError(f"urdf: its root is <{root.tag}>; a URDF's is <robot>")
    parts = {element.tag.partition(":")[0] for element in root}
    if "xacro" in parts and not parts & {"link", "joint"}:
        raise ParameterError(
            "urdf: it is xacro that is not expanded; write what `xacro FILE` prints to a file and name that"
        )
    for tag in ("joint", "link"):
        names = [str(element.get("name")) for element in root.findall(tag)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ParameterError(f"urdf: {tag} {', '.join(twice)}: given more than once; remove all but one")
    return root


def urdf_joints(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """Return the robot's joints by name, in the order of the file.

    Raises:
        ParameterError: a joint has no name, or an element twice that it may have once.
    """
    joints = {}
    for element in root.findall("joint"):
        name = element.get("name")
        if not name:
            raise ParameterError("urdf: a joint has no name")
        for tag in ONCE:
            if len(element.findall(tag)) > 1:
                raise ParameterError(f"urdf: joint {name} has more than one <{tag}>; remove all but one")
        joints[name] = element
    return joints


def root_link(urdf: str) -> str:
    """Return the name of a URDF's root link; raises ParameterError where it has none, or several."""
    root = urdf_root(urdf)
    children = {str(child.get("link")) for child in root.iterfind("joint/child")}
    roots = [str(link.get("name")) for link in root.findall("link") if link.get("name") not in children]
    if len(roots) != 1:
        raise ParameterError(f"urdf: it must have one root link; it has {', '.join(roots) or 'none'}")
    return roots[0]


def urdf_number(text: str, what: str) -> float:
    """Return a number of a URDF.

    Args:
        what: whose it is, for the error.

    Raises:
        ParameterError: it is no finite number within LARGEST.
    """
    stripped = text.strip()
    value = float(stripped) if NUMBER.fullmatch(stripped) else math.nan
    if not abs(value) <= LARGEST:  # nor is NaN
        raise ParameterError(f"{what}={text!r} in the URDF; it must be a number within +-{LARGEST:g}")
    return value


def mimic_of(name: str, element: ElementTree.Element) -> Mimic | None:
    """Return how a joint follows another one; None: it does not.

    Raises:
        ParameterError: <mimic> names no joint, or holds what is no number.
    """
    tag = element.find("mimic")
    if tag is None:
        return None
    leader = tag.get("joint")
    if not leader:
        raise ParameterError(f"urdf: the <mimic> of joint {name} names no joint")
    what = f"urdf: the <mimic> of joint {name} has"
    multiplier = urdf_number(tag.get("multiplier", "1"), f"{what} multiplier")
    return Mimic(leader, multiplier, urdf_number(tag.get("offset", "0"), f"{what} offset"))


def check_no_mimic(name: str, element: ElementTree.Element) -> None:
    """Raise ParameterError where a joint that is to be commanded follows another one."""
    mimic = mimic_of(name, element)
    if mimic is not None:
        raise ParameterError(
            f"joint_names: {name!r} follows {mimic.leader!r} in the URDF (<mimic>); command {mimic.leader!r} alone, or "
            "remove the <mimic>"
        )


def continuous_joints(urdf: str) -> frozenset[str]:
    """Return the names of the joints that turn without end.

    Raises:
        ParameterError: the text is no URDF.
    """
    joints = urdf_joints(urdf_root(urdf))
    return frozenset(name for name, element in joints.items() if element.get("type") == "continuous")


def followers(root: ElementTree.Element, leaders: list[str]) -> dict[str, Mimic]:
    """Return the joints that move with one of `leaders`, each with how it follows it, chains of mimics resolved.

    Raises:
        ParameterError: a <mimic> cannot be read, or its chain comes back to itself or ends at a joint that is not there.
    """
    joints = urdf_joints(root)
    mimics = {name: mimic for name, e in joints.items() if (mimic := mimic_of(name, e)) is not None}
    for name in mimics:
        _check_chain(name, mimics, joints)
    found = {name: Mimic(name, 1.0, 0.0) for name in leaders}
    for _ in mimics:  # one may follow another one: each round finds the next link of such chains
        for name, own in mimics.items():
            if name not in found and own.leader in found:
                up = found[own.leader]
                offset = own.offset + own.multiplier * up.offset
                found[name] = Mimic(up.leader, own.multiplier * up.multiplier, offset)
    return {name: mimic for name, mimic in found.items() if name not in leaders}


def _check_chain(name: str, mimics: Mapping[str, Mimic], joints: Container[str]) -> None:
    chain = [name]
    while chain[-1] in mimics:
        chain.append(mimics[chain[-1]].leader)
        if chain[-1] in chain[:-1]:
            raise ParameterError(f"urdf: joint {name} follows itself (<mimic>: {' → '.join(chain)})")
    if chain[-1] not in joints:
        raise ParameterError(f"urdf: joint {chain[-2]} follows {chain[-1]!r} (<mimic>), which is not in the URDF")
