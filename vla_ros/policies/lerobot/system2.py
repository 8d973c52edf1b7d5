"""System 2 of the policy `lerobot`: the folder is read and bound to the robot first, and its model loaded then.

The model runs in this process, or in a child with another Python (`policy_python`).
"""

from __future__ import annotations

import importlib.util
from typing import Any

from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.binding import Binding
from vla_ros.policies.chunk_model import ChunkModel
from vla_ros.policies.lerobot.folder import LeRobotFolder
from vla_ros.policies.lerobot.reading import check_paths
from vla_ros.policies.lerobot_parameters import LeRobotParameters
from vla_ros.policies.monolithic import MonolithicSystem2
from vla_ros.policies.process_model import ProcessModel
from vla_ros.policies.registry import Robot, parameters_hash

MODEL = "vla_ros.policies.lerobot.model:LeRobotModel"
INSTALL = "make setup PYTHON=python3.12 MODELS=lerobot"


class LeRobotSystem2(MonolithicSystem2):
    """A LeRobot policy that plans whole chunks.

    Args:
        robot: the arm.
        parameters: which folder, and what its numbers mean on this robot.

    Raises:
        ParameterError: the folder is none or not whole, does not fit the robot, or does not load.
        JointNamesError: the robot's joints are not those that the binding names.
    """

    def __init__(self, robot: Robot, parameters: LeRobotParameters) -> None:
        if not parameters.checkpoint:
            raise ParameterError("lerobot.checkpoint: which policy? Give the folder: --checkpoint DIR")
        check_paths(parameters)
        folder = LeRobotFolder(parameters.checkpoint)
        folder.require_sound()
        binding = Binding(folder.contract(), robot, parameters.binding, robot.cameras)
        model = chunk_model(parameters, str(folder.path), binding.rate_hz)
        super().__init__(model, binding, parameters_hash("lerobot", robot, parameters))


def chunk_model(parameters: LeRobotParameters, folder: str, rate_hz: float) -> ChunkModel:
    """Load the model, here or in a child.

    Args:
        parameters: of the policy.
        folder: that holds config.json.
        rate_hz: rows of a chunk per second, as bound.

    Raises:
        ParameterError: it does not load.
    """
    options: dict[str, Any] = {
        name: getattr(parameters, name)
        for name in (
            *("tokenizer", "config", "device", "precision", "seed", "threads"),
            *("real_time_chunking", "execution_horizon"),
        )
    }
    options |= {"folder": folder, "rate_hz": rate_hz}
    if parameters.policy_python:
        return ProcessModel(
            MODEL,
            parameters.policy_python,
            options,
            key="lerobot.policy_python",
            load_timeout_s=parameters.load_timeout_s,
            timeout_s=parameters.timeout_s,
        )
    if missing := [name for name in ("lerobot", "torch") if importlib.util.find_spec(name) is None]:
        raise ParameterError(
            f"lerobot: this Python has no {missing[0]}: install it ({INSTALL}), or name a Python that has it: "
            "lerobot.policy_python"
        )
    from vla_ros.policies.lerobot.model import LeRobotModel

    return LeRobotModel(**options)
