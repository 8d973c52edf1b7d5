"""The robot as the oracle sees it: joints, limits and bodies of a URDF, and forward kinematics of many samples at once.

Rotations are computed here by hand, and not by the library that the filter uses: the oracle shares no code with the filter.

Every body is a box with a ball rolled around it: a box has radius 0, a cylinder is the capsule around it (a segment,
which is a box of one length, and a radius), a sphere is a point and a radius. One distance serves all pairs.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from xml.etree import ElementTree

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError

MOVABLE = ("revolute", "continuous", "prismatic")


@dataclass(frozen=True)
class JudgedJoint:
    """One joint.

    T_parent_joint: (4, 4) at zero. axis: (3,) unit, in the joint's frame. follows: (joint, multiplier, offset) of a mimic.
    lower, upper: the tighter of the hard and the soft limits.
    """

    name: str
    kind: str
    parent: str
    child: str
    T_parent_joint: Array
    axis: Array
    follows: tuple[str, float, float] | None
    lower: float
    upper: float
    velocity: float


@dataclass(frozen=True)
class JudgedBody:
    """One rigid body: the points within `radius` of the box with half lengths `half` (3,) at `T_link_body` (4, 4), m."""

    link: str
    half: Array
    radius: float
    T_link_body: Array

    @property
    def bounding_radius(self) -> float:
        """Radius of the ball around its centre that contains it, m."""
        return float(np.linalg.norm(self.half)) + self.radius


class JudgedRobot:
    """Joints, bodies and kinematics of one robot.

    Args:
        urdf: text of it.

    Attributes:
        joints: name → JudgedJoint, parents before children.
        group: link → number of the rigid group that it belongs to; 0 is fixed to the base.
        adjacent: pairs of groups that one joint connects.
        meshes: links with a collision mesh, which the oracle does not read and which is no body.

    Raises:
        ParameterError: the text is no URDF of a tree.
    """

    def __init__(self, urdf: str) -> None:
        try:
            root = ElementTree.fromstring(urdf.strip("\ufeff\0 \t\r\n"))
        except ElementTree.ParseError as error:
            raise ParameterError(f"urdf: not readable as XML ({error})") from None
        joints = [_joint(element) for element in root.findall("joint")]
        links = [str(element.get("name")) for element in root.findall("link")]
        for names in (links, [joint.name for joint in joints]):
            if len(set(names)) < len(names):
                twice = sorted(name for name in set(names) if names.count(name) > 1)
                raise ParameterError(f"urdf: {', '.join(twice)}: a name that is given more than once")
        roots = [link for link in links if link not in {joint.child for joint in joints}]
        if len(roots) != 1 and links:
            raise ParameterError(f"urdf: a robot has one root link, this one has {len(roots)} ({', '.join(roots)})")
        self.group = dict.fromkeys(roots, 0)
        self.joints: dict[str, JudgedJoint] = {}
        self.adjacent: set[frozenset[int]] = set()
        waiting = joints
        while waiting and links:
            ready = [joint for joint in waiting if joint.parent in self.group]
            if not ready:
                raise ParameterError(
                    f"urdf: joint {waiting[0].name} hangs on {waiting[0].parent!r}, which hangs on nothing"
                )
            for joint in ready:
                self.joints[joint.name] = joint
                above = self.group[joint.parent]
                new = above if joint.kind == "fixed" else max(self.group.values()) + 1
                self.group[joint.child] = new
                if new != above:
                    self.adjacent.add(frozenset((above, new)))
            waiting = [joint for joint in waiting if joint not in ready]
        self.joints.update({joint.name: joint for joint in waiting})
        elements = [
            (str(link.get("name")), body) for link in root.findall("link") for body in link.findall("collision")
        ]
        self.meshes = sorted({link for link, element in elements if element.find("geometry/mesh") is not None})
        self._elements = [(link, element) for link, element in elements if element.find("geometry/mesh") is None]

    @cached_property
    def bodies(self) -> list[JudgedBody]:
        """The bodies of the collision elements, but for meshes.

        Raises:
            ParameterError: one is no box, cylinder or sphere of a size.
        """
        return [_body(link, element) for link, element in self._elements]

    def movers(self, names: Collection[str]) -> dict[str, frozenset[str]]:
        """Return link → the joints that move it when the named ones are commanded: these, and those that follow them."""
        movers = dict.fromkeys(self.group, frozenset[str]())
        for joint in self.joints.values():
            moved = self._leader(joint).name in names
            movers[joint.child] = movers[joint.parent] | ({joint.name} if moved else set())
        return movers

    def limits(self, name: str) -> tuple[float, float, float]:
        """Return lower, upper and velocity limit of a joint: the tightest of its own and of those that follow it."""
        joint = self.joints[name]
        lower, upper, velocity = joint.lower, joint.upper, joint.velocity
        for other in self.joints.values():
            if other.follows is None or self._leader(other) is not joint:
                continue
            multiplier, offset, link = 1.0, 0.0, other
            while link.follows is not None:
                leader, share, shift = link.follows
                multiplier, offset, link = multiplier * share, offset + multiplier * shift, self.joints[leader]
            if multiplier:
                ends = sorted(((other.lower - offset) / multiplier, (other.upper - offset) / multiplier))
                lower, upper = max(lower, ends[0]), min(upper, ends[1])
                velocity = min(velocity, other.velocity / abs(multiplier))
        return lower, upper, velocity

    def _leader(self, joint: JudgedJoint) -> JudgedJoint:
        """The joint that this one follows in the end; itself, where it follows none."""
        leader = joint
        for _ in self.joints:
            if leader.follows is None:
                return leader
            if leader.follows[0] not in self.joints:
                break
            leader = self.joints[leader.follows[0]]
        raise ParameterError(f"urdf: joint {joint.name} is a mimic of itself, or of a joint that there is not")

    def poses(self, names: Sequence[str], q: Array) -> dict[str, tuple[Array, Array]]:
        """Return the poses of all links at N configurations.

        Args:
            names, q: (N, len(names)) joint positions, rad or m. Joints that are neither named nor follow a named one
                stand at zero, or at the limit nearest to it.

        Returns:
            link → rotation (N, 3, 3) and position (N, 3) in the frame of the root link.
        """
        values = {name: q[:, i] for i, name in enumerate(names)}
        count = len(q)
        poses = {link: (np.broadcast_to(np.eye(3), (count, 3, 3)), np.zeros((count, 3))) for link in self.group}
        for joint in self.joints.values():
            R_base, p_base = poses[joint.parent]
            R, p = joint.T_parent_joint[:3, :3], joint.T_parent_joint[:3, 3]
            p_base = p_base + R_base @ p
            R_base = R_base @ R
            if joint.kind != "fixed":
                value = self._value(joint, values, count)
                if joint.kind == "prismatic":
                    p_base = p_base + (R_base @ joint.axis) * value[:, None]
                else:
                    R_base = R_base @ _rotations(joint.axis, value)
            poses[joint.child] = R_base, p_base
        return poses

    def _value(self, joint: JudgedJoint, values: Mapping[str, Array], count: int) -> Array:
        if joint.follows is not None:
            name, multiplier, offset = joint.follows
            return multiplier * self._value(self.joints[name], values, count) + offset
        if joint.name in values:
            return values[joint.name]
        return np.full(count, min(max(0.0, joint.lower), joint.upper))


def pose(xyz: Sequence[float], rpy: Sequence[float] = (0.0, 0.0, 0.0)) -> Array:
    """Return the (4, 4) transform with translation xyz, m, and roll, pitch, yaw about fixed axes, rad."""
    T = np.eye(4)
    rotations = [_rotations(axis, np.array([angle]))[0] for axis, angle in zip(np.eye(3), rpy, strict=True)]
    T[:3, :3] = rotations[2] @ rotations[1] @ rotations[0]
    T[:3, 3] = xyz
    return T


def capsule(link: str, start: Array, end: Array, radius: float) -> JudgedBody:
    """Return the body of all points within `radius` of a segment, (3,) to (3,), in the link's frame."""
    along = end - start
    length = float(np.linalg.norm(along))
    T = np.eye(4)
    T[:3, 3] = (start + end) / 2
    if length > 0.0:
        z = along / length
        x = np.cross(z, np.eye(3)[np.argmin(np.abs(z))])
        x /= np.linalg.norm(x)
        T[:3, :3] = np.column_stack([x, np.cross(z, x), z])
    return JudgedBody(link, np.array([0.0, 0.0, length / 2]), radius, T)


def _rotations(axis: Array, angle: Array) -> Array:
    """Rotations (N, 3, 3) by angle (N,), rad, about a unit axis (3,): Rodrigues' formula."""
    x, y, z = axis
    K = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    s, c = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    rotations: Array = np.eye(3) + s * K + (1.0 - c) * (K @ K)
    return rotations


def _numbers(text: str | None, count: int, default: float, what: str) -> list[float]:
    if text is None:
        return [default] * count
    try:
        values = [float(word) for word in text.split()]
    except ValueError:
        values = []
    if len(values) != count or not all(math.isfinite(value) for value in values):
        raise ParameterError(f"urdf: {what}: expected {count} finite numbers, got {text!r}")
    return values


def _origin(element: ElementTree.Element, what: str) -> Array:
    origin = element.find("origin")
    if origin is None:
        return np.eye(4)
    return pose(_numbers(origin.get("xyz"), 3, 0.0, what), _numbers(origin.get("rpy"), 3, 0.0, what))


def _joint(element: ElementTree.Element) -> JudgedJoint:
    name, kind = str(element.get("name")), str(element.get("type"))
    what = f"joint {name}"
    if kind not in (*MOVABLE, "fixed"):
        raise ParameterError(f"urdf: {what} is {kind}; known are {', '.join(MOVABLE)} and fixed")

    def named(tag: str) -> str:
        found = element.find(tag)
        return "" if found is None else str(found.get("link"))

    axis, limit, mimic = element.find("axis"), element.find("limit"), element.find("mimic")
    direction = np.array(_numbers(axis.get("xyz"), 3, 0.0, what)) if axis is not None else np.array([1.0, 0.0, 0.0])
    if kind != "fixed" and not np.linalg.norm(direction) > 0.0:
        raise ParameterError(f"urdf: {what} has no direction of its axis")
    bounds = {} if limit is None else dict(limit.attrib)
    if kind == "continuous":
        bounds.pop("lower", None)
        bounds.pop("upper", None)
    lower, upper, velocity = (
        _numbers(bounds.get(key), 1, default, f"{what} {key}")[0]
        for key, default in (("lower", -math.inf), ("upper", math.inf), ("velocity", math.inf))
    )
    soft = {} if (controller := element.find("safety_controller")) is None else controller.attrib
    lower = max(lower, _numbers(soft.get("soft_lower_limit"), 1, lower, f"{what} soft_lower_limit")[0])
    upper = min(upper, _numbers(soft.get("soft_upper_limit"), 1, upper, f"{what} soft_upper_limit")[0])
    follows = None
    if mimic is not None:
        follows = (
            str(mimic.get("joint")),
            _numbers(mimic.get("multiplier"), 1, 1.0, what)[0],
            _numbers(mimic.get("offset"), 1, 0.0, what)[0],
        )
    norm = float(np.linalg.norm(direction)) or 1.0
    T = _origin(element, what)
    return JudgedJoint(
        name, kind, named("parent"), named("child"), T, direction / norm, follows, lower, upper, velocity
    )


def _body(link: str, element: ElementTree.Element) -> JudgedBody:
    geometry = element.find("geometry")
    shape = geometry[0] if geometry is not None and len(geometry) else ElementTree.Element("nothing")
    what, T = f"collision {shape.tag} of link {link}", _origin(element, f"collision of link {link}")
    if shape.tag == "box":
        return JudgedBody(link, np.array(_numbers(shape.get("size"), 3, math.nan, what)) / 2, 0.0, T)
    if shape.tag == "cylinder":
        half = _numbers(shape.get("length"), 1, math.nan, what)[0] / 2
        return JudgedBody(link, np.array([0.0, 0.0, half]), _numbers(shape.get("radius"), 1, math.nan, what)[0], T)
    if shape.tag == "sphere":
        return JudgedBody(link, np.zeros(3), _numbers(shape.get("radius"), 1, math.nan, what)[0], T)
    raise ParameterError(f"urdf: {what}: known are boxes, cylinders, spheres and meshes; give the link one of these")
