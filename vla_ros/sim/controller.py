"""The controllers of the simulated arm: what ros2_control would run on a real one, with its rules and no softer ones.

`jtc`: a joint_trajectory_controller (`trajectory_controller.py`). `forward`: a forward_command_controller, which hands the
newest position to the drive and holds it for ever. The gripper's controller is what it is sent: one or the other.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vla_ros.arrays import Array
from vla_ros.sim.arm_description import FINGER_JOINT, JOINT_NAMES
from vla_ros.sim.trajectory_controller import CommandRefused, PointState, TrajectoryCommand, TrajectoryController
from vla_ros.time import NS_PER_S

PERIOD_S = 0.004
"""Of the simulation's tick; the controller runs one, two or four cycles in it."""
KINDS = ("jtc", "forward")
RATES_HZ = (250, 500, 1000)
ARM, GRIPPER = "arm_controller", "gripper_controller"
"""Names of the controllers, below which their topics lie."""


@dataclass(frozen=True, slots=True)
class ControllerTold:
    """What a joint_trajectory_controller tells of itself.

    names: of its joints. reference: what it commands. p, v: (joints,) measured. scaling: of its speed.
    """

    names: list[str]
    reference: PointState
    p: Array
    v: Array
    scaling: float


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
        self._trajectories = {name: TrajectoryController(q, rate_hz) for name in (ARM, GRIPPER)}
        self._inactive: set[str] = set()
        self.reset(q)

    def reset(self, q: Array) -> None:
        """Hold `q`."""
        self.q = np.array(q, np.float64)
        self.dq = np.zeros(len(self.q))
        self._command = self._measured = self.q.copy()
        self._fresh = False
        self.waited_s = 0.0
        self._updated_ns: int | None = None
        self._led: dict[str, list[int]] = {ARM: [], GRIPPER: []}
        for trajectories in self._trajectories.values():
            trajectories.reset(self.q)

    def command(self, positions: Sequence[float], names: Sequence[str] = JOINT_NAMES) -> None:
        """Take positions (rad, m) of some or all joints, as forward_command_controller does.

        Raises:
            CommandRefused: wrong number, unknown joint or a value that is not finite.
        """
        if len(positions) != len(names):
            raise CommandRefused(f"{len(positions)} positions for {len(names)} joints ({', '.join(names)})")
        controller = GRIPPER if list(names) == [FINGER_JOINT] else ARM
        if controller in self._inactive:
            return
        command = self._command.copy()
        for name, position in zip(names, positions, strict=True):
            if name not in JOINT_NAMES:
                raise CommandRefused(f"there is no joint {name!r}")
            if not math.isfinite(position):
                raise CommandRefused(f"{name}: {position} is not a position")
            command[JOINT_NAMES.index(name)] = position
        self._command = command
        self._led[controller] = []
        self._fresh = True

    def command_trajectory(self, command: TrajectoryCommand, names: Sequence[str], now_ns: int) -> None:
        """Take a trajectory of the arm's joints, with the finger or without, or of the finger.

        Args:
            command: its points are in the order of `names`. names: the joints of one controller. now_ns: ROS time.

        Raises:
            CommandRefused: other joints, or see `TrajectoryController.command`.
        """
        finger = list(names) == [FINGER_JOINT]
        if not finger and sorted(names) not in (sorted(JOINT_NAMES), sorted(JOINT_NAMES[:-1])):
            raise CommandRefused(f"a trajectory of {', '.join(names) or 'no joints'}; the controller has other joints")
        if any(len(point.p) != len(names) for point in command.points):
            raise CommandRefused(f"not {len(names)} positions for {len(names)} joints in each point")
        controller = GRIPPER if finger else ARM
        if controller in self._inactive:
            return
        led = [JOINT_NAMES.index(FINGER_JOINT)] if finger else list(range(len(names)))
        order = [names.index(JOINT_NAMES[i]) for i in led]
        points = [PointState(p.p[order], _ordered(p.v, order), _ordered(p.a, order)) for p in command.points]
        trajectories = self._trajectories[controller]
        if self._led[controller] != led:
            self._led[controller] = led
            trajectories.reset(self.q[led], self._updated_ns)
        trajectories.command(TrajectoryCommand(command.stamp_ns, command.times_ns, points), now_ns)

    def switch(self, controller: str, active: bool) -> None:
        """Activate or deactivate ARM or GRIPPER. An inactive one takes and tells nothing; its joints stop where they are."""
        joints = self._joints(controller)
        self._led[controller] = []
        self._command[joints] = self._measured[joints]
        (self._inactive.discard if active else self._inactive.add)(controller)

    def told(self, controller: str, v: Array) -> ControllerTold | None:
        """Return what a joint_trajectory_controller tells of itself; None: it is inactive, or it is another controller.

        Args:
            controller: ARM or GRIPPER. v: (8,) measured velocities.
        """
        led, trajectories = self._led[controller], self._trajectories[controller]
        if controller in self._inactive or not (led or (controller == ARM and self.kind == "jtc")):
            return None
        joints = self._joints(controller)
        reference = trajectories.state if led else PointState(self._command[joints])
        names = [JOINT_NAMES[i] for i in joints]
        return ControllerTold(names, reference, self._measured[joints], v[joints], trajectories.scaling)

    def _joints(self, controller: str) -> list[int]:
        finger = JOINT_NAMES.index(FINGER_JOINT)
        return self._led[controller] or ([finger] if controller == GRIPPER else list(range(finger)))

    def update(self, now_ns: int, measured: Array, time_s: float = 0.0) -> None:
        """Run one cycle.

        Args:
            now_ns: ROS time. measured: (8,) positions. time_s: for the log.
        """
        q = self._command.copy()
        dq = (q - self.q) * self.rate_hz
        self._measured = measured.copy()
        for controller, led in self._led.items():
            if led:
                # Its periods are those of a steady clock, whatever becomes of the ROS clock.
                self._trajectories[controller].update(now_ns, self._period_ns, measured[led])
                state = self._trajectories[controller].state
                q[led] = state.p
                dq[led] = 0.0 if state.v is None else state.v
                self._command[led] = state.p
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
