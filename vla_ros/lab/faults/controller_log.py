"""The log of the simulated arm's controller, read while it is written."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vla_ros.arrays import Array
from vla_ros.lab.faults.reaction import ObservedReaction
from vla_ros.sim.arm_description import ACCELERATION_LIMIT, JOINT_NAMES, POSITION_LOWER, POSITION_UPPER, VELOCITY_LIMIT
from vla_ros.sim.controller import PERIOD_S

REST = 1e-3
"""A slower joint is at rest, rad/s or m/s."""
BEFORE_S = 0.1
"""The limits are checked, and the arm must move, from this time before the fault on."""
BEFORE_BYTES = 400 * 2 * round(BEFORE_S / PERIOD_S)
"""Of the log; more than BEFORE_S takes."""


@dataclass(frozen=True)
class LogMark:
    """A moment in the log.

    Args:
        time_s: of the controller.
        offset: size of the log, bytes.
        speed: lowest speed of the fastest joint in the last BEFORE_S, rad/s or m/s.
    """

    time_s: float
    offset: int
    speed: float


class ControllerLog:
    """Reads the log of the arm's controller.

    Args:
        path: the CSV file that `sim_arm` writes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def mark(self) -> LogMark:
        """Return the present end of the log."""
        size = self._path.stat().st_size
        times, q = self._rows(size - BEFORE_BYTES)
        speeds = np.abs(np.diff(q[times > times[-1] - BEFORE_S], axis=0)).max(1) / PERIOD_S
        return LogMark(float(times[-1]), size, float(speeds.min()) if len(speeds) else 0.0)

    def observe(self, mark: LogMark, observed: ObservedReaction) -> None:
        """Write into `observed` what the controller did from BEFORE_S before the mark to the end of the log."""
        times, q = self._rows(mark.offset - BEFORE_BYTES)
        kept = times > mark.time_s - BEFORE_S
        observe_motion(times[kept] - mark.time_s, q[kept], observed)

    def _rows(self, offset: int) -> tuple[Array, Array]:
        """Return times (t,) and setpoints (t, 8) of the complete lines after `offset`."""
        with self._path.open() as file:
            header = next(csv.reader([file.readline()]))
            columns = [header.index(f"setpoint_{joint}") for joint in JOINT_NAMES]
            if offset > len(",".join(header)):
                file.seek(offset)
                file.readline()
            lines = file.read().split("\n")[:-1]
        rows = [row for row in csv.reader(lines) if len(row) == len(header)]
        q = [[float(row[i]) for i in columns] for row in rows]
        return np.array([float(row[0]) for row in rows]), np.array(q).reshape(-1, len(columns))


def observe_motion(times: Array, q: Array, observed: ObservedReaction) -> None:
    """Write the time to rest and the largest shares of the limits into `observed`.

    Args:
        times: (t,) s, one row per tick of the controller; the fault is at 0.
        q: (t, 8) its setpoints, rad or m.
    """
    if len(q) < 3:
        observed.problem = observed.problem or "the controller wrote no log"
        return
    velocity = np.diff(q, axis=0) / PERIOD_S
    acceleration = np.diff(velocity, axis=0) / PERIOD_S
    moving = times[1:][np.abs(velocity).max(1) > REST]
    after = moving[moving > 0.0]
    at_rest_s = times[-1] - (after[-1] if len(after) else 0.0)
    observed.rest_s = float("nan") if at_rest_s < 5 * PERIOD_S else float(after[-1]) if len(after) else 0.0
    observed.velocity = float((np.abs(velocity) / VELOCITY_LIMIT).max())
    observed.acceleration = float((np.abs(acceleration) / ACCELERATION_LIMIT).max())
    observed.outside = float(max(0.0, (POSITION_LOWER - q).max(), (q - POSITION_UPPER).max()))
