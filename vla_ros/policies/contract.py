"""The one contract of every policy: System 2 turns frames and words into a plan, System 1 turns a plan into motion.

A policy is a pair of halves that run in different processes, and may run on different machines. They share only what
stands in this file: what System 2 says (`Plan`) travels as `vla_ros/LatentPlan`, what System 1 says (`Chunk`) as
`vla_ros/ActionChunk`. Images are rgb8; angles rad, lengths m, times integer ns; q is ordered as `joint_names`.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vla_ros.perception.frames import Frames


@dataclass(frozen=True)
class Instruction:
    """Words to serve. id: see `LatentPlan.instruction_id`; a new id is a new task even when the words are the same."""

    id: int
    text: str


@dataclass(frozen=True)
class JointState:
    """Measured joints, ordered as the policy's joint_names. stamp_ns: ROS time. q: (n,) rad or m. dq: (n,) per s.

    may_move: whether the policy may move them; where not (e-stop, not armed, somebody else moves them), that they rest tells
    nothing of the task. System 2 is told.
    """

    stamp_ns: int
    q: NDArray[np.float64]
    dq: NDArray[np.float64]
    may_move: bool = True


class PlanState(enum.IntEnum):
    """Values of `LatentPlan.state`. The arm moves on ACTIVE only."""

    HOLD = 0
    ACTIVE = 1
    DONE = 2
    FAILED = 3
    REFUSED = 4


@dataclass(frozen=True)
class Plan:
    """What System 2 hands to System 1, and tells people.

    frame_stamp_ns: stamp of the frames it was made from. instruction: what it serves. valid_for_s: it is void when older.
    kind: how to read `data`: "features", "kv_cache" (models), "waypoints" (rows of `Waypoint`), "actions" (rows of joint
    positions at `Chunk.dt_s`), "" (none). token_mask (tokens,) uint8, token_positions (tokens,) int32: empty means all
    real, counted from 0. path: (m, 7) tool poses in the base frame, xyz and quaternion xyzw, for people and RViz.
    progress, confidence: 0..1, NaN where the policy does not estimate them.
    """

    frame_stamp_ns: int
    instruction: Instruction
    state: PlanState
    subtask: str = ""
    reasoning: str = ""
    kind: str = ""
    data: NDArray[np.generic] = field(default_factory=lambda: np.zeros(0, np.float32))
    token_mask: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8))
    token_positions: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    path: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 7)))
    progress: float = math.nan
    confidence: float = math.nan
    valid_for_s: float = 1.0
    plan_id: int = 0
    checkpoint: str = ""


MOTION_ROWS = 3
"""So many rows tell where an arm is, its velocity and its acceleration; alike, that it rests."""


@dataclass(frozen=True)
class Chunk:
    """Joint positions over the next fraction of a second.

    positions: (T, n) rad or m, evenly spaced. dt_s: spacing. start_ns: ROS time at which positions[0] is to be played.
    frozen: leading rows taken over from the chunk before; 0: as many as were committed. plan_id, frame_stamp_ns: the plan
    served. chunk_id: counts those that are played, from 1.
    """

    positions: NDArray[np.float64]
    dt_s: float
    start_ns: int
    plan_id: int = 0
    frame_stamp_ns: int = 0
    frozen: int = 0
    chunk_id: int = 0
    inference_s: float = 0.0

    @classmethod
    def rest(cls, q: NDArray[np.float64], start_ns: int) -> Chunk:
        """What an arm that rests at `q` (n,) goes on from."""
        return cls(np.repeat(q[None, :], MOTION_ROWS, axis=0), 0.02, start_ns)

    @property
    def end_ns(self) -> int:
        """ROS time of the last point."""
        return self.start_ns + round((len(self.positions) - 1) * self.dt_s * 1e9)

    @property
    def committed_ns(self) -> int:
        """ROS time of the last point taken over; where none is, a point before the start."""
        return self.start_ns + round((self.frozen - 1) * self.dt_s * 1e9)


class System2(Protocol):
    """The slow half. One object serves one robot; it may keep state from call to call and is called from one thread."""

    checkpoint: str

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return the plan for now. The joints are as measured when the frames were taken.

        A policy that cannot serve the words returns state REFUSED with the reason; it never raises for words or images.
        `plan_id` and `checkpoint` are filled in by the caller.
        """
        ...


class System1(Protocol):
    """The fast half. Lives in a process of its own, knows the plan and its age, never the images."""

    checkpoint: str
    dt_s: float

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, delay: int, start_ns: int) -> Chunk:
        """Return the next chunk; its positions[0] is played at `start_ns`.

        Args:
            plan: newest plan, state ACTIVE; its age is start_ns - plan.frame_stamp_ns.
            joint_state: newest measured joints.
            previous: the chunk being played, shifted so that its positions[0] is also due at `start_ns`; for an arm at
                rest, `Chunk.rest` of where it is held, with chunk_id 0. Fingers are held where they were told to go,
                which need not be where they are.
            delay: number of leading rows of `previous` that are committed: they must be returned unchanged.
            start_ns: ROS time of row 0.
        """
        ...
