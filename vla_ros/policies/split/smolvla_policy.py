"""Policy `smolvla`."""

from __future__ import annotations

from vla_ros.policies.registry import Robot
from vla_ros.policies.split.split_parameters import SmolVLAParameters
from vla_ros.policies.split.system1 import SplitSystem1
from vla_ros.policies.split.system2 import LEROBOT, SplitSystem2, half_class, use_threads


class SmolVLASystem2(SplitSystem2):
    """System 2 of policy `smolvla`."""

    def __init__(self, robot: Robot, parameters: SmolVLAParameters) -> None:
        use_threads(parameters)
        super().__init__(half_class("smolvla", "SmolVLAVision", LEROBOT)(parameters), robot, parameters)


class SmolVLASystem1(SplitSystem1):
    """System 1 of policy `smolvla`."""

    def __init__(self, robot: Robot, parameters: SmolVLAParameters) -> None:
        use_threads(parameters)
        super().__init__(half_class("smolvla", "SmolVLAExpert", LEROBOT)(parameters), robot, parameters)
