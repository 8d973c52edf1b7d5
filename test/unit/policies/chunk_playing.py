"""Plays a System 1 as action_expert does, in simulated time and without latency: for tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vla_ros.policies.contract import MOTION_ROWS, Chunk, JointState, Plan, System1

Array = NDArray[np.float64]
STEP_NS = 20_000_000
ROWS = 5  # a new chunk every 100 ms
DELAY = 4


def play(
    system1: System1, plan: Callable[[int, JointState], Plan | None], q: Array, seconds: float
) -> tuple[Array, list[Chunk]]:
    """Return the joint positions played, 20 ms apart, and the chunks.

    Args:
        system1: what to play.
        plan: called with time and measured joints before each chunk; None ends the play.
        q: where the arm is; it follows at once.
        seconds: longest time.
    """
    played, chunks = [q], []
    previous = Chunk.rest(q, 0)
    for tick in range(round(seconds * 10)):
        now_ns = tick * ROWS * STEP_NS
        state = JointState(now_ns, played[-1], np.zeros_like(q))
        newest = plan(now_ns, state)
        if newest is None:
            break
        chunk = system1.chunk(newest, state, previous, DELAY if previous.chunk_id else MOTION_ROWS, now_ns)
        chunks.append(chunk)
        played.extend(chunk.positions[:ROWS])
        previous = Chunk(chunk.positions[ROWS:], chunk.dt_s, now_ns + ROWS * STEP_NS, chunk_id=1)
    return np.array(played[1:]), chunks


def derivatives(positions: Array) -> tuple[Array, Array, Array]:
    """Return velocity, acceleration and jerk by differences."""
    velocity = np.diff(positions, axis=0) / 0.02
    acceleration = np.diff(velocity, axis=0) / 0.02
    return velocity, acceleration, np.diff(acceleration, axis=0) / 0.02
