"""The simulated arm, described once: Franka's kinematics and limits, geometry of boxes, cylinders, capsules, spheres.

`urdf` and `mjcf_body` write the same links, joints, solids and inertias in two languages, so that the filter's model and
the simulator's cannot drift apart. `config/sim_arm.urdf` is the output of `urdf`.

Frames: `base` stands on the table, x away from the arm's back, y to its left, z up. `tool` lies between the finger pads,
z out of the hand, y along the opening of the fingers (to the finger that `finger_joint` drives), x completing the frame.
Camera frames are optical frames: x right, y down, z along the view.

Sources: kinematic parameters and limits as Franka publishes them for the Panda / FR3 family (modified
Denavit-Hartenberg, Craig's convention). Masses are of that arm, rounded; inertias are those of the drawn solids at
uniform density.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

from vla_ros import transforms
from vla_ros.arrays import Array

Vector = tuple[float, float, float]

ARM_JOINTS = tuple(f"joint{i}" for i in range(1, 8))
FINGER_JOINT = "finger_joint"
JOINT_NAMES = (*ARM_JOINTS, FINGER_JOINT)
MIMIC_JOINT = "finger_joint_mimic"

POSITION_LOWER = np.array([-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973, 0.0])  # rad, m
POSITION_UPPER = np.array([2.8973, 1.7628, 2.8973, -0.0698, 2.8973, 3.7525, 2.8973, 0.04])
VELOCITY_LIMIT = np.array([2.175, 2.175, 2.175, 2.175, 2.61, 2.61, 2.61, 0.2])  # rad/s, m/s
ACCELERATION_LIMIT = np.array([15.0, 7.5, 10.0, 12.5, 15.0, 20.0, 20.0, 4.0])  # rad/s^2, m/s^2
EFFORT_LIMIT = np.array([87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0, 70.0])  # N m, N

HOME = np.array([0.0, -0.9, 0.0, -2.6, 0.0, 1.7, math.pi / 4, 0.04])
"""(8,) where the simulated arm starts: hand over the near edge of the workspace, pointing down, fingers open."""

COLOURS: dict[str, tuple[float, float, float]] = {
    "shell": (0.86, 0.87, 0.88),
    "joint": (0.13, 0.14, 0.15),
    "hand": (0.24, 0.25, 0.27),
    "pad": (0.07, 0.07, 0.07),
}
"""rgb of the arm's materials: greys only, so that no part of the arm has the hue of an object."""


@dataclass(frozen=True)
class Primitive:
    """One solid in its link's frame.

    Attributes:
        shape: "box", "cylinder", "capsule" or "sphere".
        size: half lengths of a box; radius, and half length of the straight part along z; radius of a sphere, m.
        xyz, rpy: pose, m and rad (fixed axes).
        material: key of COLOURS.
    """

    shape: str
    size: tuple[float, ...]
    xyz: Vector = (0.0, 0.0, 0.0)
    rpy: Vector = (0.0, 0.0, 0.0)
    material: str = "shell"

    def parts(self) -> Iterator[tuple[str, tuple[float, ...], Array]]:
        """Yield (shape, size, T_link_part) of boxes, cylinders and spheres: a capsule is a cylinder and two spheres."""
        pose = transform(self.xyz, self.rpy)
        if self.shape != "capsule":
            yield self.shape, self.size, pose
            return
        radius, half = self.size
        yield "cylinder", self.size, pose
        for end in (-half, half):
            yield "sphere", (radius,), pose @ transform((0.0, 0.0, end))

    def volume_and_inertia(self) -> tuple[float, Array]:
        """Return volume in m^3 and the (3, 3) inertia about its centre in the link's axes at density 1, kg m^2."""
        if self.shape == "box":
            x, y, z = self.size
            volume = 8 * x * y * z
            moments = np.array([y * y + z * z, x * x + z * z, x * x + y * y]) * volume / 3
        elif self.shape == "sphere":
            (r,) = self.size
            volume = 4 / 3 * math.pi * r**3
            moments = np.full(3, 0.4 * volume * r * r)
        else:
            r, h = self.size
            volume = 2 * math.pi * r * r * h
            across = volume * (r * r / 4 + h * h / 3)
            moments = np.array([across, across, volume * r * r / 2])
            if self.shape == "capsule":
                ends = 4 / 3 * math.pi * r**3  # both half spheres; their centre lies 3/8 r beyond the straight part
                across = ends * (0.4 * r * r + h * h + 0.75 * h * r)
                moments += np.array([across, across, 0.4 * ends * r * r])
                volume += ends
        rotation = transform(rpy=self.rpy)[:3, :3]
        return volume, rotation @ np.diag(moments) @ rotation.T


@dataclass(frozen=True)
class ArmLink:
    """A body, or a frame without geometry.

    Attributes:
        name: of the link.
        mass: kg.
        solids: none for a frame.
    """

    name: str
    mass: float = 0.0
    solids: tuple[Primitive, ...] = ()

    def inertial(self) -> tuple[Array, Array]:
        """Return the centre of mass (3,) in m and the inertia (3, 3) about it in kg m^2, both in the link's axes."""
        shares = [(np.array(solid.xyz), *solid.volume_and_inertia()) for solid in self.solids]
        density = self.mass / sum(volume for _, volume, _ in shares)
        centre = sum((volume * at for at, volume, _ in shares), np.zeros(3)) * density / self.mass
        inertia = np.zeros((3, 3))
        for at, volume, own in shares:
            r = at - centre
            inertia += density * (own + volume * (r @ r * np.eye(3) - np.outer(r, r)))
        return centre, inertia


@dataclass(frozen=True)
class ArmJoint:
    """Connects `child` to `parent`.

    Attributes:
        name: of the joint.
        kind: "fixed", "revolute" or "prismatic".
        parent, child: names of links.
        xyz, rpy: pose of the child in the parent's frame at position zero, m and rad.
        axis: in the child's frame.
    """

    name: str
    kind: str
    parent: str
    child: str
    xyz: Vector = (0.0, 0.0, 0.0)
    rpy: Vector = (0.0, 0.0, 0.0)
    axis: Vector = (0.0, 0.0, 1.0)


def transform(xyz: Vector = (0.0, 0.0, 0.0), rpy: Vector = (0.0, 0.0, 0.0)) -> Array:
    """Return the (4, 4) matrix of a URDF origin: xyz in m, rpy in rad about fixed axes."""
    cr, cp, cy = np.cos(rpy)
    sr, sp, sy = np.sin(rpy)
    matrix = np.eye(4)
    matrix[:3, :3] = (
        np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
        @ np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
        @ np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    )
    matrix[:3, 3] = xyz
    return matrix


def rpy_of(rotation: Array) -> Vector:
    """Return the fixed-axis angles of a (3, 3) rotation, rad."""
    pitch = math.atan2(-rotation[2, 0], math.hypot(rotation[0, 0], rotation[1, 0]))
    if abs(math.cos(pitch)) > 1e-9:
        return math.atan2(rotation[2, 1], rotation[2, 2]), pitch, math.atan2(rotation[1, 0], rotation[0, 0])
    return math.atan2(-rotation[1, 2], rotation[1, 1]), pitch, 0.0


def wxyz(pose: Array) -> Array:
    """Return the unit quaternion (4,) of a pose (4, 4) in MuJoCo's order w x y z, w >= 0."""
    x, y, z, w = transforms.pose(pose)[3:]
    return np.array([w, x, y, z])


def look_at(eye: Vector, target: Vector) -> tuple[Vector, Vector]:
    """Return xyz and rpy of an optical frame at `eye` whose view passes through `target`, horizon level."""
    z = np.subtract(target, eye) / np.linalg.norm(np.subtract(target, eye))
    x = np.cross(z, (0.0, 0.0, 1.0))
    x /= np.linalg.norm(x)
    return eye, rpy_of(np.column_stack([x, np.cross(z, x), z]))


def _between(start: Vector, end: Vector, radius: float, material: str = "shell") -> Primitive:
    """A capsule whose axis runs from `start` to `end`."""
    a, b = np.array(start), np.array(end)
    direction = (b - a) / np.linalg.norm(b - a)
    pitch = math.atan2(math.hypot(direction[0], direction[1]), direction[2])
    x, y, z = (float(value) for value in (a + b) / 2)
    half = float(np.linalg.norm(b - a)) / 2
    return Primitive(
        "capsule", (radius, half), (x, y, z), (0.0, pitch, math.atan2(direction[1], direction[0])), material
    )


def _disc(radius: float, half: float, xyz: Vector, rpy: Vector = (0.0, 0.0, 0.0), material: str = "joint") -> Primitive:
    return Primitive("cylinder", (radius, half), xyz, rpy, material)


_QUARTER = math.pi / 2
_FINGER = (
    Primitive("box", (0.0095, 0.0065, 0.0185), (0.0, 0.0125, 0.0185), material="hand"),
    Primitive("box", (0.0095, 0.005, 0.011), (0.0, 0.005, 0.045), material="pad"),
)

LINKS = (
    ArmLink(
        "base",
        2.9,
        (
            Primitive("box", (0.115, 0.095, 0.012), (-0.02, 0.0, 0.012), material="joint"),
            _disc(0.085, 0.055, (0.0, 0.0, 0.075), material="shell"),
            _disc(0.072, 0.008, (0.0, 0.0, 0.137)),
        ),
    ),
    ArmLink(
        "link1",
        3.1,
        (
            _disc(0.068, 0.06, (0.0, 0.0, -0.128), material="shell"),
            _between((0.0, -0.035, 0.0), (0.0, 0.035, 0.0), 0.066),
            _between((0.0, 0.0, -0.08), (0.0, 0.0, 0.0), 0.062),
        ),
    ),
    ArmLink(
        "link2",
        3.0,
        (
            _disc(0.055, 0.103, (0.0, 0.0, 0.0)),
            _between((0.0, -0.02, 0.0), (0.0, -0.15, 0.0), 0.058),
            _disc(0.060, 0.008, (0.0, -0.205, 0.0), (_QUARTER, 0.0, 0.0)),
        ),
    ),
    ArmLink(
        "link3",
        3.0,
        (
            _between((0.0, 0.0, -0.085), (0.035, 0.0, -0.04), 0.056),
            _between((0.0825, -0.03, 0.0), (0.0825, 0.03, 0.0), 0.054),
            _between((0.03, 0.0, -0.045), (0.0825, 0.0, 0.0), 0.054),
        ),
    ),
    ArmLink(
        "link4",
        3.0,
        (
            _disc(0.046, 0.086, (0.0, 0.0, 0.0)),
            _between((-0.005, 0.01, 0.0), (-0.0825, 0.075, 0.0), 0.052),
            _disc(0.056, 0.008, (-0.0825, 0.122, 0.0), (_QUARTER, 0.0, 0.0)),
        ),
    ),
    ArmLink(
        "link5",
        3.0,
        (
            _between((0.0, 0.0, -0.21), (0.0, 0.035, -0.14), 0.052),
            _between((0.0, 0.035, -0.14), (0.0, 0.06, -0.02), 0.038),
            _disc(0.044, 0.014, (0.0, 0.066, 0.0), (_QUARTER, 0.0, 0.0)),
        ),
    ),
    ArmLink(
        "link6",
        1.6,
        (
            _between((0.0, 0.0, -0.035), (0.0, 0.0, 0.03), 0.045),
            _between((0.02, 0.0, 0.0), (0.088, 0.0, 0.0), 0.045),
        ),
    ),
    ArmLink(
        "link7",
        0.8,
        (
            _disc(0.046, 0.015, (0.0, 0.0, 0.058)),
            _disc(0.040, 0.022, (0.0, 0.0, 0.085), material="shell"),
        ),
    ),
    ArmLink(
        "hand",
        0.7,
        (
            Primitive("box", (0.022, 0.095, 0.016), (0.0, 0.0, 0.040), material="hand"),
            _disc(0.042, 0.012, (0.0, 0.0, 0.012)),
            Primitive("box", (0.013, 0.016, 0.010), (0.044, 0.0, 0.022), material="joint"),
        ),
    ),
    ArmLink("left_finger", 0.02, _FINGER),
    ArmLink("right_finger", 0.02, _FINGER),
    ArmLink("tool"),
    ArmLink("wrist_camera_optical"),
    ArmLink("front_camera_optical"),
)

JOINTS = (
    ArmJoint("joint1", "revolute", "base", "link1", (0.0, 0.0, 0.333)),
    ArmJoint("joint2", "revolute", "link1", "link2", rpy=(-_QUARTER, 0.0, 0.0)),
    ArmJoint("joint3", "revolute", "link2", "link3", (0.0, -0.316, 0.0), (_QUARTER, 0.0, 0.0)),
    ArmJoint("joint4", "revolute", "link3", "link4", (0.0825, 0.0, 0.0), (_QUARTER, 0.0, 0.0)),
    ArmJoint("joint5", "revolute", "link4", "link5", (-0.0825, 0.384, 0.0), (-_QUARTER, 0.0, 0.0)),
    ArmJoint("joint6", "revolute", "link5", "link6", rpy=(_QUARTER, 0.0, 0.0)),
    ArmJoint("joint7", "revolute", "link6", "link7", (0.088, 0.0, 0.0), (_QUARTER, 0.0, 0.0)),
    ArmJoint("hand_joint", "fixed", "link7", "hand", (0.0, 0.0, 0.107), (0.0, 0.0, -math.pi / 4)),
    ArmJoint(FINGER_JOINT, "prismatic", "hand", "left_finger", (0.0, 0.0, 0.0584), axis=(0.0, 1.0, 0.0)),
    ArmJoint(
        MIMIC_JOINT, "prismatic", "hand", "right_finger", (0.0, 0.0, 0.0584), (0.0, 0.0, math.pi), (0.0, 1.0, 0.0)
    ),
    ArmJoint("tool_joint", "fixed", "hand", "tool", (0.0, 0.0, 0.1034)),
    ArmJoint(
        "wrist_camera_joint", "fixed", "hand", "wrist_camera_optical", *look_at((0.062, 0.0, 0.022), (0.012, 0.0, 0.13))
    ),
    ArmJoint(
        "front_camera_joint", "fixed", "base", "front_camera_optical", *look_at((1.25, 0.0, 0.80), (0.44, 0.0, 0.02))
    ),
)


def limits_of(joint: str) -> tuple[float, float, float, float]:
    """Return lower, upper (rad or m), velocity (per s) and effort (N m or N) of a moving joint."""
    i = JOINT_NAMES.index(FINGER_JOINT if joint == MIMIC_JOINT else joint)
    return float(POSITION_LOWER[i]), float(POSITION_UPPER[i]), float(VELOCITY_LIMIT[i]), float(EFFORT_LIMIT[i])


def origin_of(child: str) -> Array:
    """Return the (4, 4) pose of link `child` in its parent at joint position zero, e.g. of "front_camera_optical"."""
    (joint,) = [joint for joint in JOINTS if joint.child == child]
    return transform(joint.xyz, joint.rpy)


def urdf() -> str:
    """Return the arm as URDF text: visual and collision geometry are the same primitives."""
    robot = ElementTree.Element("robot", name="sim_arm")
    for name, rgb in COLOURS.items():
        ElementTree.SubElement(ElementTree.SubElement(robot, "material", name=name), "color", rgba=_text((*rgb, 1.0)))
    for link in LINKS:
        element = ElementTree.SubElement(robot, "link", name=link.name)
        if link.mass:
            centre, inertia = link.inertial()
            inertial = ElementTree.SubElement(element, "inertial")
            ElementTree.SubElement(inertial, "origin", xyz=_text(centre), rpy="0 0 0")
            ElementTree.SubElement(inertial, "mass", value=_text((link.mass,)))
            terms = {"ixx": (0, 0), "ixy": (0, 1), "ixz": (0, 2), "iyy": (1, 1), "iyz": (1, 2), "izz": (2, 2)}
            ElementTree.SubElement(inertial, "inertia", {name: _text((inertia[at],)) for name, at in terms.items()})
        for purpose in ("visual", "collision"):
            for solid in link.solids:
                for shape, size, pose in solid.parts():
                    _urdf_solid(ElementTree.SubElement(element, purpose), shape, size, pose, solid.material)
    for joint in JOINTS:
        element = ElementTree.SubElement(robot, "joint", name=joint.name, type=joint.kind)
        ElementTree.SubElement(element, "parent", link=joint.parent)
        ElementTree.SubElement(element, "child", link=joint.child)
        ElementTree.SubElement(element, "origin", xyz=_text(joint.xyz), rpy=_text(joint.rpy))
        if joint.kind == "fixed":
            continue
        ElementTree.SubElement(element, "axis", xyz=_text(joint.axis))
        lower, upper, velocity, effort = (_text((value,)) for value in limits_of(joint.name))
        ElementTree.SubElement(element, "limit", lower=lower, upper=upper, velocity=velocity, effort=effort)
        if joint.name == MIMIC_JOINT:
            ElementTree.SubElement(element, "mimic", joint=FINGER_JOINT, multiplier="1", offset="0")
    ElementTree.indent(robot)
    return (
        '<?xml version="1.0"?>\n<!-- Generated from vla_ros/sim/arm_description.py; change it there. -->\n'
        + ElementTree.tostring(robot, encoding="unicode")
        + "\n"
    )


def mjcf_body() -> ElementTree.Element:
    """Return the arm as an MJCF <body>: bodies, joints, inertias and geoms; a link without solids becomes a site.

    Geoms have class "arm", those of material "pad" class "pad", joints class "arm_joint" or "finger_joint": the scene
    gives these classes their contact and damping.
    """
    links = {link.name: link for link in LINKS}
    (root,) = set(links) - {joint.child for joint in JOINTS}
    return _mjcf_link(links, links[root], None)


def _mjcf_link(links: dict[str, ArmLink], link: ArmLink, joint: ArmJoint | None) -> ElementTree.Element:
    xyz, rpy = (joint.xyz, joint.rpy) if joint else ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
    place = {"name": link.name, "pos": _text(xyz), "quat": _text(wxyz(transform(rpy=rpy)))}
    if not link.solids:
        return ElementTree.Element("site", place)
    body = ElementTree.Element("body", place)
    if joint and joint.kind != "fixed":
        lower, upper, _, _ = limits_of(joint.name)
        ElementTree.SubElement(
            body,
            "joint",
            {"name": joint.name, "class": "finger_joint" if joint.kind == "prismatic" else "arm_joint"},
            axis=_text(joint.axis),
            range=_text((lower, upper)),
        )
    centre, inertia = link.inertial()
    terms = (inertia[0, 0], inertia[1, 1], inertia[2, 2], inertia[0, 1], inertia[0, 2], inertia[1, 2])
    ElementTree.SubElement(body, "inertial", pos=_text(centre), mass=_text((link.mass,)), fullinertia=_text(terms))
    for solid in link.solids:
        ElementTree.SubElement(
            body,
            "geom",
            {"class": "pad" if solid.material == "pad" else "arm"},
            type=solid.shape,
            size=_text(solid.size),
            pos=_text(solid.xyz),
            quat=_text(wxyz(transform(rpy=solid.rpy))),
            rgba=_text((*COLOURS[solid.material], 1.0)),
        )
    for below in JOINTS:
        if below.parent == link.name:
            body.append(_mjcf_link(links, links[below.child], below))
    return body


def _urdf_solid(element: ElementTree.Element, shape: str, size: tuple[float, ...], pose: Array, material: str) -> None:
    ElementTree.SubElement(element, "origin", xyz=_text(pose[:3, 3]), rpy=_text(rpy_of(pose[:3, :3])))
    geometry = ElementTree.SubElement(element, "geometry")
    if shape == "box":
        ElementTree.SubElement(geometry, "box", size=_text(tuple(2 * half for half in size)))
    elif shape == "cylinder":
        ElementTree.SubElement(geometry, "cylinder", radius=_text(size[:1]), length=_text((2 * size[1],)))
    else:
        ElementTree.SubElement(geometry, "sphere", radius=_text(size))
    if element.tag == "visual":
        ElementTree.SubElement(element, "material", name=material)


def _text(values: tuple[float, ...] | Array) -> str:
    """Numbers as both formats write them; rounded, so that the file does not change with the last bit of a sine."""
    return " ".join(f"{round(float(value), 10) + 0.0:.10g}" for value in values)


if __name__ == "__main__":
    print(urdf(), end="")
