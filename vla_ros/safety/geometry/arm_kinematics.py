"""Where are the joints of an arm, and how fast are its bodies for given rates of the commanded joints?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pinocchio as pin
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.safety.geometry.arm_model import ArmModel

Indices = NDArray[np.intp]


class Placement(NamedTuple):
    """k configurations of the model's j joints, d of them driven.

    poses: (k, j, 4, 4) of each joint in base. columns: (k, d, 6) linear velocity at base's origin and angular velocity, per
    unit of each driven joint.
    """

    poses: Array
    columns: Array


class ArmKinematics:
    """Placement of one arm in buffers of its own, so that nobody else's placement is disturbed.

    coupling: (n, d) rate of each driven joint of the model per unit of each commanded joint. driven: pinocchio's index of
    each driven joint, ascending. supports: (j, d) 1 where a driven joint carries a joint, else 0.

    Args:
        arm: whose joints.
    """

    def __init__(self, arm: ArmModel) -> None:
        self._arm, self._model = arm, arm.model
        self._data = arm.model.createData()
        self._rates = np.zeros(arm.model.nv)
        self._poses = list(self._data.oMi)  # each is where the newest placement has put that joint
        couplings = sorted(arm.couplings, key=lambda each: each.velocity)
        joint_of = {self._model.joints[joint].idx_v: joint for joint in range(1, self._model.njoints)}
        self.driven = [joint_of[coupling.velocity] for coupling in couplings]
        self._velocities = np.array([coupling.velocity for coupling in couplings], np.intp)
        self._driver = np.array([coupling.driver for coupling in couplings], np.intp)
        self._ratio = np.array([coupling.ratio for coupling in couplings])
        self.coupling = np.zeros((arm.joints, len(couplings)))
        self.coupling[self._driver, np.arange(len(couplings))] = self._ratio
        self.supports = np.zeros((self._model.njoints, len(couplings)))
        for joint in range(1, self._model.njoints):
            ancestor = joint
            while ancestor:
                if ancestor in self.driven:
                    self.supports[joint, self.driven.index(ancestor)] = 1.0
                ancestor = int(self._model.parents[ancestor])

    def place(self, q: Array) -> Placement:
        """Return where the joints are at q, (k, n) rad or m in the order of joint_names."""
        count, data = self._model.njoints, self._data
        poses, columns = np.empty((len(q), count, 4, 4)), np.empty((len(q), len(self.driven), 6))
        for k in range(len(q)):
            columns[k] = pin.computeJointJacobians(self._model, data, self._arm.full(q[k])).T[self._velocities]
            poses[k] = [pose.homogeneous for pose in self._poses]
        return Placement(poses, columns)

    def twists(self, columns: Array, rates: Array) -> Array:
        """Return the motion of each joint's body.

        Args:
            columns: (m, d, 6) of a placement, one for each row of rates.
            rates: (m, n) of the commanded joints, rad/s or m/s.

        Returns:
            (m, j, 6) linear velocity at base's origin and angular velocity, m/s and rad/s.
        """
        driven = rates[:, self._driver] * self._ratio
        twists: Array = np.matmul(driven[:, None, :] * self.supports, columns)
        return twists

    def speed_of(self, joint: int, point: Array, q: Sequence[float], rates: Sequence[float]) -> float:
        """Return the speed of a point of one joint's body, m/s.

        Args:
            joint: pinocchio's index. point: (3,) in its frame, m.
            q, rates: (n,) rad or m, and per second.
        """
        self._rates[self._velocities] = np.take(rates, self._driver) * self._ratio
        pin.forwardKinematics(self._model, self._data, self._arm.full(q), self._rates)
        motion = self._data.v[joint]
        (x, y, z), (a, b, c), (u, v, w) = motion.linear.tolist(), motion.angular.tolist(), point.tolist()
        return math.hypot(x + b * w - c * v, y + c * u - a * w, z + a * v - b * u)


def points_of(poses: Array, joints: Indices, points: Array) -> Array:
    """Return points in base, (k, p, 3) m.

    Args:
        poses: (k, j, 4, 4) of the joints. joints: (p,) of each point. points: (p, 3) in its joint's frame.
    """
    frames = poses[:, joints]
    turned: Array = np.add.reduce(frames[:, :, :3, :3] * points[:, None, :], axis=-1)
    return turned + frames[:, :, :3, 3]


def cross(a: Array, b: Array, shape: tuple[int, ...] | None = None) -> Array:
    """Return the vector products of (..., 3) arrays; numpy's own is three times as slow for few of them.

    Args:
        a, b: of one shape, or such that both spread to `shape`.
    """
    product = np.empty(shape or a.shape)
    product[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    product[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    product[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product
