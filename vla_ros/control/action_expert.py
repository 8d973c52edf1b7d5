"""System 1's rules: which chunk is played, how the next one continues it, and when it is requested."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.control.chunk_player import ChunkPlayer
from vla_ros.policies.contract import MOTION_ROWS, Chunk, JointState, Plan
from vla_ros.time import NS_PER_S

LEAD_NS = 20_000_000
"""From the request for a chunk from rest to its first point."""
MAX_EXTRAPOLATION_S = 0.2
"""The measured arm is extrapolated by so much at most when it is compared with the setpoint."""


class ChunkRequest(NamedTuple):
    """What `System1.chunk` is to be called with."""

    plan: Plan
    joint_state: JointState
    previous: Chunk
    prefix_length: int
    start_ns: int


class ActionExpert:
    """Plays chunks, and says when the next one is wanted and what it is to go on from.

    In every tick: `clear` when nothing may be sent, and else `follow`, `accept` what has been computed, send the `setpoint`,
    and when nothing is being computed and one is `due`, have what `request` returns computed. now_ns: monotonic; ros_ns: the
    same moment in ROS time, or later by as much as setpoints are sent ahead; stamp_ns: ROS time of the tick's setpoint.

    Args:
        transition: one of `chunk_player.CHUNK_TRANSITIONS`.
        chunk_period_s: longest time from one request to the next, which bounds the execution horizon: how much of a chunk is
            played before the next one replaces it. With a new plan a chunk is requested at once.
        anchor_distance: a chunk begins at the measured arm when that is so far from where it is told to be, rad.
        arm: mask (n,) of the joints that are no gripper: a finger that holds something is far from its setpoint by design.

    Attributes:
        plan: what is followed; None: none.
        requested_ns: when a chunk was last requested, monotonic.
        chunks: number of chunks played.
        late: number of chunks left out because they came too late.
    """

    def __init__(self, transition: str, chunk_period_s: float, anchor_distance: float, arm: NDArray[np.bool_]) -> None:
        self.player = ChunkPlayer(transition)
        self.plan: Plan | None = None
        self.requested_ns = self.chunks = self.late = 0
        self._chunk_period_ns = round(chunk_period_s * NS_PER_S)
        self._anchor_distance, self._arm = anchor_distance, arm
        self._requested: Plan | None = None  # plan of the newest request; None: what comes of that is void
        self._from_rest = True
        self._prefix_length = 0  # of the newest request

    def clear(self) -> None:
        """Nothing may be sent: forget the path, and what is being computed to go on from it."""
        self.follow(None)
        self.player.clear()

    def follow(self, plan: Plan | None) -> None:
        """Follow `plan` from now on. What is being computed for another instruction is void. Without a plan everything is,
        because the path that it continues is given up."""
        if plan is None or (self._requested is not None and plan.instruction.id != self._requested.instruction.id):
            self._requested = None
        self.plan = plan

    def accept(self, chunk: Chunk, now_ns: int, ros_ns: int) -> tuple[Chunk, Chunk | None] | None:
        """Take in a chunk that System 1 has computed.

        Returns:
            the chunk as it is played, and the one that it replaces (None: it starts from rest); None when it is void or late.
        """
        if self._requested is None:
            return None
        before, delay_ns = self.player.chunk, now_ns - self.requested_ns
        chunk = replace(chunk, prefix_length=chunk.prefix_length or self._prefix_length)  # a policy need not say so
        if self._from_rest:
            # It waits for nobody: entered late it would begin with a jump, so it begins now.
            chunk, before = replace(chunk, start_ns=max(chunk.start_ns, ros_ns), prefix_length=0), None
        elif (
            chunk.prefix_length
            and chunk.prefix_end_ns < ros_ns
            and (before is None or ros_ns < before.end_ns - delay_ns)
        ):
            # It would begin with a jump. What plays lasts until the next one comes, even if that takes as long; what is
            # over is not gone on with.
            self.late += 1
            self.player.note_inference_delay(delay_ns / NS_PER_S)
            self._requested = None
            return None
        self.chunks += 1
        chunk = replace(chunk, chunk_id=self.chunks)
        self.player.accept(chunk, delay_ns / NS_PER_S)
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
        """Return whether the next chunk is to be requested.

        Args:
            now_ns: monotonic.
            resting: the safety filter holds the arm still. While it stops the arm, it is unknown where a path would begin.
        """
        if self.plan is None or self.player.finishing:
            return False
        if self.player.chunk is None:
            return resting
        return self.plan is not self._requested or now_ns - self.requested_ns >= self._chunk_period_ns

    def request(
        self, joint_state: JointState, commanded: Array | None, now_ns: int, ros_ns: int, stamp_ns: int
    ) -> ChunkRequest:
        """Return what to ask System 1 for, and count it as requested. Call it when `due`.

        Args:
            joint_state: the newest.
            commanded: (n,) what the safety filter sends to the arm now, rad or m; None: unknown.
            now_ns, ros_ns, stamp_ns: as above.
        """
        assert self.plan is not None
        setpoint = self.player.setpoint(stamp_ns)
        ahead_s = min(max((stamp_ns - joint_state.stamp_ns) / NS_PER_S, 0.0), MAX_EXTRAPOLATION_S)
        previous = None
        if setpoint is not None and not self._off_target(joint_state.q + ahead_s * joint_state.dq, setpoint).any():
            previous = self.player.anchor(ros_ns, joint_state)
        self.requested_ns, self._requested = now_ns, self.plan
        self._from_rest = previous is None and (self.player.chunk is None or self.player.transition == "real_time")
        if previous is None:
            q = joint_state.q
            if commanded is not None:
                # Where it is told to be, so that neither a noisy measurement is a jump nor a grip is loosened.
                q = np.where(self._off_target(q, commanded), q, commanded)
            self._prefix_length = 0
            return ChunkRequest(self.plan, joint_state, Chunk.rest(q, ros_ns + LEAD_NS), MOTION_ROWS, ros_ns + LEAD_NS)
        self._prefix_length = min(self.player.prefix_length(previous.dt_s), len(previous.positions) - 1)
        return ChunkRequest(self.plan, joint_state, previous, self._prefix_length, previous.start_ns)

    def _off_target(self, q: Array, target: Array) -> NDArray[np.bool_]:
        """Return (n,) whether something keeps a joint of the arm from its target."""
        off_target: NDArray[np.bool_] = self._arm & (np.abs(q - target) >= self._anchor_distance)
        return off_target
