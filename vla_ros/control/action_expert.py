"""System 1's rules: which chunk is played, how the next one joins on, when it is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vla_ros.control.chunk_player import ChunkPlayer
from vla_ros.policies.contract import MOTION_ROWS, Chunk, JointState, Plan
from vla_ros.time import NS_PER_S

Array = NDArray[np.float64]

LEAD_NS = 20_000_000
"""From the request for a chunk from rest to its first point."""
LONGEST_AHEAD_S = 0.2
"""So far on its way the measured arm is looked for when it is compared with the setpoint."""


class Request(NamedTuple):
    """What `System1.chunk` is to be called with."""

    plan: Plan
    joint_state: JointState
    previous: Chunk
    delay: int
    start_ns: int


class ActionExpert:
    """Plays chunks, and says when the next one is wanted and what it is to go on from.

    In every tick: `clear` when nothing may be sent, and else `follow`, `accept` what has been computed, send the `setpoint`,
    and when nothing is being computed and one is `due`, have what `request` returns computed. now_ns: monotonic; ros_ns: the
    same moment in ROS time; stamp_ns: ROS time of the tick's setpoint.

    Args:
        splicing: of `playback.SPLICINGS`.
        chunk_period_s: longest time from one request to the next; a new plan is asked for at once.
        anchor_distance: a chunk begins at the measured arm when that is so far from where it is told to be, rad.
        arm: mask (n,) of the joints that are no gripper: a finger that holds something is far from its setpoint by design.

    Attributes:
        plan: what is followed. asked_ns: when a chunk was last asked for. chunks: number of those played; late: of those
        left out.
    """

    def __init__(self, splicing: str, chunk_period_s: float, anchor_distance: float, arm: NDArray[np.bool_]) -> None:
        self.player = ChunkPlayer(splicing)
        self.plan: Plan | None = None
        self.asked_ns = self.chunks = self.late = 0
        self._chunk_period_ns = round(chunk_period_s * NS_PER_S)
        self._anchor_distance, self._arm = anchor_distance, arm
        self._asked: Plan | None = None  # plan of the newest request; None: what comes of that is void
        self._from_rest = True
        self._delay = 0  # of the newest request

    def clear(self) -> None:
        """Nothing may be sent: forget the path, and what is being computed to go on from it."""
        self.follow(None)
        self.player.clear()

    def follow(self, plan: Plan | None) -> None:
        """Go by `plan` from now on. What is being computed for another sentence is void; without a plan all is, for the path
        that it goes on from is given up."""
        if plan is None or (self._asked is not None and plan.instruction.id != self._asked.instruction.id):
            self._asked = None
        self.plan = plan

    def accept(self, chunk: Chunk, now_ns: int, ros_ns: int) -> tuple[Chunk, Chunk | None] | None:
        """Take in what has been computed.

        Returns:
            the chunk as it is played, and the one that it continues, None for one from rest; None when it is void, or too
            late.
        """
        if self._asked is None:
            return None
        before, latency_ns = self.player.chunk, now_ns - self.asked_ns
        chunk = replace(chunk, frozen=chunk.frozen or self._delay)  # a policy may leave it to us to say so
        if self._from_rest:
            # It waits for nobody: entered late it would begin with a jump, so it begins now.
            chunk, before = replace(chunk, start_ns=max(chunk.start_ns, ros_ns), frozen=0), None
        elif chunk.frozen and chunk.committed_ns < ros_ns and (before is None or ros_ns < before.end_ns - latency_ns):
            # It would begin with a jump. What plays lasts until the next one comes, even if that takes as long; what is
            # over is not gone on with.
            self.late += 1
            self.player.took(latency_ns / NS_PER_S)
            self._asked = None
            return None
        self.chunks += 1
        chunk = replace(chunk, chunk_id=self.chunks)
        self.player.accept(chunk, latency_ns / NS_PER_S)
        return chunk, before

    def setpoint(self, stamp_ns: int) -> Array | None:
        """Return (n,) joint positions for `stamp_ns`; without a plan the path slows down to rest. None: nothing is sent."""
        if self.plan is None or self.player.finishing:
            return self.player.finish(stamp_ns)
        chunk = self.player.chunk
        if chunk is None or stamp_ns < chunk.start_ns:
            return None
        setpoint = self.player.setpoint(stamp_ns)
        if setpoint is None:  # it is over, and the filter stops the arm
            self.player.clear()
        return setpoint

    @property
    def frame_stamp_ns(self) -> int:
        """ROS time of the frames behind the present setpoint."""
        return self.player.chunk.frame_stamp_ns if self.player.chunk is not None else 0

    def due(self, now_ns: int, resting: bool) -> bool:
        """Return whether the next chunk is to be asked for. Args: resting: the filter holds the arm still: while it stops the
        arm nobody knows from where a path would begin."""
        if self.plan is None or self.player.finishing:
            return False
        if self.player.chunk is None:
            return resting
        return self.plan is not self._asked or now_ns - self.asked_ns >= self._chunk_period_ns

    def request(
        self, joint_state: JointState, commanded: Array | None, now_ns: int, ros_ns: int, stamp_ns: int
    ) -> Request:
        """Return what to ask for, and count it as asked. There must be a plan.

        Args: commanded: (n,) that the safety filter sends to the arm now; None: not known.
        """
        assert self.plan is not None
        setpoint = self.player.setpoint(stamp_ns)
        ahead_s = min(max((stamp_ns - joint_state.stamp_ns) / NS_PER_S, 0.0), LONGEST_AHEAD_S)
        previous = None
        if setpoint is not None and not self._away(joint_state.q + ahead_s * joint_state.dq, setpoint).any():
            previous = self.player.anchor(ros_ns, joint_state)
        self.asked_ns, self._asked = now_ns, self.plan
        self._from_rest = previous is None and (self.player.chunk is None or self.player.splicing == "real_time")
        if previous is None:
            q = joint_state.q
            if commanded is not None:
                # Where it is told to be, so that neither a noisy measurement is a jump nor a grip is loosened.
                q = np.where(self._away(q, commanded), q, commanded)
            self._delay = 0
            return Request(self.plan, joint_state, Chunk.rest(q, ros_ns + LEAD_NS), MOTION_ROWS, ros_ns + LEAD_NS)
        self._delay = min(self.player.delay(previous.dt_s), len(previous.positions) - 1)
        return Request(self.plan, joint_state, previous, self._delay, previous.start_ns)

    def _away(self, q: Array, told: Array) -> NDArray[np.bool_]:
        """Return (n,) whether something keeps a joint of the arm from where it is told to be."""
        away: NDArray[np.bool_] = self._arm & (np.abs(q - told) >= self._anchor_distance)
        return away
