"""System 2 of the split families: frames and words become latents."""

from __future__ import annotations

import importlib
from typing import Any

import torch

from vla_ros.parameters import ParameterError
from vla_ros.perception.frames import Frames
from vla_ros.policies.binding.binding import Binding
from vla_ros.policies.binding.camera_slots import CameraFault
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.latents import NewArray
from vla_ros.policies.registry import Robot
from vla_ros.policies.split.halves import VisionLanguageHalf
from vla_ros.policies.split.split_parameters import SplitParameters

LEROBOT = "LeRobot (Python 3.12: pip install 'lerobot[smolvla,pi,groot]==0.6.1' ml_dtypes)"
TRANSFORMERS = "transformers (pip install torch transformers ml_dtypes)"


def use_threads(parameters: SplitParameters) -> None:
    """Give torch its threads in this process."""
    if parameters.threads or parameters.device == "cpu":
        torch.set_num_threads(parameters.threads or 1)


def half_class(module: str, name: str, needs: str) -> Any:
    """Return a class of a family's module, which imports the model's library.

    Args:
        module: in this folder. name: of the class. needs: what to install, for the error text.

    Raises:
        ParameterError: the library is not installed.
    """
    try:
        return getattr(importlib.import_module(f"vla_ros.policies.split.{module}"), name)
    except ImportError as error:
        text = " ".join(str(error).split())[:200]
        raise ParameterError(f"policy: its model needs {needs} in the Python that runs this half: {text}") from None


class SplitSystem2:
    """The vision-language half of a model as System 2; see `contract.System2`.

    Args:
        half: of a family.
        robot: the arm.
        parameters: of the family.

    Raises:
        ParameterError: the checkpoint does not fit to the robot.
    """

    def __init__(self, half: VisionLanguageHalf, robot: Robot, parameters: SplitParameters) -> None:
        self.half, self.checkpoint = half, half.checkpoint
        self.binding = Binding(half.contract, robot, parameters.binding, robot.cameras)

    def use_memory(self, new_array: NewArray) -> None:
        """Let the latents be written into arrays of `new_array`: see `contract.SharingSystem2`."""
        self.half.new_array = new_array

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return the latents for now; an unhealthy camera and an empty instruction hold the arm."""
        if not instruction.text.strip():
            return Plan(frames.stamp_ns, instruction, PlanState.HOLD)
        try:
            images = self.binding.images(frames)
        except CameraFault as error:
            return Plan(frames.stamp_ns, instruction, PlanState.HOLD, reasoning=str(error))
        state = self.binding.state(joint_state) if self.half.sees_state else None
        latents = self.half.latents(images, state, instruction.text)
        return Plan(
            frames.stamp_ns,
            instruction,
            PlanState.ACTIVE,
            subtask=instruction.text,
            kind=latents.kind,
            data=latents.data,
            token_mask=latents.token_mask,
        )
