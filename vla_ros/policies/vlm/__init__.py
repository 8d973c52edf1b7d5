"""A vision-language model that plans in words in front of any policy: subtasks, judgements, points, Cartesian motions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names

if TYPE_CHECKING:
    from vla_ros.policies.vlm.motion_player import MotionPlayer
    from vla_ros.policies.vlm.system2 import VlmSystem2
    from vla_ros.policies.vlm.vlm_parameters import VlmParameters

__all__ = ["MotionPlayer", "VlmParameters", "VlmSystem2"]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "motion_player": ("MotionPlayer",),
        "system2": ("VlmSystem2",),
        "vlm_parameters": ("VlmParameters",),
    },
)
