"""Where is the tool, and which configuration puts it there? Kinematics of one arm, from its URDF, by pinocchio.

A joint that follows another one in the URDF (<mimic>) moves with it here and is not named. A continuous joint has no limits.

Configurations `q` are ordered as `joint_names` and may hold joints that do not move the tool (fingers): their Jacobian
columns are zero and inverse kinematics leaves them alone. Poses are those of the tool frame in the URDF's root frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import eigenpy
import numpy as np
import pinocchio
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.parameters import Faults, ParameterError
from vla_ros.robot.joint_map import JointNamesError
from vla_ros.robot.robot_model import bounded_model
from vla_ros.robot.urdf import Mimic, check_no_mimic, followers, urdf_joints, urdf_root

MAX_ITERATIONS = 200
"""Of inverse kinematics, after which no configuration is looked for any more."""
CENTERING_PER_M = 1.5
"""Usual `centering` of `follow` per metre of a path."""
DAMPING = 1e-3
"""Of the least squares: bounds the step near singularities and costs no accuracy away from them."""
TOLERANCE = 1e-7
"""Largest error of the tool's pose, m and rad."""


class Kinematics:
    """The chain from the root of a URDF to its tool frame.

    Args:
        urdf: the URDF's text.
        joint_names: order of every q; must hold every moving joint of the chain but mimics; others of the URDF may be in it.
        tool_frame: link whose pose is meant; z points out of the hand.

    Attributes:
        arm: (m,) indices into q of the joints that move the tool.
        lower, upper: (n,) position limits, rad or m; infinite for a continuous joint.
        velocity: (n,) velocity limits, rad/s or m/s.

    Raises:
        JointNamesError: a joint of the chain is not in joint_names, or a joint named there is not in the URDF or follows
            another one.
        ParameterError: the text is no URDF, or it has no such tool frame.
    """

    def __init__(self, urdf: str, joint_names: Sequence[str], tool_frame: str = "tool") -> None:
        full, root = bounded_model(urdf), urdf_root(urdf)
        if not full.existFrame(tool_frame):
            raise ParameterError(f"tool_frame: the URDF has no link {tool_frame!r}")
        self.joint_names = tuple(joint_names)
        self.root = str(full.frames[1].name)
        _check_names(self.joint_names, set(full.names), root)
        mimics = followers(root, list(self.joint_names))
        chain = list(full.supports[full.frames[full.getFrameId(tool_frame)].parentJoint])[1:]
        moving = [str(full.names[joint]) for joint in chain]
        unnamed = [name for name in moving if name not in self.joint_names and name not in mimics]
        if unnamed:
            raise JointNamesError(f"joint_names: {', '.join(unnamed)} moves {tool_frame} and is not named")

        others = [joint for joint in range(1, full.njoints) if joint not in chain]
        self._model: Any = pinocchio.buildReducedModel(full, others, pinocchio.neutral(full))
        self._data: Any = self._model.createData()
        self._tool: int = self._model.getFrameId(tool_frame)
        how = [mimics.get(name, Mimic(name, 1.0, 0.0)) for name in map(str, self._model.names[1:])]
        drivers = list(dict.fromkeys(each.leader for each in how))
        self.arm: NDArray[np.intp] = np.array([self.joint_names.index(name) for name in drivers], np.intp)
        self._coupling: Array | None = None  # (joints of the model, drivers), where some follow others
        if len(drivers) < len(how) or drivers != [str(name) for name in self._model.names[1:]]:
            self._offset = np.array([each.offset for each in how])
            self._coupling = np.array([[each.multiplier * (each.leader == name) for name in drivers] for each in how])
        of_joint = [full.joints[full.getJointId(name)] for name in self.joint_names]
        self.lower: Array = np.array([full.lowerPositionLimit[joint.idx_q] for joint in of_joint])
        self.upper: Array = np.array([full.upperPositionLimit[joint.idx_q] for joint in of_joint])
        self.velocity: Array = np.array([full.velocityLimit[joint.idx_v] for joint in of_joint])
        self._lower, self._upper = self.lower[self.arm], self.upper[self.arm]
        bounded = np.isfinite(self._lower) & np.isfinite(self._upper)
        self._centred = bounded.astype(float)  # 0: a joint without limits has no middle to go to
        self._middle = (np.where(bounded, self._lower, 0.0) + np.where(bounded, self._upper, 0.0)) / 2
        self._damping = DAMPING**2 * np.eye(6)

    def forward(self, q: Array) -> Array:
        """Return T_base_tool (4, 4), m, at q (n,), rad or m."""
        pinocchio.framesForwardKinematics(self._model, self._data, self._full(q[self.arm]))
        matrix: Array = self._data.oMf[self._tool].homogeneous
        return matrix.copy()

    def inverse(self, T_base_tool: Array, q0: Array) -> Array | None:
        """Return q within the joint limits whose tool pose is `T_base_tool`, or None where none was found from q0.

        Damped least squares on position and orientation. In the null space the joints move to the middle of their ranges.

        Args:
            T_base_tool: (4, 4), m.
            q0: (n,) start, rad or m; joints outside the chain keep its values.
        """
        x = np.clip(q0[self.arm], self._lower, self._upper)
        for iteration in range(MAX_ITERATIONS):
            error, jacobian = self._error(T_base_tool, x)
            centering = 0.2 * 0.95**iteration * self._from_middle(x)
            step = self._least_squares(jacobian, error - jacobian @ centering) + centering
            if np.abs(error).max() < TOLERANCE:
                q = q0.copy()
                q[self.arm] = x
                return q
            step *= min(1.0, 0.5 / max(float(np.abs(step).max()), 1e-12))
            x = np.clip(x + step, self._lower, self._upper)
        return None

    def follow(self, T_base_tool: Array, q: Array, centering: float = 0.0) -> Array:
        """Return the configuration next to q (n,) whose tool pose is `T_base_tool`, for paths in small steps.

        It is a smooth function of its arguments: as smooth as the path, so are the joints.

        Args:
            T_base_tool: (4, 4), a few mm and hundredths of a radian from the pose at q.
            q: (n,) configuration one step earlier.
            centering: share of the distance to the middle of the joint ranges that the null-space motion covers in this
                step; make it proportional to the length of the step, so that an arm at rest stays at rest.
        """
        x = q[self.arm]
        for iteration in range(4):
            error, jacobian = self._error(T_base_tool, x)
            if iteration and np.abs(error).max() < TOLERANCE:
                break
            if iteration == 0 and centering:
                drift = centering * self._from_middle(x)
                x = x + self._least_squares(jacobian, error - jacobian @ drift) + drift
            else:
                x = x + self._least_squares(jacobian, error)
        result = q.copy()
        result[self.arm] = x
        return result

    def limit_proximity(self, q: Array) -> float:
        """Return how near q (n,) is to a position limit of the arm: 0 in the middle of every range, 1 at a limit."""
        half = (self._upper - self._lower) / 2  # infinite without limits, to which nothing is near
        return float(np.abs((q[self.arm] - self._middle) / half).max())

    def _from_middle(self, x: Array) -> Array:
        """How far the middle of each joint's range is away; 0 for a joint without limits."""
        away: Array = self._centred * (self._middle - x)
        return away

    def _full(self, x: Array) -> Array:
        """The model's joints, from those that are named."""
        if self._coupling is None:
            return x
        full: Array = self._coupling @ x + self._offset
        return full

    def _error(self, T_base_tool: Array, x: Array) -> tuple[Array, Array]:
        pose, jacobian = self._pose_and_jacobian(x)
        rotation = pinocchio.log3(T_base_tool[:3, :3] @ pose.rotation.T)
        return np.concatenate([T_base_tool[:3, 3] - pose.translation, rotation]), jacobian

    def _pose_and_jacobian(self, x: Array) -> tuple[Any, Array]:
        jacobian: Array = pinocchio.computeFrameJacobian(
            self._model, self._data, self._full(x), self._tool, pinocchio.LOCAL_WORLD_ALIGNED
        )
        if self._coupling is not None:
            jacobian = jacobian @ self._coupling
        return pinocchio.updateFramePlacement(self._model, self._data, self._tool), jacobian

    def _least_squares(self, jacobian: Array, error: Array) -> Array:
        # Cholesky's: numpy's solver takes four times as long to begin.
        solution: Array = jacobian.T @ eigenpy.LLT(jacobian @ jacobian.T + self._damping).solve(error)
        return solution


def _check_names(joint_names: Sequence[str], in_urdf: set[str], root: ElementTree.Element) -> None:
    unknown = [name for name in joint_names if name not in in_urdf]
    if unknown:
        raise JointNamesError(f"joint_names: the URDF has no joint {', '.join(unknown)}")
    joints, faults = urdf_joints(root), Faults()
    for name in joint_names:
        with faults.collected():
            check_no_mimic(name, joints[name])
    if faults.found:
        raise JointNamesError(*faults.found)
