"""The chunk player: a setpoint for any moment, the prefix of the next chunk, and the transition from chunk to chunk."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from vla_ros.arrays import Array
from vla_ros.policies.contract import MOTION_ROWS, Chunk, JointState
from vla_ros.time import NS_PER_S

CHUNK_TRANSITIONS = ("real_time", "naive", "ensemble")
"""How one chunk follows another.

real_time: the next chunk begins with a prefix of the one that plays, and System 1 continues it (real-time chunking).
naive: the next chunk goes on from the measured arm, which is behind its setpoints, and replaces the present one on arrival.
ensemble: as naive, but the setpoint is the mean of all chunks that cover the moment; the oldest has the largest weight."""
ENSEMBLE_DECAY = 0.01
"""The i-th oldest chunk of an ensemble has the weight exp(-ENSEMBLE_DECAY i).

Source: Zhao et al., "Learning Fine-Grained Bimanual Manipulation with Low-Cost Hardware", RSS 2023, section IV-B."""
MEASURED_POINTS = 3
"""So many points tell position and velocity of the measured arm."""
FINISH_S = 0.4
"""Time to come to rest along the path: from 1 rad/s with 3.75 rad/s² at most."""
INFERENCE_DELAY_S = 0.05
"""Expected before the first chunk."""
DELAY_MARGIN = 1.5
"""The prefix is long enough for an inference that takes this much longer than expected."""
DELAY_DECAY = 0.9
"""The expected inference delay falls to this share with every quicker chunk."""


class ChunkPlayer:
    """Holds the chunk that is being played. Times are ROS time in ns, given by the caller.

    Between its points a chunk is a cubic whose tangents are central differences, so that velocity is continuous; tangents
    are smaller where the curve would overshoot the points, so that a chunk inside limits stays inside. After the end of the
    chunk there is no setpoint, and the safety filter brings the arm to rest.

    Args:
        transition: one of CHUNK_TRANSITIONS.

    Attributes:
        transition: as given.
        chunk: the one that plays; None: none.
    """

    def __init__(self, transition: str = "real_time") -> None:
        self.transition = transition
        self.chunk: Chunk | None = None
        self._older: list[Chunk] = []  # chunks of the ensemble, oldest first
        self._before: Array | None = None  # the point before the chunk's first; without it the tangent there is half
        self._inference_delay_s = INFERENCE_DELAY_S
        self._finish_ns = self._finish_for_ns = 0

    def clear(self) -> None:
        """Forget the chunk: the next one starts from rest."""
        self.chunk = self._before = None
        self._older = []
        self._finish_for_ns = 0

    @property
    def finishing(self) -> bool:
        """Whether `finish` has been called and what it began is not over."""
        return self._finish_for_ns > 0

    def finish(self, now_ns: int) -> Array | None:
        """Come to rest along the path: its time slows down to a stop within `FINISH_S`, or sooner when the chunk ends sooner.

        Call it instead of `setpoint`, from the first call until it returns None.

        Returns:
            (n,) joint positions for `now_ns`; None when at rest, and the chunk is forgotten.
        """
        if self.chunk is not None and not self.finishing and now_ns >= self.chunk.start_ns:
            self._finish_ns = now_ns
            self._finish_for_ns = min(round(FINISH_S * NS_PER_S), 2 * max(0, self.chunk.end_ns - now_ns))
        u = (now_ns - self._finish_ns) / self._finish_for_ns if self.finishing else 1.0
        if u >= 1.0:
            self.clear()
            return None
        return self.setpoint(self._finish_ns + round(self._finish_for_ns * (u - u**3 + u**4 / 2)))

    def accept(self, chunk: Chunk, inference_delay_s: float) -> None:
        """Play `chunk` from now on.

        Args:
            chunk: begins with a prefix of the chunk that is playing, if the transition is real_time.
            inference_delay_s: time from its request to its arrival; the length of the next prefix follows it.
        """
        before = None
        if self.chunk is not None:
            if self.transition == "ensemble":
                self._older = [old for old in (*self._older, self.chunk) if old.end_ns > chunk.start_ns]
            row = round((chunk.start_ns - self.chunk.start_ns) / (chunk.dt_s * NS_PER_S)) - 1
            if chunk.prefix_length and 0 <= row < len(self.chunk.positions):
                # It may be there before its first point is due: until then the step to that point is played.
                positions = np.concatenate([self.chunk.positions[row : row + 1], chunk.positions])
                start_ns = chunk.start_ns - round(chunk.dt_s * NS_PER_S)
                before = self.chunk.positions[row - 1] if row > 0 else self._before
                chunk = replace(chunk, positions=positions, start_ns=start_ns, prefix_length=chunk.prefix_length + 1)
        self.chunk, self._before = chunk, before
        self.note_inference_delay(inference_delay_s)

    def note_inference_delay(self, delay_s: float) -> None:
        """A chunk took so long from request to arrival, whether it is played or not."""
        # Rises at once, falls slowly: a prefix that is too short is a jump.
        self._inference_delay_s = max(delay_s, DELAY_DECAY * self._inference_delay_s)

    def prefix_length(self, dt_s: float) -> int:
        """Return the number of points, `dt_s` apart, that the next chunk must take over from the present one.

        The next chunk then arrives before they have been played, and goes on with their velocity and acceleration.
        """
        if self.transition != "real_time":
            return 0
        return max(MOTION_ROWS, math.ceil(DELAY_MARGIN * self._inference_delay_s / dt_s) + 1)

    def setpoint(self, now_ns: int) -> Array | None:
        """Return (n,) joint positions for `now_ns`; None without a chunk or past its end."""
        if self.chunk is None or now_ns > self.chunk.end_ns:
            return None
        playing = [chunk for chunk in self._older if now_ns <= chunk.end_ns]
        weights = np.exp(-ENSEMBLE_DECAY * np.arange(len(playing) + 1))
        points = [*(_at(chunk, None, now_ns) for chunk in playing), _at(self.chunk, self._before, now_ns)]
        point: Array = weights @ np.stack(points) / weights.sum()
        return point

    def anchor(self, now_ns: int, joint_state: JointState) -> Chunk | None:
        """Return what the next chunk goes on from: `previous` of `System1.chunk`; None: from rest.

        For real_time that is the chunk from its next point on, unless fewer than two points are left. For other transitions
        it is the measured arm, which goes on as it moves.
        """
        chunk = self.chunk
        if chunk is None:
            return None
        dt_ns = round(chunk.dt_s * NS_PER_S)
        if self.transition != "real_time":
            ahead = np.arange(MEASURED_POINTS)[:, None] * chunk.dt_s
            return replace(chunk, positions=joint_state.q + ahead * joint_state.dq, start_ns=now_ns, prefix_length=0)
        row = max(0, -(-(now_ns - chunk.start_ns) // dt_ns))
        if row > len(chunk.positions) - 2:
            return None
        return replace(chunk, positions=chunk.positions[row:], start_ns=chunk.start_ns + row * dt_ns, prefix_length=0)


def _at(chunk: Chunk, before: Array | None, now_ns: int) -> Array:
    """A chunk's positions (n,) at `now_ns`, which is not past its end; `before`: the point before its first."""
    positions = chunk.positions
    at = max(0.0, (now_ns - chunk.start_ns) / NS_PER_S / chunk.dt_s)
    row = min(int(at), len(positions) - 2) if len(positions) > 1 else 0
    if len(positions) == 1:
        only: Array = positions[0]
        return only
    u = at - row
    p0, p1, p2, p3 = positions[np.clip([row - 1, row, row + 1, row + 2], 0, len(positions) - 1)]
    if row == 0 and before is not None:
        p0 = before
    m1, m2 = _tangent(p1 - p0, p2 - p1), _tangent(p2 - p1, p3 - p2)
    point: Array = (
        (2 * u**3 - 3 * u**2 + 1) * p1 + (u**3 - 2 * u**2 + u) * m1 + (3 * u**2 - 2 * u**3) * p2 + (u**3 - u**2) * m2
    )
    return point


def _tangent(before: Array, behind: Array) -> Array:
    """Return the mean of two steps (n,), as far as a curve between points does not overshoot them.

    Source: Hyman, "Accurate monotonicity preserving cubic interpolation", SIAM J. Sci. Stat. Comput. 4 (1983).
    """
    most = 3 * np.minimum(np.abs(before), np.abs(behind))
    mean: Array = np.where(before * behind > 0, np.clip((before + behind) / 2, -most, most), 0.0)
    return mean
