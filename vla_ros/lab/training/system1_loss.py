"""Loss of System 1: flow matching on motions.

Flow time runs from 0 (noise) to 1 (action). Committed rows have flow time 1, without noise, as in training-time real-time
chunking (arXiv 2512.05964); the loss is on the other rows.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vla_ros.policies.compact.features import motion_features, waypoint_features
from vla_ros.policies.compact.flow import Flow
from vla_ros.policies.compact.model_config import ACTION_DIM, Sizes

Batch = NDArray[np.void]

LEAST_STD = np.array([0.002, 0.002, 0.002, 0.01, 0.01, 0.01, 0.004])
LATENTS_KEPT = 0.7  # share of examples with latents: System 1 must do without them, too
WAYPOINTS_KEPT = 0.8  # share of examples with latents that have the waypoints, too


def statistics(examples: Batch) -> dict[str, list[list[float]]]:
    """Return mean and standard deviation (rows, ACTION_DIM) of the chunks; equal for x and y, which are rotated at random."""
    rows = examples["rows"].astype(np.float64)
    mean = np.zeros(rows.shape[1:])
    mean[:, 6] = rows[..., 6].mean()
    std = np.sqrt(((rows - mean) ** 2).mean(0))
    std[:, :2] = np.sqrt((std[:, :2] ** 2).mean(1, keepdims=True))
    std[:, 6] = std[:, 6].mean()
    return {"mean": mean.tolist(), "std": np.maximum(std, LEAST_STD).tolist()}


def inputs(batch: Batch) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return features of waypoints (B, waypoints, WAYPOINT_FEATURES) and of the motion (B, MOTION_FEATURES)."""
    rows = batch["waypoints"].astype(np.float64)
    zero = np.zeros(3)
    waypoints = waypoint_features(rows[..., :3], rows[..., 3], rows[..., 4], rows[..., 5], zero, np.zeros(()))
    raw = batch["motion"].astype(np.float64)
    motion = motion_features(
        raw[:, :3], raw[:, 3:6], raw[:, 6:8], raw[:, 8:10], raw[:, 10:13], raw[:, 13:16], raw[:, 16]
    )
    return waypoints.astype(np.float32), motion.astype(np.float32)


def flow_loss(
    flow: Flow,
    batch: Batch,
    scale: dict[str, list[list[float]]],
    sizes: Sizes,
    latents: Tensor | None,
    device: torch.device,
) -> Tensor:
    """Return the loss of a batch.

    Args:
        flow: the network.
        batch: see `motions.layout`.
        scale: of `statistics`.
        sizes: of the network.
        latents: (B, latents, latent) of System 2 for these examples, or None.
        device: of the tensors.
    """
    mean, std = (torch.tensor(scale[name], device=device) for name in ("mean", "std"))
    action = (torch.from_numpy(batch["rows"].copy()).to(device) - mean) / std
    waypoints, motion = (torch.from_numpy(values).to(device) for values in inputs(batch))
    count = len(batch)
    if latents is None:
        latents = torch.zeros(count, sizes.latents, sizes.latent, device=device)
    else:
        with_latents = torch.rand(count, device=device) < LATENTS_KEPT
        without_waypoints = with_latents & (torch.rand(count, device=device) > WAYPOINTS_KEPT)
        latents = latents * with_latents[:, None, None]
        waypoints = waypoints * ~without_waypoints[:, None, None]
    prefix_rows = torch.from_numpy(batch["prefix_rows"].astype(np.int64)).to(device)
    clean = torch.arange(sizes.rows, device=device) < prefix_rows[:, None]
    time = torch.rand(count, 1, device=device).expand(-1, sizes.rows)
    time = torch.where(clean, 1.0, time)
    noise = torch.randn(count, sizes.rows, ACTION_DIM, device=device)
    noisy = time[..., None] * action + (1 - time[..., None]) * noise
    velocity = flow(noisy, time, waypoints, motion, latents)
    each = ((velocity - (action - noise)) ** 2).mean(-1)
    loss: Tensor = (each * ~clean).sum() / (~clean).sum()
    return loss
