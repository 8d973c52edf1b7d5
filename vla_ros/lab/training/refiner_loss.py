"""Crops for the refiner: shifted, blurred and in other light, as localizer and camera would give them; and its loss."""

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

NEAR_PX, FAR_SHARE = 1.5, 0.3  # error of the localizer: normal, or in this share uniform within the stored crop
BLURRED_SHARE, BLUR_PX = 0.3, (0.4, 1.5)  # share of crops that are blurred, and standard deviation
NOISE = 12.0  # largest standard deviation of pixels
TOOL = 2  # index of the tool in the crops of a record: x, y, the tool, then the named objects


def crops(
    batch: Batch, camera: int, slots: NDArray[np.integer], sizes: Sizes, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """Cut crops as the refiner is given them.

    Args:
        batch: records of scene images.
        camera: index.
        slots: (B, n) indices into the crops of the records.
        sizes: of the network.
        rng: random generator.

    Returns:
        crops: (B, n, crop, crop, 3). positions: (B, n, 2) of their centres in the image, -1..1. centres: (B, n, 2) pixels.
    """
    side = sizes.crop
    cut = np.empty((*slots.shape, side, side, 3), np.uint8)
    centres = np.empty((*slots.shape, 2), np.float32)
    room = (batch["crops"].shape[-2] - side) // 2
    for row, record in enumerate(batch):
        for column, slot in enumerate(slots[row]):
            far = rng.random() < FAR_SHARE
            shift = rng.uniform(-room, room, 2) if far else rng.normal(0, NEAR_PX, 2)
            shift = np.clip(np.rint(shift), -room, room).astype(int)
            left, top = shift + room
            cut_out = record["crops"][camera, slot, top : top + side, left : left + side]
            if rng.random() < BLURRED_SHARE:
                cut_out = cv2.GaussianBlur(cut_out, (0, 0), float(rng.uniform(*BLUR_PX)))
            cut[row, column] = cut_out
            centres[row, column] = record["crop_centres"][camera, slot] + shift
    positions = projection.normalized(centres, projection.UPSCALE * sizes.image).astype(np.float32)
    return cut, positions, centres


def augmented(images: NDArray[np.uint8], rng: np.random.Generator, noise: float) -> NDArray[np.uint8]:
    """Return images (n, H, W, 3) with other gain, tint and brightness, and noise of at most `noise`."""
    shape = (len(images), 1, 1, 1)
    gain, lift = rng.uniform(0.8, 1.2, shape), rng.uniform(-12, 12, shape)
    tint = rng.uniform(0.94, 1.06, (len(images), 1, 1, 3))
    grain = rng.standard_normal(images.shape[:3], np.float32)[..., None] * rng.uniform(0, noise, shape)
    return np.clip(images * (gain * tint).astype(np.float32) + (lift + grain).astype(np.float32), 0, 255).astype(
        np.uint8
    )


def losses(
    refined: Tensor, centres: Tensor, cells: Tensor, objects: Tensor, visible: Tensor, confused: Tensor
) -> dict[str, Tensor]:
    """Return the parts of the loss of the refiner.

    Args:
        refined: (B, n, REFINED_DIM) output.
        centres: (B, n, 2) of the crops.
        cells: (B, n, 3) as in the records.
        objects: (B, n, 5) position and yaw4.
        visible: (B, n) 1 where the object is in the image, else 0.
        confused: (B, n) 1 where the crop shows another object than the one asked for, else 0.
    """
    total = visible.sum().clamp(min=1)

    def mean(each: Tensor) -> Tensor:
        return (each * visible).sum() / total

    beside = (upscaled(cells[..., :2]) - centres).clamp(-12, 12)
    off = functional.smooth_l1_loss(refined[..., :2], beside / projection.OFFSET_PX, beta=0.05, reduction="none").mean(
        -1
    )
    height = functional.smooth_l1_loss(refined[..., 2], 10 * objects[..., 2], beta=0.05, reduction="none")
    yaw = functional.mse_loss(refined[..., 3:5], objects[..., 3:5], reduction="none").mean(-1)
    squared = ((refined[..., :2].detach() * projection.OFFSET_PX - beside) ** 2).mean(-1).clamp(max=100.0)
    logvar = refined[..., 5].clamp(-6, 6)
    match = functional.binary_cross_entropy_with_logits(refined[..., 6], visible, reduction="none") * (
        visible + confused
    )
    return {
        "refined": mean(2 * off + height + yaw),
        "refined_std": mean(squared * torch.exp(-logvar) + logvar),
        "match": match.sum() / (visible + confused).sum().clamp(min=1),
    }


def upscaled(cells: Tensor) -> Tensor:
    """Return the pixels of the refiner's image at positions on the grid."""
    return ((cells + 0.5) * projection.CELL_PX * projection.UPSCALE) - 0.5
