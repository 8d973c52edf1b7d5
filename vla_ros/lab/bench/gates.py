"""What is commonly put between a policy and a position-controlled arm, each as a gate: setpoint in, position out.

A gate receives the newest setpoint at every tick, also where it is not new.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import ruckig

from vla_ros.arrays import Array
from vla_ros.lab.bench.filter_rig import FilterRig
from vla_ros.oracle import JointBounds


class Gate(Protocol):
    """Turns setpoints into outputs."""

    def step(self, target: Sequence[float], fresh: bool) -> Array:
        """Run one tick.

        Args:
            target: (n,) the newest setpoint, rad or m.
            fresh: it arrived since the last tick.

        Returns:
            (n,) the output, rad or m.
        """


class NumpyClamp:
    """Clamps position and velocity with numpy, from the last output; a value that is not finite is passed on."""

    def __init__(self, bounds: Sequence[JointBounds], period_s: float, q: Array) -> None:
        self._lower = np.array([joint.lower for joint in bounds])
        self._upper = np.array([joint.upper for joint in bounds])
        self._step = np.array([joint.velocity for joint in bounds]) * period_s
        self._q = q.copy()

    def step(self, target: Sequence[float], fresh: bool) -> Array:
        """Clip to the range, then to the distance of one tick from the last finite output."""
        sent: Array = np.clip(
            np.clip(np.array(target), self._lower, self._upper), self._q - self._step, self._q + self._step
        )
        self._q = np.where(np.isfinite(sent), sent, self._q)
        return sent


class Ros2ControlLimiter:
    """The position limits of ros2_control's joint limiter; our own port of the formula, not its code.

    A position command is clamped to the previous command ± min(V, |v| + A h) h, and to the range; v is the measured
    velocity, here of a perfect arm. A bounds speeding up, but neither braking nor a change of direction. A NaN passes every
    comparison and is sent on; the next command is still limited from the one before it.

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
        """Run the limiter once."""
        step = np.minimum(self._velocity, np.abs(self._dq) + self._change) * self._period_s
        low = np.maximum(np.minimum(self._q - step, self._upper), self._lower)
        high = np.minimum(np.maximum(self._q + step, low), self._upper)
        sent: Array = np.clip(np.array(target), low, high)
        kept = np.where(np.isfinite(sent), sent, self._q)
        self._dq = (kept - self._q) / self._period_s
        self._q = kept
        return sent


class RuckigGate:
    """Ruckig (community version) with the same limits, replanned at every new setpoint, each joint by itself.

    It has no position limits, so setpoints are clipped to the range first. It refuses a setpoint that is not finite and
    continues to the one before.
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
        """Plan again where the setpoint is new, and take the next point."""
        wanted = np.clip(np.array(target), self._lower, self._upper)
        if fresh and np.isfinite(wanted).all():
            self._input.target_position = wanted.tolist()
        result = self._planner.update(self._input, self._output)
        if result in (ruckig.Result.Working, ruckig.Result.Finished):
            self._output.pass_to_input(self._input)
        return np.array(self._input.current_position)


class SafetyFilterGate:
    """This project's filter: setpoint, joint state and tick, with all rules of the rig's filter."""

    def __init__(self, rig: FilterRig) -> None:
        self._rig = rig

    def step(self, target: Sequence[float], fresh: bool) -> Array:
        """Run one tick. Where the filter sends nothing the arm stays where it is."""
        for at_s in self._rig.advance():
            self._rig.send_setpoint(at_s, target)
        self._rig.send_joint_state()
        self._rig.tick()
        return np.array(self._rig.q)
