"""What does a joint_trajectory_controller execute of stamped trajectories, each of which replaces the one before?

A message holds points with velocities, and the controller joins them by cubics. It goes on with the newest message. Its path
is sampled here on an even grid: each message from TAKEN_UP_NS behind its first point on, until the next one is taken up, the
last one until its end. Code of its own: the oracle shares none with the filter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.oracle.stream import Integers

STEP_NS = 2_000_000
"""A common period of controllers. Limits of acceleration and jerk hold for any."""
TAKEN_UP_NS = 8_000_000
"""The first point lies that far behind the moment at which a controller first uses the message."""
PAUSE_NS = 500_000_000
"""After a message has ended for so long the next one begins anew, wherever the arm is then."""


@dataclass(frozen=True)
class StampedMessage:
    """A message. times_ns: (n,) of its points, ROS time. positions, velocities: (n, joints), rad or m and per second."""

    times_ns: Sequence[int]
    positions: Array
    velocities: Array


def executed(messages: Sequence[StampedMessage]) -> tuple[list[tuple[int, list[float]]], list[int]]:
    """Return (time in ns, positions) on the grid, and at which of them a stretch begins.

    Args:
        messages: of two or more points each, in the order in which they were sent.
    """
    rows: list[tuple[int, list[float]]] = []
    starts: list[int] = []
    end_ns = 0
    for i, message in enumerate(messages):
        last = i + 1 == len(messages)
        begin_ns = max(message.times_ns[0] + TAKEN_UP_NS, rows[-1][0] + STEP_NS if rows else 0)
        if not rows or message.times_ns[0] > end_ns + PAUSE_NS or message.times_ns[-1] < begin_ns - PAUSE_NS:
            starts.append(len(rows))
            begin_ns = message.times_ns[0]
        until_ns = message.times_ns[-1] if last else messages[i + 1].times_ns[0] + TAKEN_UP_NS
        end_ns = message.times_ns[-1]
        until_ns = min(until_ns, end_ns + PAUSE_NS)
        times = np.arange(-(-begin_ns // STEP_NS) * STEP_NS, until_ns, STEP_NS, dtype=np.int64)
        rows += zip(times.tolist(), _at(message, times).tolist(), strict=True)
    return rows, starts


def _at(message: StampedMessage, times: Integers) -> Array:
    """Positions (len(times), joints) at these times, ns."""
    knots = np.asarray(message.times_ns, np.int64)
    inside = np.clip(times, knots[0], knots[-1])
    i = np.clip(np.searchsorted(knots, inside, "right") - 1, 0, len(knots) - 2)
    h = (knots[i + 1] - knots[i])[:, None] / 1e9
    u = (inside - knots[i])[:, None] / 1e9 / h
    p, q = message.positions[i], message.positions[i + 1]
    v, w = message.velocities[i] * h, message.velocities[i + 1] * h
    path: Array = p + u * (v + u * (3 * (q - p) - 2 * v - w + u * (2 * (p - q) + v + w)))
    return path
