"""The contract of every policy: System 2 turns frames and an instruction into a plan, System 1 turns a plan into motion.

The two halves of a policy run in different processes, and may run on different machines. They share only what stands in this
file: `Plan` travels as `vla_ros/LatentPlan`, `Chunk` as `vla_ros/ActionChunk`.

Units: rad and m; time in integer ns. Joint vectors are ordered as the policy's joint_names. Poses are of the tool in the base
frame, the root link of the URDF. Images are rgb8 (see `vla_ros.perception.frames`).
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.perception.frames import Frames
from vla_ros.policies.latents import LatentHandle, NewArray
from vla_ros.time import NS_PER_S


@dataclass(frozen=True)
class Instruction:
    """What the policy is asked to do.

    Attributes:
        id: see `LatentPlan.instruction_id`. A new id is a new task, also when the text is the same.
        text: as a person said it, or as the prompt template writes it.
    """

    id: int
    text: str


@dataclass(frozen=True)
class JointState:
    """Measured joints.

    Attributes:
        stamp_ns: ROS time of the measurement, ns.
        q: (n,) positions, rad or m.
        dq: (n,) velocities, rad/s or m/s.
        may_move: whether the policy may move the arm. When it may not (e-stop, not armed, a person moves it), an arm at rest
            says nothing about the task.
    """

    stamp_ns: int
    q: Array
    dq: Array
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
    """What System 2 sends to System 1, and tells people.

    Attributes:
        frame_stamp_ns: ROS time of the frames that it was made from, ns.
        instruction: what it serves.
        state: whether the arm is to move, and if not, why.
        subtask: the present step in words; empty: none.
        reasoning: for people: why it holds, failed or was refused, or what the policy thinks.
        kind: how to read `data`: "features" or "kv_cache" (models), "waypoints" (rows of `Waypoint`), "actions" (rows of
            joint positions, `Chunk.dt_s` apart), "motion" (rows of joint positions of a VLM's Cartesian motion); empty: no
            data.
        data: any shape and dtype; (0,) without kind.
        token_mask: (tokens,) uint8, 0 for padding; (0,): all tokens are real.
        token_positions: (tokens,) int32; (0,): counted from 0.
        path: (m, 7) tool poses in the base frame, x y z in m and quaternion x y z w, for people and RViz.
        progress: of the instruction, 0..1; NaN: not estimated.
        confidence: 0..1; NaN: not estimated.
        valid_for_s: a plan whose frames are older is void.
        plan_id: counts plans from 1; set by the planner.
        checkpoint: hash of the policy's weights; set by the planner.
        handle: where `data` stand in shared memory; None: they came in a message. Set by who receives it.
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
    path: Array = field(default_factory=lambda: np.zeros((0, 7)))
    progress: float = math.nan
    confidence: float = math.nan
    valid_for_s: float = 1.0
    plan_id: int = 0
    checkpoint: str = ""
    handle: LatentHandle | None = None


MOTION_ROWS = 3
"""So many rows of a chunk tell position, velocity and acceleration; equal rows tell that the arm rests."""


@dataclass(frozen=True)
class Chunk:
    """Joint positions over the next fraction of a second.

    Attributes:
        positions: (T, n) rad or m, evenly spaced.
        dt_s: spacing, s.
        start_ns: ROS time at which positions[0] is to be played, ns.
        plan_id, frame_stamp_ns: of the plan that it serves.
        prefix_length: number of leading rows taken over from the previous chunk. 0 from System 1: as many as it was asked
            to take over.
        chunk_id: counts the chunks that are played, from 1; 0: not played.
        inference_s: time that System 1 took, s.
    """

    positions: Array
    dt_s: float
    start_ns: int
    plan_id: int = 0
    frame_stamp_ns: int = 0
    prefix_length: int = 0
    chunk_id: int = 0
    inference_s: float = 0.0

    @classmethod
    def rest(cls, q: Array, start_ns: int) -> Chunk:
        """Return the chunk of an arm at rest. q: (n,) where it is held, rad or m. start_ns: ROS time."""
        return cls(np.repeat(q[None, :], MOTION_ROWS, axis=0), 0.02, start_ns)

    @property
    def end_ns(self) -> int:
        """ROS time of the last row, ns."""
        return self.start_ns + round((len(self.positions) - 1) * self.dt_s * NS_PER_S)

    @property
    def prefix_end_ns(self) -> int:
        """ROS time of the last row of the prefix, ns; without a prefix, one row before the start."""
        return self.start_ns + round((self.prefix_length - 1) * self.dt_s * NS_PER_S)


class System2(Protocol):
    """The slow half of a policy. One object serves one robot, keeps state from call to call, and is used by one thread.

    Attributes:
        checkpoint: hash of the weights and of all that the halves must agree on.
    """

    checkpoint: str

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return the plan for now.

        Args:
            frames: newest images of all cameras; only views with health OK are to be used.
            instruction: what to do.
            joint_state: as measured when the frames were taken.

        Returns:
            the plan. A policy that cannot serve the instruction returns state REFUSED with the reason; it does not raise for
            any text or image. `plan_id`, `checkpoint` and `valid_for_s` are set by the caller.
        """
        ...


@runtime_checkable
class SharingSystem2(Protocol):
    """A System 2 that writes large plans where it is told: into memory that System 1's process sees, without a copy."""

    def use_memory(self, new_array: NewArray) -> None:
        """Make the data of each plan by `new_array`; an array is valid until several plans later."""
        ...


class System1(Protocol):
    """The fast half of a policy. It runs in a process of its own; it knows the plan and its age, never the images.

    Attributes:
        checkpoint: that of the System 2 whose plans it can read.
        dt_s: spacing of its chunks, s.
    """

    checkpoint: str
    dt_s: float

    def chunk(self, plan: Plan, joint_state: JointState, previous: Chunk, prefix_length: int, start_ns: int) -> Chunk:
        """Return the next chunk; its positions[0] is played at `start_ns`.

        Args:
            plan: the newest, with state ACTIVE. Its age is start_ns - plan.frame_stamp_ns.
            joint_state: newest measured joints.
            previous: the chunk being played, shifted so that its positions[0] is also due at `start_ns`. For an arm at rest:
                `Chunk.rest` of where it is held, with chunk_id 0. Fingers are held where they were commanded to go, which
                need not be where they are.
            prefix_length: number of leading rows of `previous` that the new chunk must begin with, unchanged: they are
                played while it is being computed. The inference delay decides how many.
            start_ns: ROS time of row 0, ns.
        """
        ...
