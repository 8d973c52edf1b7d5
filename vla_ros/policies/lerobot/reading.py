"""What is checked of the policy `lerobot` before anything starts. Neither torch nor LeRobot is needed."""

from __future__ import annotations

import shutil
from pathlib import Path

from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.checkpoints import CheckpointReading
from vla_ros.policies.lerobot.folder import LeRobotFolder
from vla_ros.policies.lerobot_parameters import LeRobotParameters
from vla_ros.policies.registry import Robot


def lerobot_reading(parameters: LeRobotParameters, _: Robot) -> CheckpointReading:
    """Return what the folder wants of a robot, and what is wrong with it.

    Raises:
        ParameterError: it is no LeRobot folder, or another path that the options name is not there.
    """
    if not parameters.checkpoint:
        raise ParameterError("lerobot.checkpoint: which policy? Give the folder: --checkpoint DIR, or checkpoint:=DIR")
    check_paths(parameters)
    folder = LeRobotFolder(parameters.checkpoint)
    try:
        return CheckpointReading(folder.contract(), folder.faults)
    except ParameterError:  # it is among the faults
        return CheckpointReading(None, folder.faults)


def check_paths(parameters: LeRobotParameters) -> None:
    """Raise ParameterError where an option names a folder or a program that is not there."""
    if parameters.tokenizer and not Path(parameters.tokenizer).expanduser().is_dir():
        raise ParameterError(f"lerobot.tokenizer: there is no folder {parameters.tokenizer!r}")
    if parameters.policy_python and shutil.which(str(Path(parameters.policy_python).expanduser())) is None:
        raise ParameterError(
            f"lerobot.policy_python: {parameters.policy_python!r} is no program; name a Python that has LeRobot, "
            "e.g. /home/me/lerobot/.venv/bin/python"
        )
