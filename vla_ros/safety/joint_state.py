"""Joint state: the measured state is complete, finite, plausible and recent."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vla_ros.safety.finding import Finding
from vla_ros.safety.kinodynamics import Bounds
from vla_ros.safety.limits import NANO, to_nano

OUTSIDE = to_nano(0.1)  # a measurement this far outside the position limits is a broken sensor or a wrong URDF


class JointState:
    """The newest measured state. Joints that are not the robot's are ignored: a joint_states topic may carry more.

    Args:
        joint_names, bounds: of the robot. timeout_ns: a state is stale when older, counted from reception.
    """

    name = "joint_state"

    def __init__(self, joint_names: Sequence[str], bounds: Sequence[Bounds], timeout_ns: int) -> None:
        self._joints = tuple(joint_names)
        self._bounds = bounds
        self._timeout_ns = timeout_ns
        self._fault: Finding | None = None
        self.received_ns: int | None = None
        self.q: tuple[int, ...] = ()
        self.dq: tuple[float, ...] = ()

    def receive(self, now_ns: int, names: Sequence[str], q: Sequence[float], dq: Sequence[float]) -> None:
        """Take a message in; a bad one is remembered as a fault until a good one comes."""
        index = {joint: i for i, joint in enumerate(names)}
        velocities = dq if len(dq) == len(names) else [0.0] * len(names)
        try:
            picked = [float(q[index[joint]]) for joint in self._joints]
            speeds = tuple(float(velocities[index[joint]]) for joint in self._joints)
        except (KeyError, IndexError):
            if not set(self._joints) & set(names):
                return  # another controller's joints
            missing = next((joint for joint in self._joints if joint not in index), "a position")
            self._fault = Finding(self.name, f"the joint state lacks {missing}", missing)
            return
        for joint, position, speed, bound in zip(self._joints, picked, speeds, self._bounds, strict=True):
            if not (math.isfinite(position) and math.isfinite(speed)):
                self._fault = Finding(self.name, f"{joint}: measured {position}, {speed}", joint, position)
                return
            if not bound.lower - OUTSIDE <= to_nano(position) <= bound.upper + OUTSIDE:
                limit = (bound.lower if position < 0 else bound.upper) / NANO
                self._fault = Finding(self.name, f"{joint}: measured outside its limits", joint, position, limit)
                return
        self._fault = None
        self.received_ns = now_ns
        self.q = tuple(to_nano(position) for position in picked)
        self.dq = speeds

    def check(self, now_ns: int) -> Finding | None:
        """Return what is wrong with the newest state at `now_ns`."""
        if self._fault is not None:
            return self._fault
        if self.received_ns is None:
            return Finding(self.name, "no joint state has been received")
        age_ns = now_ns - self.received_ns
        if age_ns > self._timeout_ns:
            reason = f"the newest joint state is {age_ns / 1e9:.3f} s old"
            return Finding(self.name, reason, requested=age_ns / 1e9, limit=self._timeout_ns / 1e9)
        return None
