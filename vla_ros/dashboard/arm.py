"""The arm as the page draws it: its visual shapes as meshes, and the poses of joints, tool and cameras at q."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import coal
import numpy as np
import pinocchio as pin
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.robot.meshes import locate_meshes, package_folders

DEFAULT_COLOUR = (0.75, 0.77, 0.8)  # of a shape without a colour of its own
PROFILE_POINTS = 12
SEGMENTS = 28


@dataclass(frozen=True)
class JointMesh:
    """Triangles that move with one joint.

    joint: index as in `Arm.joints`; 0 is the base. vertices: (v, 3) m in the joint's frame. faces: (f, 3) indices.
    colour: red, green, blue, 0..1.
    """

    joint: int
    vertices: NDArray[np.float32]
    faces: NDArray[np.uint32]
    colour: tuple[float, float, float]


class Arm:
    """The kinematic chain of a URDF; joints that it couples to others (mimic) follow.

    Args:
        urdf: text of the URDF.
        joint_names: order of every q; other joints of the URDF stay at 0.
        tool_frame: link whose path is drawn.
        mesh_folders: where the URDF's meshes lie, see `meshes`; besides, in the sourced ROS installations.

    Attributes:
        base: name of the root link. joints: (parent, name) of each joint of the URDF; 0 is the base, parents come first.
        lower, upper, velocity: limits of joint_names, rad or m and per second. prismatic: the joints measured in metres.
        missing_meshes: files that `meshes` could not read: paths, or addresses of the URDF where nothing was found.

    Raises:
        ParameterError: the URDF cannot be read, or lacks a joint or the tool frame.
    """

    def __init__(
        self, urdf: str, joint_names: Sequence[str], tool_frame: str, mesh_folders: Sequence[Path] = ()
    ) -> None:
        try:
            self._model: Any = pin.buildModelFromXML(urdf, mimic=True)
        except (ValueError, RuntimeError) as error:
            raise ParameterError(f"urdf: cannot be read as a model: {' '.join(str(error).split())}") from None
        for name in joint_names:
            if not self._model.existJointName(name):
                raise ParameterError(f"joint_names: {name!r} is not a joint of the URDF")
        if not self._model.existFrame(tool_frame):
            raise ParameterError(f"tool_frame: {tool_frame!r} is not a link of the URDF")
        self.missing_meshes: list[str] = []
        self.urdf = _with_located_meshes(urdf, mesh_folders)
        self._data: Any = self._model.createData()
        self._tool: int = self._model.getFrameId(tool_frame)
        self._joints = [self._model.joints[self._model.getJointId(name)] for name in joint_names]
        self._q: Array = pin.neutral(self._model)
        self.joint_names = tuple(joint_names)
        self.base = str(self._model.frames[1].name)  # 0 is pinocchio's own "universe"
        self.joints = list(zip(self._model.parents, self._model.names, strict=True))
        self.lower, self.upper, self.velocity = (
            [float(values[getattr(joint, index)]) if joint.nq == 1 else math.inf for joint in self._joints]
            for values, index in (
                (self._model.lowerPositionLimit, "idx_q"),
                (self._model.upperPositionLimit, "idx_q"),
                (self._model.velocityLimit, "idx_v"),
            )
        )
        self.prismatic = frozenset(
            name
            for name, joint in zip(joint_names, self._joints, strict=True)
            if joint.shortname().startswith("JointModelP")
        )

    def meshes(self) -> list[JointMesh]:
        """Return the visual shapes, merged by joint and colour, without those of `missing_meshes`."""
        groups: dict[tuple[int, tuple[float, float, float]], list[tuple[Array, NDArray[np.int64]]]] = {}
        for shape in self._shapes():
            colour = tuple(float(c) for c in shape.meshColor[:3]) if shape.overrideMaterial else DEFAULT_COLOUR
            vertices, faces = _triangles(shape)
            placed = vertices @ shape.placement.rotation.T + shape.placement.translation
            groups.setdefault((shape.parentJoint, colour), []).append((placed, faces))  # type: ignore[arg-type]
        meshes = []
        for (joint, colour), parts in groups.items():
            starts = np.cumsum([0, *(len(vertices) for vertices, _ in parts)])
            faces = np.concatenate([part + start for (_, part), start in zip(parts, starts, strict=False)])
            vertices = np.concatenate([vertices for vertices, _ in parts])
            meshes.append(JointMesh(joint, vertices.astype(np.float32), faces.astype(np.uint32), colour))
        return meshes

    def _shapes(self) -> list[Any]:
        """Return the visual shapes that can be read; where there is none, the collision shapes."""
        self.missing_meshes = []
        for kind, element in ((pin.GeometryType.VISUAL, "visual"), (pin.GeometryType.COLLISION, "collision")):
            try:
                shapes = _load_shapes(self._model, self.urdf, kind)
            except (ValueError, RuntimeError):  # it names one missing file, not all of them
                shapes = _load_shapes(self._model, self._without_missing_meshes(element), kind)
            if shapes:
                return shapes
        return []

    def _without_missing_meshes(self, element: str) -> str:
        """Return the URDF with an empty sphere for each mesh of `element` that cannot be read."""
        robot = ElementTree.fromstring(self.urdf.strip())
        for geometry in robot.iterfind(f"link/{element}/geometry"):
            shape = ElementTree.tostring(geometry, "unicode")
            alone = f'<robot name="alone"><link name="alone"><visual>{shape}</visual></link></robot>'
            try:
                _load_shapes(pin.buildModelFromXML(alone), alone, pin.GeometryType.VISUAL)
            except (ValueError, RuntimeError):
                self.missing_meshes += [mesh.get("filename", "") for mesh in geometry]
                # Not the whole element: its material may be the one that others name.
                geometry[:] = [ElementTree.Element("sphere", radius="0")]
        return ElementTree.tostring(robot, "unicode")

    def set_joints(self, q: Sequence[float]) -> None:
        """Move the arm to q, (n,) rad or m, in the order of joint_names; the poses below are those at q."""
        for joint, value in zip(self._joints, q, strict=True):
            if joint.nq == 1:
                self._q[joint.idx_q] = value
            else:  # pinocchio holds a continuous joint as cosine and sine
                self._q[joint.idx_q : joint.idx_q + 2] = math.cos(value), math.sin(value)
        pin.framesForwardKinematics(self._model, self._data, self._q)

    def joint_pose(self, joint: int) -> tuple[Array, Array]:
        """Return position (3,) m and quaternion (4,) wxyz of a joint in the frame of its parent."""
        placement = self._data.liMi[joint]
        x, y, z, w = pin.Quaternion(placement.rotation).coeffs()
        return np.array(placement.translation), np.array([w, x, y, z])

    def tool_position(self) -> Array:
        """Return p_base_tool, (3,) m."""
        return np.array(self._data.oMf[self._tool].translation)

    def link_pose(self, name: str) -> Array | None:
        """Return T_base_link, (4, 4); None when the URDF has no such link."""
        if not self._model.existFrame(name):
            return None
        return np.array(self._data.oMf[self._model.getFrameId(name)].homogeneous)


def _with_located_meshes(urdf: str, folders: Sequence[Path]) -> str:
    """Return a URDF with the paths of the mesh files that are found, as the filter finds them."""
    robot = ElementTree.fromstring(urdf.strip())
    for element in ("visual", "collision"):
        locate_meshes(robot, element, folders)
    return ElementTree.tostring(robot, "unicode")


def _load_shapes(model: Any, urdf: str, kind: Any) -> list[Any]:
    """Return the shapes of a URDF, without empty spheres; raises ValueError or RuntimeError for a mesh file."""
    shapes = pin.buildGeomFromUrdfString(model, urdf, kind, package_dirs=package_folders()).geometryObjects
    return [shape for shape in shapes if getattr(shape.geometry, "radius", 1.0) > 0.0]


def _triangles(element: Any) -> tuple[Array, NDArray[np.int64]]:
    """Return vertices (v, 3) m and faces (f, 3) of a shape in its own frame."""
    shape = element.geometry
    if isinstance(shape, coal.Box):
        return _box(np.array(shape.halfSide))
    if isinstance(shape, coal.Sphere):
        return _revolve(_capsule_profile(shape.radius, 0.0))
    if isinstance(shape, coal.Capsule):
        return _revolve(_capsule_profile(shape.radius, shape.halfLength))
    if isinstance(shape, coal.Cylinder):
        r, h = shape.radius, shape.halfLength
        # Each rim twice, so that shading keeps it sharp.
        return _revolve(np.array([[0.0, -h], [r, -h], [r, -h], [r, h], [r, h], [0.0, h]]))
    vertices = np.array(shape.vertices()) * np.array(element.meshScale)
    faces = [[t[0], t[1], t[2]] for t in (shape.tri_indices(i) for i in range(shape.num_tris))]
    return vertices, np.array(faces, np.int64)


def _capsule_profile(radius: float, half_length: float) -> Array:
    """Return the profile (p, 2) of a capsule: distance from the axis and height, m, from the lower end to the upper."""
    angles = np.linspace(-np.pi / 2, np.pi / 2, PROFILE_POINTS)
    profile: Array = np.stack(
        [radius * np.cos(angles), radius * np.sin(angles) + np.where(angles < 0, -half_length, half_length)], 1
    )
    return profile


def _revolve(profile: Array, segments: int = SEGMENTS) -> tuple[Array, NDArray[np.int64]]:
    """Return the surface of revolution about z of a profile (p, 2): distance from the axis and height, m."""
    angles = np.linspace(0.0, 2 * np.pi, segments, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], 1)
    vertices = np.concatenate([np.column_stack([r * ring, np.full(segments, z)]) for r, z in profile])
    i, k = np.meshgrid(np.arange(len(profile) - 1), np.arange(segments), indexing="ij")
    a, b = i * segments + k, i * segments + (k + 1) % segments
    faces = np.concatenate([np.stack([a, b, b + segments], -1), np.stack([a, b + segments, a + segments], -1)])
    return vertices, faces.reshape(-1, 3)


def _box(half_size: Array) -> tuple[Array, NDArray[np.int64]]:
    """Return a box; each side has four vertices of its own, so that shading keeps its edges sharp."""
    vertices: list[Array] = []
    faces: list[list[int]] = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for side in (-1.0, 1.0):
            start = len(vertices)
            for a, b in ((-1, -1), (side, -side), (1, 1), (-side, side)):
                corner = np.zeros(3)
                corner[axis], corner[u], corner[v] = side, a, b
                vertices.append(corner * half_size)
            faces += [[start, start + 1, start + 2], [start, start + 2, start + 3]]
    return np.array(vertices), np.array(faces, np.int64)
