"""Cut-outs for the second look: shifted, blurred and in other light, as the first look and a camera would leave them."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vla_ros.policies.compact import projection
from vla_ros.policies.compact.model_config import Sizes

Batch = NDArray[np.void]

NEAR_PX, FAR_SHARE = 1.5, 0.3  # the first look is beside the place by a normal, or in this share by anything in reach
BLURRED, BLUR_PX = 0.3, (0.4, 1.5)  # share of cut-outs that are blurred, and standard deviation
NOISE = 12.0  # largest standard deviation of pixels
TOOL = 2  # index of the tool in Still.patches: x, y, the tool, then what is named


def cut(
    batch: Batch, camera: int, slots: NDArray[np.integer], sizes: Sizes, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """Return patches (B, n, fovea, fovea, 3), where they are (B, n, 2), -1..1, and their middle pixels (B, n, 2).

    Args:
        slots: (B, n) indices into the stills' patches.
    """
    side = sizes.fovea
    patches = np.empty((*slots.shape, side, side, 3), np.uint8)
    middles = np.empty((*slots.shape, 2), np.float32)
    room = (batch["patches"].shape[-2] - side) // 2
    for row, still in enumerate(batch):
        for column, slot in enumerate(slots[row]):
            far = rng.random() < FAR_SHARE
            shift = rng.uniform(-room, room, 2) if far else rng.normal(0, NEAR_PX, 2)
            shift = np.clip(np.rint(shift), -room, room).astype(int)
            left, top = shift + room
            patch = still["patches"][camera, slot, top : top + side, left : left + side]
            if rng.random() < BLURRED:
                patch = cv2.GaussianBlur(patch, (0, 0), float(rng.uniform(*BLUR_PX)))
            patches[row, column] = patch
            middles[row, column] = still["centres"][camera, slot] + shift
    spots = projection.spot(middles, projection.SHARP * sizes.image).astype(np.float32)
    return patches, spots, middles


def dimmed(images: NDArray[np.uint8], rng: np.random.Generator, noise: float) -> NDArray[np.uint8]:
    """Return pictures (n, rows, columns, 3) in other light, through another lens and with noise of at most `noise`."""
    shape = (len(images), 1, 1, 1)
    gain, lift = rng.uniform(0.8, 1.2, shape), rng.uniform(-12, 12, shape)
    tint = rng.uniform(0.94, 1.06, (len(images), 1, 1, 3))
    grain = rng.standard_normal(images.shape[:3], np.float32)[..., None] * rng.uniform(0, noise, shape)
    return np.clip(images * (gain * tint).astype(np.float32) + (lift + grain).astype(np.float32), 0, 255).astype(
        np.uint8
    )


def losses(
    known: Tensor, middles: Tensor, cells: Tensor, objects: Tensor, counts: Tensor, other: Tensor
) -> dict[str, Tensor]:
    """Return the losses of what a second look says.

    Args:
        known: (B, n, SEEN). middles: (B, n, 2) of the cut-outs. cells: (B, n, 3) as in stills. objects: (B, n, 5) place
            and yaw. counts: (B, n) 1 where the thing is in the picture, else 0. other: (B, n) 1 where the cut-out shows
            another thing than what is asked for, else 0.
    """
    total = counts.sum().clamp(min=1)

    def mean(each: Tensor) -> Tensor:
        return (each * counts).sum() / total

    beside = (sharp(cells[..., :2]) - middles).clamp(-12, 12)
    off = functional.smooth_l1_loss(known[..., :2], beside / projection.REACH_PX, beta=0.05, reduction="none").mean(-1)
    height = functional.smooth_l1_loss(known[..., 2], 10 * objects[..., 2], beta=0.05, reduction="none")
    yaw = functional.mse_loss(known[..., 3:5], objects[..., 3:5], reduction="none").mean(-1)
    squared = ((known[..., :2].detach() * projection.REACH_PX - beside) ** 2).mean(-1).clamp(max=100.0)
    logvar = known[..., 5].clamp(-6, 6)
    meant = functional.binary_cross_entropy_with_logits(known[..., 6], counts, reduction="none") * (counts + other)
    return {
        "exact": mean(2 * off + height + yaw),
        "exactly": mean(squared * torch.exp(-logvar) + logvar),
        "meant": meant.sum() / (counts + other).sum().clamp(min=1),
    }


def sharp(cells: Tensor) -> Tensor:
    """Return the pixels of the sharp picture at places of the grid."""
    return ((cells + 0.5) * projection.CELL * projection.SHARP) - 0.5
