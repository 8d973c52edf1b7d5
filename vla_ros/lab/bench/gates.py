"""What others put between a policy and a position-controlled arm, each as a gate: newest setpoint in, position out.

A gate is given the newest setpoint at every tick, whether it is new or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import ruckig
from numpy.typing import NDArray

from vla_ros.lab.bench.filter_rig import Rig
from vla_ros.oracle import JointBounds

Array = NDArray[np.float64]


class Gate(Protocol):
    """Something that turns setpoints into outputs."""

    def step(self, target: Sequence[float], fresh: bool) -> Array:
        """One tick: the newest setpoint, and whether it came since the last tick; returns what is sent."""


class Clamp:
    """Position and velocity clamped with numpy, from the last output; what is not finite is passed on."""

    def __init__(self, bounds: Sequence[JointBounds], period_s: float, q: Array) -> None:
        self._lower = np.array([joint.lower for joint in bounds])
        self._upper = np.array([joint.upper for joint in bounds])
        self._step = np.array([joint.velocity for joint in bounds]) * period_s
        self._q = q.copy()

    def step(self, target: Sequence[float], fresh: bool) -> Array:
        """Clip to the range, then to one tick's way from the last finite output."""
        sent: Array = np.clip(
            np.clip(np.array(target), self._lower, self._upper), self._q - self._step, self._q + self._step
        )
        self._q = np.where(np.isfinite(sent), sent, self._q)
        return sent


class Ros2ControlFormula:
    """The position limits of ros2_control's joint limiter; our own port of the formula, not its code.

    A position command is clamped to the previous command ± min(V, |v| + A h) h, and to the range; v is the measured
    velocity, of a perfect arm here. Speeding up is bounded by A; braking and turning round are not. A NaN compares with
    nothing and is passed on; to its credit, the previous command is then kept.

    Source: ros2_control, package joint_limits, compute_position_limits and the saturation limiter, Jazzy.
    """

    def __init__(self, bounds: Sequence[JointBounds], period_s: float, q: Array) -> None:
        self._lower = np.array([joint.lower for joint in bounds])
        self._upper = np.array([joint.upper for joint in bounds])
        self._velocity = np.array([joint.velocity for joint in bounds])
        self._change = np.array([joint.acceleration for joint in bounds]) * period_s
        self._period_s = period_s
        self._q = q.copy()
        self._dq = np.zeros_like(q)

    def step(self, target: Sequence[float], fresh: bool) -> Array:
        """One call of the limiter."""
        way = np.minimum(self._velocity, np.abs(self._dq) + self._change) * self._period_s
        low = np.maximum(np.minimum(self._q - way, self._upper), self._lower)
        high = np.minimum(np.maximum(self._q + way, low), self._upper)
        sent: Array = np.clip(np.array(target), low, high)
        kept = np.where(np.isfinite(sent), sent, self._q)
        self._dq = (kept - self._q) / self._period_s
        self._q = kept
        return sent


class Ruckig:
    """Ruckig (community version) with the same limits, replanned at every new setpoint, each joint for itself.

    It knows no position limits, so setpoints are clipped to the range first; one that is not finite it refuses, and the
    motion to the one before goes on.
    """

    def __init__(self, bounds: Sequence[JointBounds], period_s: float, q: Array) -> None:
        self._lower = np.array([joint.lower for joint in bounds])
        self._upper = np.array([joint.upper for joint in bounds])
        self._planner = ruckig.Ruckig(len(bounds), period_s)
        self._input = ruckig.InputParameter(len(bounds))
        self._output = ruckig.OutputParameter(len(bounds))
        self._input.synchronization = ruckig.Synchronization.No
        self._input.current_position = self._input.target_position = q.tolist()
        self._input.max_velocity = [joint.velocity for joint in bounds]
        self._input.max_acceleration = [joint.acceleration for joint in bounds]
        self._input.max_jerk = [joint.jerk for joint in bounds]

    def step(self, target: Sequence[float], fresh: bool) -> Array:
        """Plan anew where there is something new, and take the next point."""
        wanted = np.clip(np.array(target), self._lower, self._upper)
        if fresh and np.isfinite(wanted).all():
            self._input.target_position = wanted.tolist()
        result = self._planner.update(self._input, self._output)
        if result in (ruckig.Result.Working, ruckig.Result.Finished):
            self._output.pass_to_input(self._input)
        return np.array(self._input.current_position)


class Filter:
    """Ours: setpoint, joint state and tick, with everything that the rig's filter checks."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def step(self, target: Sequence[float], fresh: bool) -> Array:
        """One tick. Where the filter sends nothing the arm stays where it is."""
        for at_s in self._rig.due():
            self._rig.command(at_s, target)
        self._rig.measure()
        self._rig.tick()
        return np.array(self._rig.q)
