"""What is known of a camera before its first image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CameraTraits:
    """What is known of one camera beforehand.

    Attributes:
        rectified: its images are rectified: P is their matrix, and there is no distortion left.
        keep_distortion: images are handed on as they come. Those that are distorted have no matrix then.
        noisy: whether it has noise, so that identical images are those of a frozen camera; None: that is learned.
    """

    rectified: bool = False
    keep_distortion: bool = False
    noisy: bool | None = None


UNKNOWN = CameraTraits()


def is_rectified(topic: str) -> bool:
    """Whether the name of a topic says that its images are rectified, as image_proc's do: image_rect, image_rect_color."""
    return any(word in ("rect", "rectified") for part in topic.lower().split("/")[-3:] for word in part.split("_"))
