"""Policy `smolvla`."""

from __future__ import annotations

from vla_ros.policies.registry import Robot
from vla_ros.policies.split.split_parameters import SmolVLAParameters
from vla_ros.policies.split.system1 import SplitSystem1
from vla_ros.policies.split.system2 import SplitSystem2, use_threads


class SmolVLASystem2(SplitSystem2):
    """System 2 of policy `smolvla`."""

    def __init__(self, robot: Robot, parameters: SmolVLAParameters) -> None:
        use_threads(parameters)
        from vla_ros.policies.split.smolvla import SmolVLAVision

        super().__init__(SmolVLAVision(parameters), robot, parameters)


class SmolVLASystem1(SplitSystem1):
    """System 1 of policy `smolvla`."""

    def __init__(self, robot: Robot, parameters: SmolVLAParameters) -> None:
        use_threads(parameters)
        from vla_ros.policies.split.smolvla import SmolVLAExpert

        super().__init__(SmolVLAExpert(parameters), robot, parameters)
