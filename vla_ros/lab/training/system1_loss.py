"""What System 1 is told of its mistakes on motions.

Flow time runs from 0 (noise) to 1 (action). Committed rows stand at time 1, clean, as in training-time real-time
chunking (arXiv 2512.05964); the loss is on the other rows.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vla_ros.policies.compact.features import ahead_features, moving_features
from vla_ros.policies.compact.flow import Flow
from vla_ros.policies.compact.model_config import ACTION, Sizes

Batch = NDArray[np.void]

LEAST_STD = np.array([0.002, 0.002, 0.002, 0.01, 0.01, 0.01, 0.004])
LATENTS_KEPT = 0.7  # share of examples that show the latents: System 1 stands without them, too
WAY_KEPT = 0.8  # share of examples with latents that show the waypoints, too


def statistics(examples: Batch) -> dict[str, list[list[float]]]:
    """Return mean and standard deviation (rows, ACTION) of the chunks; the same for x and y, as tables turn."""
    rows = examples["rows"].astype(np.float64)
    mean = np.zeros(rows.shape[1:])
    mean[:, 6] = rows[..., 6].mean()
    std = np.sqrt(((rows - mean) ** 2).mean(0))
    std[:, :2] = np.sqrt((std[:, :2] ** 2).mean(1, keepdims=True))
    std[:, 6] = std[:, 6].mean()
    return {"mean": mean.tolist(), "std": np.maximum(std, LEAST_STD).tolist()}


def inputs(batch: Batch) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return features of the waypoints (B, waypoints, AHEAD) and of the motion (B, MOVING)."""
    ahead = batch["ahead"].astype(np.float64)
    zero = np.zeros(3)
    way = ahead_features(ahead[..., :3], ahead[..., 3], ahead[..., 4], ahead[..., 5], zero, np.zeros(()))
    m = batch["moving"].astype(np.float64)
    moving = moving_features(m[:, :3], m[:, 3:6], m[:, 6:8], m[:, 8:10], m[:, 10:13], m[:, 13:16], m[:, 16])
    return way.astype(np.float32), moving.astype(np.float32)


def flow_loss(
    flow: Flow,
    batch: Batch,
    scale: dict[str, list[list[float]]],
    sizes: Sizes,
    latents: Tensor | None,
    device: torch.device,
) -> Tensor:
    """Return the loss of a batch (see `motions.layout`).

    Args:
        scale: of `statistics`. latents: (B, latents, latent) of System 2 for these examples, or None.
    """
    mean, std = (torch.tensor(scale[name], device=device) for name in ("mean", "std"))
    action = (torch.from_numpy(np.ascontiguousarray(batch["rows"])).to(device) - mean) / std
    way, moving = (torch.from_numpy(values).to(device) for values in inputs(batch))
    count = len(batch)
    if latents is None:
        latents = torch.zeros(count, sizes.latents, sizes.latent, device=device)
    else:
        shown = torch.rand(count, device=device) < LATENTS_KEPT
        blind = shown & (torch.rand(count, device=device) > WAY_KEPT)
        latents = latents * shown[:, None, None]
        way = way * ~blind[:, None, None]
    committed = torch.from_numpy(batch["committed"].astype(np.int64)).to(device)
    clean = torch.arange(sizes.rows, device=device) < committed[:, None]
    time = torch.rand(count, 1, device=device).expand(-1, sizes.rows)
    time = torch.where(clean, 1.0, time)
    noise = torch.randn(count, sizes.rows, ACTION, device=device)
    noisy = time[..., None] * action + (1 - time[..., None]) * noise
    velocity = flow(noisy, time, way, moving, latents)
    each = ((velocity - (action - noise)) ** 2).mean(-1)
    loss: Tensor = (each * ~clean).sum() / (~clean).sum()
    return loss
