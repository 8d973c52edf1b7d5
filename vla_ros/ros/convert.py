"""Plans, chunks and frames as messages, and back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Point, Pose, Quaternion
from numpy.typing import NDArray
from sensor_msgs.msg import JointState as JointStateMessage
from trajectory_msgs.msg import JointTrajectoryPoint

from vla_ros.arrays import Array
from vla_ros.msg import ActionChunk, CameraFrames, LatentPlan, SafetyStatus
from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState
from vla_ros.policies.latents import LatentHandle, LatentReader, LatentWriter, flat, from_bytes
from vla_ros.ros.stamps import duration_message, nanoseconds, time_message
from vla_ros.time import NS_PER_S


def frames_from(message: CameraFrames) -> Frames:
    """Unpack vla/frames; where the cameras were is not in it."""
    shape = (len(message.names), message.height, message.width)
    images = np.frombuffer(message.data, np.uint8).reshape(*shape, 3)
    ks = np.array(message.k).reshape(-1, 3, 3)
    depths = np.array(message.depth, np.float32).reshape(-1, *shape[1:])
    stamps = dict(zip(message.names, map(nanoseconds, message.stamps), strict=False))
    frame_ids = dict(zip(message.names, message.frame_ids, strict=False))
    depth_of = dict(zip(message.depth_names, depths, strict=True))
    return Frames(
        nanoseconds(message.header.stamp),
        {
            name: CameraView(
                images[i],
                CameraHealth(message.health[i]),
                ks[i] if ks[i].any() else None,
                depth_of.get(name),
                stamp_ns=stamps.get(name, 0),
                frame_id=frame_ids.get(name, ""),
            )
            for i, name in enumerate(message.names)
        },
    )


def joint_state_from(message: JointStateMessage, joint_names: Sequence[str]) -> JointState | None:
    """Pick the named joints out of a sensor_msgs/JointState; None when it lacks one or its finite position."""
    index = {name: i for i, name in enumerate(message.name)}
    if not all(name in index for name in joint_names):
        return None
    order = [index[name] for name in joint_names]
    # A broadcaster may leave position or velocity empty.
    if len(message.position) != len(message.name):
        return None
    measured = len(message.velocity) == len(message.name)
    q = np.array(message.position)[order]
    dq = np.array(message.velocity)[order] if measured else np.zeros(len(order))
    if not (np.isfinite(q).all() and np.isfinite(dq).all()):
        return None
    return JointState(nanoseconds(message.header.stamp), q, dq)


def commanded_positions(message: SafetyStatus, joint_names: Sequence[str]) -> Array | None:
    """Return the positions (n,) that the filter sends for the named joints, rad; None when it sends none, or not for all."""
    sent = dict(zip(message.joint_names, message.positions, strict=False))
    return np.array([sent[name] for name in joint_names]) if sent.keys() >= set(joint_names) else None


def plan_message(
    plan: Plan, policy: str, frame_id: str, inference_s: float, shared: LatentWriter | None = None
) -> LatentPlan:
    """Pack a plan; with `shared` its bytes go through shared memory."""
    message = LatentPlan(
        plan_id=plan.plan_id,
        instruction_id=plan.instruction.id,
        instruction=plan.instruction.text,
        state=int(plan.state),
        subtask=plan.subtask,
        reasoning=plan.reasoning,
        progress=plan.progress,
        confidence=plan.confidence,
        valid_for=duration_message(plan.valid_for_s),
        policy=policy,
        checkpoint=plan.checkpoint,
        kind=plan.kind,
        token_mask=plan.token_mask.tobytes(),
        token_positions=plan.token_positions.tolist(),
        inference_time=inference_s,
    )
    message.header.stamp = time_message(plan.frame_stamp_ns)
    message.header.frame_id = frame_id
    if plan.kind:
        message.dtype, message.shape = plan.data.dtype.name, list(plan.data.shape)
        if shared is None:
            # Into the message's own array: of anything else it checks each value.
            message.data.frombytes(flat(plan.data).data)
        else:
            message.shm_name, message.shm_offset, message.shm_generation = shared.write(plan.data)
    for x, y, z, qx, qy, qz, qw in plan.path.tolist():
        message.waypoints.append(Pose(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw)))
    return message


def plan_from(message: LatentPlan, reader: LatentReader | None = None) -> Plan:
    """Unpack a plan.

    Args:
        message: what the planner sent.
        reader: keeps the shared memory attached from one plan to the next.

    Returns:
        the plan; its data in shared memory are not copied, and stay as they are as long as an array on them is held.

    Raises:
        LatentLost: its bytes were in shared memory and are gone. ValueError: its bytes are not what it says.
    """
    handle: LatentHandle | None = None
    data: NDArray[np.generic] = np.zeros(0, np.float32)
    if message.kind and message.shm_name:
        place = message.shm_name, message.shm_offset, message.shm_generation
        handle = LatentHandle(*place, message.dtype, tuple(message.shape))
        data = (reader or LatentReader()).array(handle)
    elif message.kind:
        data = from_bytes(message.dtype, list(message.shape), np.frombuffer(message.data, np.uint8))
    return Plan(
        frame_stamp_ns=nanoseconds(message.header.stamp),
        instruction=Instruction(message.instruction_id, message.instruction),
        state=PlanState(message.state),
        subtask=message.subtask,
        reasoning=message.reasoning,
        kind=message.kind,
        data=data,
        token_mask=np.array(message.token_mask, np.uint8),
        token_positions=np.array(message.token_positions, np.int32),
        progress=message.progress,
        confidence=message.confidence,
        valid_for_s=nanoseconds(message.valid_for) / NS_PER_S,
        plan_id=message.plan_id,
        checkpoint=message.checkpoint,
        handle=handle,
    )


def chunk_message(
    chunk: Chunk, joint_names: Sequence[str], discontinuity: tuple[float, float] = (math.nan, math.nan)
) -> ActionChunk:
    """Pack a chunk; discontinuity: jump of velocity (rad/s) and acceleration (rad/s²) from the previous chunk."""
    message = ActionChunk(
        chunk_id=chunk.chunk_id,
        plan_id=chunk.plan_id,
        frame_stamp=time_message(chunk.frame_stamp_ns),
        prefix_length=chunk.prefix_length,
        velocity_discontinuity=discontinuity[0],
        acceleration_discontinuity=discontinuity[1],
        plan_age=(chunk.start_ns - chunk.frame_stamp_ns) / NS_PER_S if chunk.frame_stamp_ns else math.nan,
        inference_time=chunk.inference_s,
    )
    message.header.stamp = time_message(chunk.start_ns)
    message.trajectory.header.stamp = message.header.stamp
    message.trajectory.joint_names = list(joint_names)
    message.trajectory.points = [
        JointTrajectoryPoint(positions=row, time_from_start=duration_message(i * chunk.dt_s))
        for i, row in enumerate(chunk.positions.tolist())
    ]
    return message
