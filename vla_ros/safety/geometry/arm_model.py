"""Where are the bodies of the arm, and how far apart? Read from the URDF, placed by pinocchio, measured by coal.

Every collision element becomes one body: a box stays a box, a sphere a sphere, a cylinder becomes the capsule around it, a
mesh the capsule around its vertices. A body inside another one of the same link is left out. Frames: all poses are in the
frame of the URDF's root link, here called base.

A joint that moves by s moves no point of a body by more than r s, where the lever arm bound r bounds the distance from the
joint's axis to the body in every configuration (for a prismatic joint r = 1). The sum over the joints bounds the motion of
the body along any path, which is all that `clearance` needs to know about what lies between two samples:
    |p(q1) - p(q0)| <= sum over joints of r_i * (distance that joint i travels from q0 to q1)
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import coal
import numpy as np
import pinocchio as pin
from numpy.typing import ArrayLike

from vla_ros.arrays import Array
from vla_ros.parameters import Faults, ParameterError
from vla_ros.robot.meshes import locate_meshes
from vla_ros.robot.robot_model import collision_geometry, robot_model
from vla_ros.robot.urdf import followers, urdf_joints, urdf_root
from vla_ros.safety.geometry_parameters import PayloadParameters, ToolParameters

ROUNDING = 1.0 + 1e-9
"""Bounds are computed in floating point; this makes up for it."""
TOUCHING_M = 1e-9
"""Shapes as near as that have no direction in which they are apart."""


@dataclass(frozen=True)
class CollisionBody:
    """A rigid piece of the arm.

    link: its name. joint: pinocchio's index of the joint that carries it. points: (k, 3) in that joint's frame, m; the body
    is the convex hull of balls of `radius` around them. index: of the shape in the geometry model.
    """

    link: str
    joint: int
    points: Array
    radius: float
    index: int


class Coupling(NamedTuple):
    """How a joint of the model follows a commanded one: it stands at offset + ratio * position of joint `driver`.

    velocity, position: its index in the model's vectors. continuous: pinocchio keeps its cosine and sine.
    commanded: it is the commanded joint itself, no mimic.
    """

    driver: int
    velocity: int
    position: int
    continuous: bool
    offset: float
    ratio: float
    commanded: bool


class ArmModel:
    """Kinematics, dynamics and bodies of one arm with its tool and payload.

    root: name of its root link. bodies: in the order in which methods number them. fingerprint: equal for equal bodies.

    Args:
        urdf: text of the URDF.
        joint_names: the joints that the filter commands; the model's others stay at 0, or at the limit nearest to it.
        tool: what is mounted on the arm.
        payload: what the arm carries.
        mesh_folders: where the URDF's meshes lie, see `meshes`; None: nobody asks for bodies, and no mesh is read.

    Raises:
        ParameterError: the URDF cannot be read as a model, or names meshes that are not there; all are named.
    """

    def __init__(
        self,
        urdf: str,
        joint_names: Sequence[str],
        tool: ToolParameters,
        payload: PayloadParameters,
        mesh_folders: Sequence[Path] | None = (),
    ) -> None:
        self._joints = len(joint_names)
        self.fingerprint = (urdf, tuple(joint_names), repr(tool))
        root = urdf_root(urdf)
        self.model = robot_model(urdf)
        self.root: str = self.model.frames[1].name
        self._shaped = [str(link.get("name")) for link in root.findall("link") if link.find("collision") is not None]
        faults = Faults()
        for name in joint_names:
            faults.require(self.model.existJointName(name), f"joint_names: {name!r} is not a joint of the URDF")
        faults.refuse()
        self._couplings = _couplings(self.model, root, joint_names)
        driven = sorted(self._couplings, key=lambda coupling: coupling.velocity)
        self._driver = np.array([c.driver for c in driven], np.intp)
        self._velocity_of = np.array([c.velocity for c in driven], np.intp)
        self._position_of = np.array([c.position for c in driven], np.intp)
        self._offset, self._ratio = np.array([c.offset for c in driven]), np.array([c.ratio for c in driven])
        self._continuous = [(k, c.position) for k, c in enumerate(driven) if c.continuous]
        # (n, nv): velocities of the model's joints are those of the commanded ones times this.
        self._coupling_matrix = np.zeros((len(joint_names), self.model.nv))
        self._coupling_matrix[self._driver, self._velocity_of] = self._ratio
        self._axes = _axes(self.model, root)
        self._joint_of_velocity = {self.model.joints[joint].idx_v: joint for joint in range(1, self.model.njoints)}
        carriers = np.array([self._joint_of_velocity.get(k, 0) for k in range(self.model.nv)], np.intp)
        # (joints, nv): 1 where a velocity moves a body of that joint.
        self._moves = np.array([np.isin(carriers, np.array(support)[1:]) for support in self.model.supports], float)
        self._q = np.clip(pin.neutral(self.model), self.model.lowerPositionLimit, self.model.upperPositionLimit)
        with faults.collected():
            self._add_payload(payload)
        shapes: Sequence[Any] = []
        with faults.collected():
            shapes = [] if mesh_folders is None else _collision_shapes(self.model, root, mesh_folders)
        if tool.link:
            with faults.collected():
                self._frame(tool.link, "tool.link")
        faults.refuse()
        self._data = self.model.createData()
        self.geometry = pin.GeometryModel()
        self.bodies = self._collision_bodies(shapes, tool)
        self._geometry_data = self.geometry.createData()
        self._pairs_of: dict[int, list[int]] = {}
        self._lever_arms = [self._lever_arm_bounds_of(body) for body in self.bodies]
        self._tool_joint = self._carrier_of_tool()

    def add_fixed_shape(self, name: str, shape: Any, pose: Any) -> int:
        """Add a shape that stands in the base frame; return its index. All pairs are added after it, see `add_pair`."""
        index: int = self.geometry.addGeometryObject(pin.GeometryObject(name, 0, 0, pose, shape))
        return index

    def replace_fixed_shape(self, index: int, shape: Any, pose: Any) -> None:
        """Put another shape, or another pose, in the place of one that was added."""
        objects = self.geometry.geometryObjects
        objects[index].geometry, objects[index].placement = shape, pose
        # pinocchio chose how to measure each pair when it first saw its shapes: a box would still be measured as a ball.
        for k in self._pairs_of.get(index, ()):
            pair = self.geometry.collisionPairs[k]
            self._geometry_data.distance_functors[k] = pin.ComputeDistance(objects[pair.first], objects[pair.second])

    def move_fixed_shape(self, index: int, pose: Any) -> None:
        """Put one that was added somewhere else, as the shape that it is: that costs a hundredth of a replacement."""
        self.geometry.geometryObjects[index].placement = pose

    def add_pair(self, first: int, second: int) -> int:
        """Add a pair of shapes, given by their indices, whose distance can be asked for; return its index."""
        self.geometry.addCollisionPair(pin.CollisionPair(first, second))
        added = len(self.geometry.collisionPairs) - 1
        for index in (first, second):
            self._pairs_of.setdefault(index, []).append(added)
        return added

    def finish_pairs(self) -> None:
        """Prepare the distance computation, once all shapes and pairs have been added."""
        self._geometry_data = self.geometry.createData()
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # there is no other name for it yet
            for request in self._geometry_data.distanceRequests:
                # Beginning at the last result, coal comes to other last bits: a replay that asks less would differ.
                request.enable_cached_gjk_guess = False

    def place(self, q: ArrayLike) -> None:
        """Move all bodies to where they are at q, (n,) rad or m in the order of joint_names."""
        pin.forwardKinematics(self.model, self._data, self.full(q))
        pin.updateGeometryPlacements(self.model, self._data, self.geometry, self._geometry_data)

    def distance(self, pair: int) -> float:
        """Return the distance of a pair where the arm was placed, m; negative when its shapes overlap.

        Raises:
            ValueError: it is not a number. Every comparison with it would be false, and let something pass.
        """
        distance = float(pin.computeDistance(self.geometry, self._geometry_data, pair).min_distance)
        if math.isnan(distance):
            shapes = self.geometry.collisionPairs[pair]
            names = (self.geometry.geometryObjects[index].name for index in (shapes.first, shapes.second))
            raise ValueError(f"the distance between {' and '.join(names)} is not a number")
        return distance

    def nearest_points(self, pair: int) -> tuple[Array, Array]:
        """Return the points of a pair nearest to each other where the arm was placed, (3,) each in base, m."""
        result = pin.computeDistance(self.geometry, self._geometry_data, pair)
        return np.array(result.getNearestPoint1()), np.array(result.getNearestPoint2())

    def distance_gradients(self, q: ArrayLike, pairs: Sequence[int], distances: ArrayLike) -> Array:
        """Return how the distances of pairs change with the commanded joints, (k, n) m per rad or m; 0 where shapes touch.

        Args:
            q: (n,) rad or m; the bodies stand there afterwards.
            pairs: (k,) their indices.
            distances: (k,) there, m.
        """
        self.place(q)
        columns = pin.computeJointJacobians(self.model, self._data, self.full(q))
        gradients = np.zeros((len(pairs), self.model.nv))
        for i, (k, distance) in enumerate(zip(pairs, np.asarray(distances), strict=True)):
            pair, points = self.geometry.collisionPairs[k], self.nearest_points(k)
            apart = points[0] - points[1]
            length = math.copysign(math.sqrt(float(np.add.reduce(apart * apart))), distance)
            if abs(length) < TOUCHING_M:
                continue
            for index, point, normal in zip(
                (pair.first, pair.second), points, (apart / length, -apart / length), strict=True
            ):
                (x, y, z), (nx, ny, nz) = point, normal
                wrench = np.array([nx, ny, nz, y * nz - z * ny, z * nx - x * nz, x * ny - y * nx])
                moves = self._moves[self.geometry.geometryObjects[index].parentJoint]
                gradients[i] += wrench.dot(columns) * moves
        found: Array = gradients.dot(self._coupling_matrix.T)
        return found

    def efforts(self, q: Array, dq: Array, ddq: Array) -> Array:
        """Return the inverse dynamics of k states, what coupled joints need included.

        Args:
            q, dq, ddq: (k, n) rad or m, and per s and s^2.

        Returns:
            (k, n) N m or N.
        """
        rates, changes = dq.dot(self._coupling_matrix), ddq.dot(self._coupling_matrix)
        rnea, model, data, full = pin.rnea, self.model, self._data, self.full
        tau = np.array([rnea(model, data, full(q[i]), rates[i], changes[i]) for i in range(len(q))])
        efforts: Array = tau.dot(self._coupling_matrix.T)
        return efforts

    def tool_speed(self, q: ArrayLike, dq: ArrayLike) -> float:
        """Return the speed of the fastest point of the tool, m/s: of all bodies behind the last joint that is not prismatic.

        Args:
            q, dq: (n,) rad or m, and per second.
        """
        carrier = self._tool_joint
        pin.forwardKinematics(self.model, self._data, self.full(q), np.asarray(dq).dot(self._coupling_matrix))
        fastest = 0.0
        for body in self.bodies:
            if carrier in self.model.supports[body.joint]:
                motion = self._data.v[body.joint]
                speeds = np.linalg.norm(motion.linear + np.cross(motion.angular, body.points), axis=1)
                fastest = max(fastest, float(speeds.max()) + float(np.linalg.norm(motion.angular)) * body.radius)
        return fastest

    def _carrier_of_tool(self) -> int:
        """The last joint that carries bodies and turns: what moves behind it are fingers."""
        last = max((body.joint for body in self.bodies), default=0)
        turning = [joint for joint in self.model.supports[last] if joint in self._axes and not self._axes[joint][1]]
        return turning[-1] if turning else last

    def effort_limits(self) -> list[float]:
        """Return what the URDF gives, N m or N per joint of joint_names; 0 or infinite where it gives none."""
        limits = self.model.upperEffortLimit
        return [float(limits[coupling.velocity]) for coupling in self._couplings if coupling.commanded]

    def bodies_without_mass(self) -> list[str]:
        """Return the links, or joints, that the commanded joints move and of which the URDF tells no mass.

        A rigid body counts with all its links. One without a shape is a frame, and needs none; but each commanded joint must
        move some mass.
        """
        model, moved = self.model, {self._joint_of_velocity[coupling.velocity] for coupling in self._couplings}
        shaped = {body.joint: body.link for body in reversed(self.bodies)}
        shaped |= {model.frames[model.getBodyId(link)].parentJoint: link for link in reversed(self._shaped)}
        missing = []
        for joint in range(1, model.njoints):
            if moved.intersection(model.supports[joint]) and joint in shaped and not model.inertias[joint].mass > 0.0:
                missing.append(shaped[joint])
        for joint in sorted(moved):
            carried = (model.inertias[k].mass for k in range(joint, model.njoints) if joint in model.supports[k])
            if not sum(carried) > 0.0:
                missing.append(str(model.names[joint]))
        return missing

    @property
    def joints(self) -> int:
        """How many joints are commanded."""
        return self._joints

    @property
    def couplings(self) -> Sequence[Coupling]:
        """How the model's joints follow the commanded ones."""
        return self._couplings

    def body_frame(self, link: str, key: str) -> tuple[int, Any]:
        """Return pinocchio's index of the joint that carries a link, and the link's pose in that joint's frame.

        Raises:
            ParameterError: it is not a link of the URDF; the text names the parameter `key`.
        """
        frame = self._frame(link, key)
        return int(frame.parentJoint), frame.placement

    def lever_arms_of(self, joint: int, points: Array, radius: float = 0.0) -> dict[int, float]:
        """Return the lever arm bounds of points (k, 3) in the frame of one of the model's joints, by pinocchio's index."""
        return self._lever_arm_bounds_of(CollisionBody("", joint, points, radius, -1))

    def full(self, q: ArrayLike) -> Array:
        """Return the model's position vector, (nq,), from the commanded joints' positions; the next call overwrites it."""
        values = np.asarray(q, np.float64).take(self._driver)
        values *= self._ratio
        values += self._offset
        full: Array = self._q
        full[self._position_of] = values
        for k, i in self._continuous:
            full[i], full[i + 1] = math.cos(values[k]), math.sin(values[k])
        return full

    def _add_payload(self, payload: PayloadParameters) -> None:
        if payload.mass_kg == 0.0:
            return
        frame = self._frame(payload.link, "payload.link")
        inertia = pin.Inertia(payload.mass_kg, np.array(payload.centre), np.zeros((3, 3)))
        self.model.appendBodyToJoint(frame.parentJoint, inertia, frame.placement)

    def _frame(self, link: str, key: str) -> Any:
        if not self.model.existBodyName(link):
            known = ", ".join(frame.name for frame in self.model.frames if frame.type == pin.FrameType.BODY)
            raise ParameterError(f"{key}: {link!r} is not a link of the URDF; it has {known}")
        return self.model.frames[self.model.getBodyId(link)]

    def _collision_bodies(self, shapes: Sequence[Any], tool: ToolParameters) -> list[CollisionBody]:
        found: list[tuple[str, int, Array, float, Any, Any]] = []
        for element in shapes:
            link = self.model.frames[element.parentFrame].name
            shape, pose = _body_shape(element, link)
            found.append((link, element.parentJoint, *_hull_points(shape, pose), shape, pose))
        for i in range(0, len(tool.capsules), 7):
            frame = self._frame(tool.link, "tool.link")
            numbers = np.array(tool.capsules[i : i + 7])
            shape, pose = _capsule(numbers[:3], numbers[3:6], float(numbers[6]))
            pose = frame.placement * pose
            found.append((f"tool_{i // 7 + 1}", frame.parentJoint, *_hull_points(shape, pose), shape, pose))
        bodies = []
        for i, (link, joint, points, radius, shape, pose) in enumerate(found):
            containers = [
                k for k, other in enumerate(found) if k != i and other[0] == link and _inside(found[i], other)
            ]
            if any(k < i or not _inside(found[k], found[i]) for k in containers):  # of two equal ones the first stays
                continue
            index = self.geometry.addGeometryObject(pin.GeometryObject(f"{link}_{i}", joint, 0, pose, shape))
            bodies.append(CollisionBody(link, joint, points, radius, index))
        return bodies

    def _lever_arm_bounds_of(self, body: CollisionBody) -> dict[int, float]:
        """Bound on the distance from the axis of each joint before the body to the body, m; 1 for a prismatic joint.

        From the body inwards: the whole body lies within `ball` of the joint's origin, whatever the joints between do. The
        offset to the next joint adds to the distance from the axis only what of it is perpendicular to the axis.
        """
        bounds: dict[int, float] = {}
        joint, points = body.joint, body.points
        ball = float(np.linalg.norm(points, axis=1).max()) + body.radius
        across, added = points, body.radius
        while joint > 0:
            if joint not in self._axes:
                name = self.model.names[joint]
                raise ParameterError(f"urdf: joint {name} carries bodies and is not revolute, continuous or prismatic")
            axis, prismatic = self._axes[joint]
            perpendicular = np.linalg.norm(across - np.outer(across @ axis, axis), axis=1).max() + added
            bounds[joint] = 1.0 if prismatic else float(min(ball, perpendicular)) * ROUNDING
            if prismatic:
                ball += self._prismatic_range(joint)
            offset = self.model.jointPlacements[joint].translation
            across, added = offset.reshape(1, 3), ball
            ball += float(np.linalg.norm(offset))
            joint = self.model.parents[joint]
        return bounds

    def _prismatic_range(self, joint: int) -> float:
        """How far a prismatic joint goes from 0 at most, m: a mimic as far as the joint drives it that it follows."""
        at = self.model.joints[joint].idx_q
        for coupling in self._couplings:
            if coupling.position == at:
                at = next(c.position for c in self._couplings if c.commanded and c.driver == coupling.driver)
                ends = self.model.lowerPositionLimit[at], self.model.upperPositionLimit[at]
                return float(max(abs(coupling.offset + coupling.ratio * end) for end in ends))
        return float(abs(self._q[at]))

    def lever_arm_bounds(self, body: int, other: int | None = None) -> list[float]:
        """Return how far a body moves at most, in base or as seen from the other body, per unit of each commanded joint.

        Returns:
            m per rad or m, in the order of joint_names. A joint that carries both bodies moves neither against the other.
        """
        own, others = self._lever_arms[body], {} if other is None else self._lever_arms[other]
        sums = [0.0] * self._joints
        for coupling in self._couplings:
            joint = self._joint_of_velocity[coupling.velocity]
            if joint not in own or joint not in others:
                sums[coupling.driver] += abs(coupling.ratio) * (own.get(joint, 0.0) + others.get(joint, 0.0))
        return sums

    def moving_bodies(self) -> Iterator[int]:
        """Yield the indices of the bodies that a commanded joint moves."""
        for i in range(len(self.bodies)):
            if any(self.lever_arm_bounds(i)):
                yield i

    def joints_without_geometry(self) -> list[str]:
        """Return the joints that move and carry no body: nothing keeps what hangs there away from anything."""
        carrying = {body.joint for body in self.bodies}
        moved = (self._joint_of_velocity[coupling.velocity] for coupling in self._couplings)
        return [str(self.model.names[joint]) for joint in moved if joint not in carrying]

    def adjacent(self, first: int, second: int) -> bool:
        """Return whether two bodies hang on the same joint, or on a joint and the next one after it."""
        a, b = self.bodies[first].joint, self.bodies[second].joint
        return a == b or self.model.parents[a] == b or self.model.parents[b] == a


def _collision_shapes(model: Any, root: ElementTree.Element, mesh_folders: Sequence[Path]) -> Sequence[Any]:
    """The collision elements of a URDF as pinocchio reads them; raises ParameterError with every mesh that is nowhere."""
    missing = locate_meshes(root, "collision", mesh_folders)
    if missing:
        searched = ", ".join(map(str, mesh_folders)) or "no folder is named"
        raise ParameterError(
            *(
                f"mesh_folders: the mesh {address} of link {link} is not found ({searched}); name the folder that it "
                "begins in"
                for link, address in missing
            )
        )
    shapes: Sequence[Any] = collision_geometry(model, ElementTree.tostring(root, encoding="unicode")).geometryObjects
    return shapes


def _couplings(model: Any, root: ElementTree.Element, joint_names: Sequence[str]) -> list[Coupling]:
    """Which of the model's joints the commanded ones move, and how."""
    driven = {name: (i, 0.0, 1.0) for i, name in enumerate(joint_names)}
    for name, mimic in followers(root, list(joint_names)).items():
        driven[name] = driven[mimic.leader][0], mimic.offset, mimic.multiplier
    couplings = []
    for name, (i, offset, ratio) in driven.items():
        commanded, joint = name in joint_names, model.joints[model.getJointId(name)]
        couplings.append(Coupling(i, joint.idx_v, joint.idx_q, joint.nq == 2, offset, ratio, commanded))
    return couplings


def _axes(model: Any, root: ElementTree.Element) -> dict[int, tuple[Array, bool]]:
    """Axis (3,) in the joint's own frame and whether it is prismatic, by pinocchio's index."""
    axes = {}
    for name, element in urdf_joints(root).items():
        if element.get("type") in ("revolute", "continuous", "prismatic") and model.existJointName(name):
            tag = element.find("axis")
            axis = np.array([float(x) for x in ("1 0 0" if tag is None else tag.get("xyz", "1 0 0")).split()])
            axes[model.getJointId(name)] = axis / np.linalg.norm(axis), element.get("type") == "prismatic"
    return axes


def _body_shape(element: Any, link: str) -> tuple[Any, Any]:
    """The shape of a URDF collision element as a body, and its pose in its joint's frame."""
    shape, pose = element.geometry, element.placement
    if isinstance(shape, coal.Box | coal.Sphere | coal.Capsule):
        return shape, pose
    if isinstance(shape, coal.Cylinder):
        return coal.Capsule(shape.radius, 2 * shape.halfLength), pose
    if isinstance(shape, coal.BVHModelBase):
        capsule, capsule_pose = _enclosing_capsule(np.array(shape.vertices()))  # pinocchio has scaled them
        return capsule, pose * capsule_pose
    raise ParameterError(
        f"urdf: a collision element of {link} is a {type(shape).__name__}; use box, sphere, cylinder, mesh"
    )


def _enclosing_capsule(vertices: Array) -> tuple[Any, Any]:
    """A capsule around points (k, 3), along their longest extent."""
    centre = (vertices.max(0) + vertices.min(0)) / 2
    _, axes = np.linalg.eigh(np.cov((vertices - centre).T))
    axis = axes[:, -1]
    along = (vertices - centre) @ axis
    across = np.linalg.norm(vertices - centre - np.outer(along, axis), axis=1)
    radius = float(across.max()) * ROUNDING
    cap = np.sqrt(np.maximum(radius**2 - across**2, 0.0))
    low, high = float(min((along + cap).min(), 0.0)), float(max((along - cap).max(), 0.0))
    return _capsule(centre + low * axis, centre + high * axis, radius)


def _capsule(start: Array, end: Array, radius: float) -> tuple[Any, Any]:
    """The capsule of `radius` from start to end, (3,) each."""
    length = float(np.linalg.norm(end - start))
    turn = np.eye(3)
    if length > 0.0:
        turn = pin.Quaternion.FromTwoVectors(np.array([0.0, 0.0, 1.0]), (end - start) / length).toRotationMatrix()
    return coal.Capsule(radius, length), pin.SE3(turn, (start + end) / 2)


def _hull_points(shape: Any, pose: Any) -> tuple[Array, float]:
    """Points (k, 3) and radius whose balls' convex hull is the shape."""
    if isinstance(shape, coal.Box):
        corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * np.array(shape.halfSide)
        return corners @ pose.rotation.T + pose.translation, 0.0
    half = shape.halfLength if isinstance(shape, coal.Capsule) else 0.0
    ends = np.array([[0.0, 0.0, -half], [0.0, 0.0, half]]) if half > 0.0 else np.zeros((1, 3))
    return ends @ pose.rotation.T + pose.translation, float(shape.radius)


def _inside(body: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether a body lies in another one that is a capsule or a ball."""
    _, _, points, radius, _, _ = body
    _, _, ends, other_radius, _, _ = other
    if other_radius == 0.0:
        return False
    start, along = ends[0], ends[-1] - ends[0]
    length2 = float(along @ along)
    t = np.clip((points - start) @ along / length2, 0.0, 1.0) if length2 > 0.0 else np.zeros(len(points))
    gaps = np.linalg.norm(points - start - np.outer(t, along), axis=1)
    return bool((gaps + radius <= other_radius + 1e-9).all())
