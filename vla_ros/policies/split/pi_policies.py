"""Policies `pi0` and `pi05`: the halves of LeRobot's or of transformers' class."""

from __future__ import annotations

from vla_ros.policies.registry import Robot
from vla_ros.policies.split.checkpoint_files import CheckpointFiles
from vla_ros.policies.split.halves import ExpertHalf, VisionLanguageHalf
from vla_ros.policies.split.split_parameters import Pi0Parameters, Pi05Parameters
from vla_ros.policies.split.system1 import SplitSystem1
from vla_ros.policies.split.system2 import LEROBOT, TRANSFORMERS, SplitSystem2, half_class, use_threads


def library_of(parameters: Pi0Parameters) -> str:
    """Return whose class reads a checkpoint of pi0: LeRobot writes `type` into config.json, transformers `model_type`."""
    if parameters.library != "auto":
        return parameters.library
    config = CheckpointFiles(parameters.checkpoint, "pi0.checkpoint").config
    return "lerobot" if "type" in config else "transformers"


class Pi0System2(SplitSystem2):
    """System 2 of policy `pi0`."""

    def __init__(self, robot: Robot, parameters: Pi0Parameters) -> None:
        use_threads(parameters)
        half: VisionLanguageHalf
        if library_of(parameters) == "transformers":
            half = half_class("pi0_transformers", "Pi0TransformersVision", TRANSFORMERS)(parameters)
        else:
            half = half_class("pi", "PiVision", LEROBOT)("pi0", parameters)
        super().__init__(half, robot, parameters)


class Pi0System1(SplitSystem1):
    """System 1 of policy `pi0`."""

    def __init__(self, robot: Robot, parameters: Pi0Parameters) -> None:
        use_threads(parameters)
        half: ExpertHalf
        if library_of(parameters) == "transformers":
            half = half_class("pi0_transformers", "Pi0TransformersExpert", TRANSFORMERS)(parameters)
        else:
            half = half_class("pi", "PiExpert", LEROBOT)("pi0", parameters)
        super().__init__(half, robot, parameters)


class Pi05System2(SplitSystem2):
    """System 2 of policy `pi05`."""

    def __init__(self, robot: Robot, parameters: Pi05Parameters) -> None:
        use_threads(parameters)
        super().__init__(half_class("pi", "PiVision", LEROBOT)("pi05", parameters), robot, parameters)


class Pi05System1(SplitSystem1):
    """System 1 of policy `pi05`."""

    def __init__(self, robot: Robot, parameters: Pi05Parameters) -> None:
        use_threads(parameters)
        super().__init__(half_class("pi", "PiExpert", LEROBOT)("pi05", parameters), robot, parameters)
