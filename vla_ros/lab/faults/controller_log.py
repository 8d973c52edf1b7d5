"""The log of the simulated arm's controller, read while it is written."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.lab.faults.reaction import ObservedReaction
from vla_ros.safety.controller_parameters import DELIVERY_S
from vla_ros.sim.arm_description import ACCELERATION_LIMIT, JOINT_NAMES, POSITION_LOWER, POSITION_UPPER, VELOCITY_LIMIT

REST = 1e-3
"""A slower joint is at rest, rad/s or m/s."""
BEFORE_S = 0.1
"""The limits are checked, and the arm must move, from this time before the fault on."""
BEFORE_BYTES = 500 * 2 * round(BEFORE_S * 1000)
"""Of the log; more than BEFORE_S takes at any rate of the controller."""


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
        times, q, _ = self._rows(size - BEFORE_BYTES)
        late = times > times[-1] - BEFORE_S
        speeds = np.abs(np.diff(q[late], axis=0) / np.diff(times[late])[:, None]).max(1)
        return LogMark(float(times[-1]), size, float(speeds.min()) if len(speeds) else 0.0)

    def observe(self, mark: LogMark, observed: ObservedReaction) -> None:
        """Write into `observed` what the controller did from BEFORE_S before the mark to the end of the log."""
        times, q, waited_s = self._rows(mark.offset - BEFORE_BYTES)
        kept = times > mark.time_s - BEFORE_S
        observe_motion(times[kept] - mark.time_s, q[kept], observed, waited_s[kept] > DELIVERY_S)

    def _rows(self, offset: int) -> tuple[Array, Array, Array]:
        """Return times (t,), setpoints (t, 8) and ages of commands (t,), of the complete lines after `offset`."""
        with self._path.open() as file:
            header = next(csv.reader([file.readline()]))
            columns = [header.index(f"setpoint_{joint}") for joint in JOINT_NAMES]
            columns.append(header.index("waited_s"))
            if offset > len(",".join(header)):
                file.seek(offset)
                file.readline()
            lines = file.read().split("\n")[:-1]
        rows = [row for row in csv.reader(lines) if len(row) == len(header)]
        values = np.array([[float(row[i]) for i in columns] for row in rows]).reshape(-1, len(columns))
        return np.array([float(row[0]) for row in rows]), values[:, :-1], values[:, -1]


def observe_motion(times: Array, q: Array, observed: ObservedReaction, late: NDArray[np.bool_] | None = None) -> None:
    """Write the time to rest and the largest shares of the limits into `observed`.

    Args:
        times: (t,) s, one row per cycle of the controller, evenly spaced; the fault is at 0.
        q: (t, 8) its setpoints, rad or m.
        late: (t,) whether a command reached the controller in this cycle that was under way for longer than a horizon allows;
            how the path goes on there is this machine's doing and not judged. None: no command was.
    """
    if len(q) < 3:
        observed.problem = observed.problem or "the controller wrote no log"
        return
    period_s = float(np.median(np.diff(times)))
    velocity = np.diff(q, axis=0) / period_s
    acceleration = np.diff(velocity, axis=0) / period_s
    moving = times[1:][np.abs(velocity).max(1) > REST]
    after = moving[moving > 0.0]
    at_rest_s = times[-1] - (after[-1] if len(after) else 0.0)
    observed.rest_s = float("nan") if at_rest_s < 5 * period_s else float(after[-1]) if len(after) else 0.0
    late = np.zeros(len(q), bool) if late is None else late
    observed.velocity = float((np.abs(velocity) / VELOCITY_LIMIT)[~touched(late, 1)].max(initial=0.0))
    observed.acceleration = float((np.abs(acceleration) / ACCELERATION_LIMIT)[~touched(late, 2)].max(initial=0.0))
    observed.outside = float(max(0.0, (POSITION_LOWER - q).max(), (q - POSITION_UPPER).max()))


def touched(late: NDArray[np.bool_], order: int) -> NDArray[np.bool_]:
    """Return (t - order,) which differences of that order hold a cycle that is late, or the step into the one after it."""
    windows: NDArray[np.bool_] = np.lib.stride_tricks.sliding_window_view(late, order + 1)
    return np.asarray(windows.any(axis=1))
