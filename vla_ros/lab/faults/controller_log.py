"""The log of the simulated arm's controller, read while it is written."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vla_ros.lab.faults.case import Seen
from vla_ros.sim.arm_description import ACCELERATION_LIMIT, JOINT_NAMES, POSITION_LOWER, POSITION_UPPER, VELOCITY_LIMIT
from vla_ros.sim.controller import PERIOD_S

Array = NDArray[np.float64]

REST = 1e-3
"""Slower than this, rad/s or m/s, is at rest."""
BEFORE_S = 0.1
"""Limits are judged, and the arm must move, from a little before the fault on."""
BEFORE_BYTES = 400 * 2 * round(BEFORE_S / PERIOD_S)
"""Of the log; more than that time takes."""


@dataclass(frozen=True)
class Mark:
    """A moment: the controller's time in s, where the log then ended, and how fast the fastest joint was, at least, in the
    last BEFORE_S, rad/s or m/s.
    """

    time_s: float
    offset: int
    speed: float


class ControllerLog:
    """Args: path: of the CSV file that `sim_arm` writes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def mark(self) -> Mark:
        """Now."""
        size = self._path.stat().st_size
        times, q = self._rows(size - BEFORE_BYTES)
        speeds = np.abs(np.diff(q[times > times[-1] - BEFORE_S], axis=0)).max(1) / PERIOD_S
        return Mark(float(times[-1]), size, float(speeds.min()) if len(speeds) else 0.0)

    def judge(self, mark: Mark, seen: Seen) -> None:
        """Put into `seen` what the controller did from shortly before the mark to the end of the log."""
        times, q = self._rows(mark.offset - BEFORE_BYTES)
        kept = times > mark.time_s - BEFORE_S
        judge(times[kept] - mark.time_s, q[kept], seen)

    def _rows(self, offset: int) -> tuple[Array, Array]:
        """Times (t,) and setpoints (t, 8) of the whole lines after `offset`."""
        with self._path.open() as file:
            header = next(csv.reader([file.readline()]))
            at = [header.index(f"setpoint_{joint}") for joint in JOINT_NAMES]
            if offset > len(",".join(header)):
                file.seek(offset)
                file.readline()
            lines = file.read().split("\n")[:-1]
        rows = [row for row in csv.reader(lines) if len(row) == len(header)]
        q = [[float(row[i]) for i in at] for row in rows]
        return np.array([float(row[0]) for row in rows]), np.array(q).reshape(-1, len(at))


def judge(times: Array, q: Array, seen: Seen) -> None:
    """Put into `seen` the time to rest and the largest shares.

    Args:
        times: (t,) s, one row per tick of the controller; the fault is at 0.
        q: (t, 8) its setpoints, rad or m.
    """
    if len(q) < 3:
        seen.problem = seen.problem or "the controller wrote no log"
        return
    velocity = np.diff(q, axis=0) / PERIOD_S
    acceleration = np.diff(velocity, axis=0) / PERIOD_S
    moving = times[1:][np.abs(velocity).max(1) > REST]
    after = moving[moving > 0.0]
    still = times[-1] - (after[-1] if len(after) else 0.0)
    seen.rest_s = float("nan") if still < 5 * PERIOD_S else float(after[-1]) if len(after) else 0.0
    seen.velocity = float((np.abs(velocity) / VELOCITY_LIMIT).max())
    seen.acceleration = float((np.abs(acceleration) / ACCELERATION_LIMIT).max())
    seen.outside = float(max(0.0, (POSITION_LOWER - q).max(), (q - POSITION_UPPER).max()))
