"""The halves of `openvla` and `openvla_oft`: System 2 emits the chunk, System 1 plays it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from vla_ros.parameters import ParameterError
from vla_ros.policies.action_player import ActionPlayer
from vla_ros.policies.binding.binding import Binding
from vla_ros.policies.binding.checkpoint_contract import CheckpointContract
from vla_ros.policies.monolithic import ChunkModel, MonolithicSystem2
from vla_ros.policies.openvla.folder import OpenVlaFolder
from vla_ros.policies.openvla.openvla_parameters import OpenVlaOftParameters, OpenVlaParameters
from vla_ros.policies.registry import Robot, parameters_hash
from vla_ros.policies.transition import Transition
from vla_ros.robot.kinematics import Kinematics

FASTEST_TOOL_M_S = 3.0
"""No arm of these data sets moves its tool so fast: a usual step that would is of another unit."""


class OpenVlaSystem2(MonolithicSystem2):
    """System 2 of `openvla`.

    Args:
        robot: the arm.
        parameters: checkpoint, statistics and binding.

    Raises:
        ParameterError: the checkpoint is not whole, does not bind to the robot, or needs a package that is not installed.
    """

    def __init__(self, robot: Robot, parameters: OpenVlaParameters) -> None:
        binding = Binding(openvla_contract(parameters, robot), robot, parameters.binding, robot.cameras)
        super().__init__(
            _made("OpenVlaModel", parameters, "openvla."), binding, parameters_hash("openvla", robot, parameters)
        )


class OpenVlaOftSystem2(MonolithicSystem2):
    """System 2 of `openvla_oft`; see `OpenVlaSystem2`."""

    def __init__(self, robot: Robot, parameters: OpenVlaOftParameters) -> None:
        binding = Binding(openvla_oft_contract(parameters, robot), robot, parameters.binding, robot.cameras)
        super().__init__(
            _made("OpenVlaOftModel", parameters, "openvla_oft."),
            binding,
            parameters_hash("openvla_oft", robot, parameters),
        )


class OpenVlaSystem1(ActionPlayer):
    """System 1 of `openvla`: it needs neither the weights nor torch."""

    def __init__(self, robot: Robot, parameters: OpenVlaParameters) -> None:
        kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        super().__init__(parameters_hash("openvla", robot, parameters), Transition.of(parameters.motion, kinematics))


class OpenVlaOftSystem1(ActionPlayer):
    """System 1 of `openvla_oft`; see `OpenVlaSystem1`."""

    def __init__(self, robot: Robot, parameters: OpenVlaOftParameters) -> None:
        kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        super().__init__(
            parameters_hash("openvla_oft", robot, parameters), Transition.of(parameters.motion, kinematics)
        )


def openvla_contract(parameters: OpenVlaParameters, _: Robot) -> CheckpointContract:
    """Return what the checkpoint wants of a robot, without its weights. Raises ParameterError as `OpenVlaFolder` does."""
    contract = OpenVlaFolder(parameters.checkpoint, "openvla.").contract(parameters.unnorm_key)
    check_step(contract, parameters.binding)
    return contract


def openvla_oft_contract(parameters: OpenVlaOftParameters, _: Robot) -> CheckpointContract:
    """As `openvla_contract`, for OFT."""
    folder = OpenVlaFolder(parameters.checkpoint, "openvla_oft.")
    contract = folder.oft_contract(parameters.unnorm_key, parameters.layout())
    check_step(contract, parameters.binding)
    return contract


def _made(name: str, parameters: Any, option: str) -> ChunkModel:
    """Make a model of `model.py`, which alone needs torch, transformers and timm."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before what reads it is imported: the folder holds all there is
    try:
        from vla_ros.policies.openvla import model
    except ImportError as error:
        raise ParameterError(
            f"policy {option.rstrip('.')} needs {error.name or error}: pip install torch torchvision transformers timm"
        ) from error
    made: ChunkModel = getattr(model, name)(parameters, option)
    return made


def check_step(contract: CheckpointContract, binding: Any) -> None:
    """Raise ParameterError where the usual step of the tool, by the statistics, is faster than any arm.

    LIBERO's actions are inputs of a controller in -1..1, which makes 5 cm of a 1; taken as meters they are 19 m/s.
    """
    if binding.action_space != "cartesian" or binding.action_kind != "step" or binding.action:
        return
    statistics = contract.action.statistics
    ends = [np.abs(statistics[name][:3]) for name in ("q01", "q99") if name in statistics]
    speed_m_s = max((float(end.max()) for end in ends), default=0.0) * binding.position_scale * binding.rate_hz
    if speed_m_s > FASTEST_TOOL_M_S:
        raise ParameterError(
            f"{contract.source}: by its statistics the tool would move at {speed_m_s:.1f} m/s; for data of LIBERO write "
            "binding.position_scale: 0.05 and binding.rotation_scale: 0.5, else the scale and rate of the data"
        )
