"""The controller of the simulated arm: what ros2_control would run on a real one, with its rules and no softer ones.

`jtc`: a joint_trajectory_controller (`trajectory_controller.py`). `forward`: a forward_command_controller, which hands the
newest position to the drive and holds it for ever.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vla_ros.arrays import Array
from vla_ros.sim.arm_description import JOINT_NAMES
from vla_ros.sim.trajectory_controller import CommandRefused, PointState, TrajectoryCommand, TrajectoryController
from vla_ros.time import NS_PER_S

PERIOD_S = 0.004
"""Of the simulation's tick; the controller runs one, two or four cycles in it."""
KINDS = ("jtc", "forward")
RATES_HZ = (250, 500, 1000)


class SimulatedController:
    """Follows commands as ros2_control does.

    Args:
        q: (8,) where the arm is, rad (m).
        kind: one of KINDS.
        rate_hz: cycles per second, one of RATES_HZ.
        log: CSV file, or empty.

    Attributes:
        q, dq: (8,) what the drives are told, rad (m) and per s. rate_hz: as given. waited_s: how long commands of the next
            cycle were under way, at most, for the log.
    """

    def __init__(self, q: Array, kind: str = "forward", rate_hz: int = 250, log: str = "") -> None:
        if kind not in KINDS or rate_hz not in RATES_HZ:
            raise ValueError(f"controller {kind!r} at {rate_hz} Hz: must be one of {KINDS} at one of {RATES_HZ} Hz")
        self.kind, self.rate_hz = kind, rate_hz
        self._period_ns = NS_PER_S // rate_hz
        # Line buffered: whatever happens, the lines written so far can be read.
        self._file = Path(log).open("w", buffering=1, newline="") if log else None
        self._log = csv.writer(self._file) if self._file else None
        if self._log:
            columns = [f"{kind}_{joint}" for kind in ("command", "setpoint", "measured") for joint in JOINT_NAMES]
            self._log.writerow(["time_s", "fresh", "waited_s", *columns])
        self._trajectories = TrajectoryController(q, rate_hz)
        self.reset(q)

    def reset(self, q: Array) -> None:
        """Hold `q`."""
        self.q = np.array(q, np.float64)
        self.dq = np.zeros(len(self.q))
        self._command = self.q.copy()
        self._fresh = False
        self.waited_s = 0.0
        self._updated_ns: int | None = None
        self._led: list[int] = []
        self._trajectories.reset(self.q)

    def command(self, positions: Sequence[float], names: Sequence[str] = JOINT_NAMES) -> None:
        """Take positions (rad, m) of some or all joints, as forward_command_controller does.

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

    def command_trajectory(self, command: TrajectoryCommand, names: Sequence[str], now_ns: int) -> None:
        """Take a trajectory of the arm's joints, with the finger or without, as joint_trajectory_controller does.

        Args:
            command: its points are in the order of `names`. names: all joints, or all but the finger. now_ns: ROS time.

        Raises:
            CommandRefused: other joints, or see `TrajectoryController.command`.
        """
        if sorted(names) not in (sorted(JOINT_NAMES), sorted(JOINT_NAMES[:-1])):
            raise CommandRefused(f"a trajectory of {', '.join(names) or 'no joints'}; the controller has other joints")
        if any(len(point.p) != len(names) for point in command.points):
            raise CommandRefused(f"not {len(names)} positions for {len(names)} joints in each point")
        order = [names.index(name) for name in JOINT_NAMES[: len(names)]]
        points = [PointState(p.p[order], _ordered(p.v, order), _ordered(p.a, order)) for p in command.points]
        if len(self._led) != len(names):
            self._led = list(range(len(names)))
            self._trajectories.reset(self.q[self._led], self._updated_ns)
        self._trajectories.command(TrajectoryCommand(command.stamp_ns, command.times_ns, points), now_ns)

    def update(self, now_ns: int, measured: Array, time_s: float = 0.0) -> None:
        """Run one cycle.

        Args:
            now_ns: ROS time. measured: (8,) positions. time_s: for the log.
        """
        q = self._command.copy()
        dq = (q - self.q) * self.rate_hz
        if self.kind == "jtc" and self._led:
            # Its periods are those of a steady clock, whatever becomes of the ROS clock.
            self._trajectories.update(now_ns, self._period_ns, measured[self._led])
            state = self._trajectories.state
            q[self._led] = state.p
            dq[self._led] = 0.0 if state.v is None else state.v
            self._command = q.copy()
        self._updated_ns = now_ns
        self.q, self.dq = q, dq
        if self._log:
            row = np.concatenate([self._command, self.q, measured])
            written = int(self._fresh or self.kind == "jtc")
            self._log.writerow([f"{time_s:.6f}", written, f"{self.waited_s:.4f}", *(f"{value:.12f}" for value in row)])
        self._fresh, self.waited_s = False, 0.0

    def close(self) -> None:
        """Close the log."""
        if self._file:
            self._file.close()


def _ordered(values: Array | None, order: list[int]) -> Array | None:
    return None if values is None else values[order]
