"""The controller of the simulated arm: a position controller like those of ros2_control.

It takes the newest command at each of its 250 Hz ticks. When commands stop it first goes on at the last velocity (a
command may be late), and after the timeout it brings the setpoint to rest within acceleration and jerk limits of its
own, whatever became of the process that commanded it.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vla_ros.arrays import Array
from vla_ros.sim.arm_description import ACCELERATION_LIMIT, JOINT_NAMES, POSITION_LOWER, POSITION_UPPER, VELOCITY_LIMIT
from vla_ros.sim.trajectory_controller import CommandRefused

PERIOD_S = 0.004
STOP_ACCELERATION = 0.4 * ACCELERATION_LIMIT  # of the setpoint when it stops by itself, per s^2
STOP_JERK = 0.08 * np.array([7500.0, 3750.0, 5000.0, 6250.0, 7500.0, 10000.0, 10000.0, 1000.0])  # per s^3


class SimulatedController:
    """Follows commands, and stops by itself when there are none.

    Args:
        q: (8,) where the arm is, rad (m).
        timeout_s: time without a command after which it stops by itself.
        log: CSV file, or empty.

    Attributes:
        q, dq: (8,) the setpoint, rad (m) and per s.
    """

    def __init__(self, q: Array, timeout_s: float, log: str = "") -> None:
        self._timeout_ticks = max(2, round(timeout_s / PERIOD_S))
        # Line buffered: whatever happens, the lines written so far can be read.
        self._file = Path(log).open("w", buffering=1, newline="") if log else None
        self._log = csv.writer(self._file) if self._file else None
        if self._log:
            kinds = ("command", "setpoint", "measured")
            self._log.writerow(["time_s", "fresh", *(f"{kind}_{joint}" for kind in kinds for joint in JOINT_NAMES)])
        self.reset(q)

    def reset(self, q: Array) -> None:
        """Hold `q`."""
        self.q = np.array(q, np.float64)
        self.dq = np.zeros(len(self.q))
        self._ddq = np.zeros(len(self.q))
        self._command = self._before = self.q.copy()
        self._fresh = False
        self._silent = self._timeout_ticks

    def command(self, positions: Sequence[float], names: Sequence[str] = JOINT_NAMES) -> None:
        """Take positions (rad, m) of some or all joints.

        Raises:
            CommandRefused: wrong number, unknown joint or a value that is not finite.
        """
        if len(positions) != len(names):
            raise CommandRefused(f"{len(positions)} positions for {len(names)} joints ({', '.join(names)})")
        command = self._command.copy()
        for name, position in zip(names, positions, strict=True):
            if name not in JOINT_NAMES:
                raise CommandRefused(f"there is no joint {name!r}")
            if not math.isfinite(position):
                raise CommandRefused(f"{name}: {position} is not a position")
            command[JOINT_NAMES.index(name)] = position
        self._command = command
        self._fresh = True

    def tick(self, now_s: float, measured: Array) -> None:
        """Advance by PERIOD_S. measured: (8,) positions, for the log."""
        if self._fresh:
            velocity = self._following()
            self._silent = 0
        else:
            self._silent += 1
            velocity = self.dq if self._silent < self._timeout_ticks else self._stopping()
        velocity = np.clip(velocity, -_stoppable(self.q - POSITION_LOWER), _stoppable(POSITION_UPPER - self.q))
        self._ddq = (velocity - self.dq) / PERIOD_S
        self.q = self.q + velocity * PERIOD_S
        self.dq = velocity
        if self._log:
            row = np.concatenate([self._command, self.q, measured])
            self._log.writerow([f"{now_s:.6f}", int(self._fresh), *(f"{value:.9f}" for value in row)])
        self._fresh = False

    def _following(self) -> Array:
        """Next velocity towards the command: its own where commands come in time, at the arm's limits after a gap."""
        pace = (self._command - self._before) / (PERIOD_S * (self._silent + 1))
        gap = self._command - self.q - pace * PERIOD_S
        closing = np.sign(gap) * np.minimum(np.abs(gap) / PERIOD_S, np.sqrt(ACCELERATION_LIMIT * np.abs(gap)))
        step = ACCELERATION_LIMIT * PERIOD_S
        velocity = np.clip(pace + closing, self.dq - step, self.dq + step)
        self._before = self._command
        limited: Array = np.clip(velocity, -VELOCITY_LIMIT, VELOCITY_LIMIT)
        return limited

    def _stopping(self) -> Array:
        """Next velocity on the way to rest: deceleration rises and falls with STOP_JERK."""
        wanted = np.minimum(STOP_ACCELERATION, np.sqrt(2 * STOP_JERK * np.abs(self.dq)))
        wanted = -np.sign(self.dq) * np.minimum(wanted, np.abs(self.dq) / PERIOD_S)
        step = STOP_JERK * PERIOD_S
        return self.dq + PERIOD_S * np.clip(wanted, self._ddq - step, self._ddq + step)

    def close(self) -> None:
        """Close the log."""
        if self._file:
            self._file.close()


def _stoppable(room: Array) -> Array:
    """Largest speed from which the acceleration limit brakes to rest within `room`, the next tick included.

    By ticks of w = A h^2 less each: see `vla_ros.safety.joint.stopping_distance.max_stoppable_speed`. Stopped only at the end
    of its range, a joint that goes on for a late command, or catches up with it, would lose its whole speed within one tick.
    """
    room, w = np.maximum(room, 0.0), ACCELERATION_LIMIT * PERIOD_S**2
    n = np.floor((np.sqrt(8.0 * room / w + 1.0) - 1.0) / 2.0)
    speed: Array = (room + w * n * (n + 1.0) / 2.0) / (n + 1.0) / PERIOD_S
    return speed
