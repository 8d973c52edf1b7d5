"""Policy `groot`."""

from __future__ import annotations

from vla_ros.policies.registry import Robot
from vla_ros.policies.split.split_parameters import GrootParameters
from vla_ros.policies.split.system1 import SplitSystem1
from vla_ros.policies.split.system2 import LEROBOT, SplitSystem2, half_class, use_threads


class GrootSystem2(SplitSystem2):
    """System 2 of policy `groot`."""

    def __init__(self, robot: Robot, parameters: GrootParameters) -> None:
        use_threads(parameters)
        super().__init__(half_class("groot", "GrootBackbone", LEROBOT)(parameters), robot, parameters)


class GrootSystem1(SplitSystem1):
    """System 1 of policy `groot`."""

    def __init__(self, robot: Robot, parameters: GrootParameters) -> None:
        use_threads(parameters)
        super().__init__(half_class("groot", "GrootHead", LEROBOT)(parameters), robot, parameters)
