"""Contracts of made-up checkpoints for the simulated arm: for tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.policies.binding.checkpoint_contract import CameraSlot, CheckpointContract, VectorSpec
from vla_ros.policies.registry import Robot
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

ROBOT = Robot(urdf(), JOINT_NAMES, cameras=("front", "wrist"))
LOW = np.array([-2.0, -1.5, -2.0, -2.9, -2.0, 0.2, -2.0, 0.0])
HIGH = np.array([2.0, 1.5, 2.0, -0.2, 2.0, 3.5, 2.0, 0.04])
FRONT = CameraSlot("observation.images.front", 256, 256)


def statistics(low: Sequence[float] | Array, high: Sequence[float] | Array) -> dict[str, Array]:
    """Return the statistics of values that are spread evenly from low to high."""
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    return {
        "mean": (low + high) / 2,
        "std": (high - low) / np.sqrt(12),
        "min": low,
        "max": high,
        "q01": low + 0.01 * (high - low),
        "q99": high - 0.01 * (high - low),
    }


def joints(low: Array = LOW, high: Array = HIGH, names: tuple[str, ...] = ()) -> VectorSpec:
    """Return the vector of the arm's eight joints."""
    return VectorSpec(names, len(low), statistics(low, high))


def act(
    state: VectorSpec | None = None,
    action: VectorSpec | None = None,
    cameras: tuple[CameraSlot, ...] = (FRONT,),
    normalization: str = "mean_std",
    rate_hz: float | None = 50.0,
) -> CheckpointContract:
    """Return the contract of a policy that was trained on the simulated arm."""
    modes = {"state": normalization, "action": normalization}
    return CheckpointContract("act", "/ckpt", cameras, state or joints(), action or joints(), 100, modes, rate_hz)


def openvla(low: float = -0.03, high: float = 0.03, state: VectorSpec | None = None) -> CheckpointContract:
    """Return the contract of a policy whose actions are steps of the tool and the gripper, 1 open, as Bridge's are."""
    ends = statistics([low] * 6 + [0.0], [high] * 6 + [1.0])
    action = VectorSpec((), 7, {name: ends[name] for name in ("q01", "q99")})
    cameras = (CameraSlot("image", 224, 224),)
    return CheckpointContract("openvla", "/vla", cameras, state, action, 1, {"action": "quantiles"})


__all__ = ["FRONT", "HIGH", "HOME", "JOINT_NAMES", "LOW", "ROBOT", "act", "joints", "openvla", "statistics"]
