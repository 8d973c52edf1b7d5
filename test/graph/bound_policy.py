"""A policy of another package that binds a LeRobot folder, over a model that is none: for tests of the graph.

It moves one joint back and forth by 0.2 rad, in the checkpoint's degrees and order of joints, and fails when it is told to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vla_ros.parameters import parameter
from vla_ros.policies.action_player import ActionPlayer
from vla_ros.policies.binding.binding import Binding
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.binding.checkpoint_contract import CheckpointContract
from vla_ros.policies.lerobot.folder import LeRobotFolder
from vla_ros.policies.monolithic import MonolithicSystem2, Observation
from vla_ros.policies.policy_parameters import MotionParameters
from vla_ros.policies.registry import Policy, Robot, parameters_hash
from vla_ros.policies.transition import Transition
from vla_ros.robot.kinematics import Kinematics


@dataclass(frozen=True)
class RockingParameters:
    binding: BindingParameters
    motion: MotionParameters
    checkpoint: str = parameter("", description="folder")
    column: int = parameter(0, description="value of the action that rocks")
    fault: str = parameter("", description="what goes wrong", choices=("", "radians", "broken"))


class RockingModel:
    checkpoint = "none"

    def __init__(self, contract: CheckpointContract, parameters: RockingParameters) -> None:
        self.contract, self._parameters = contract, parameters
        self._start: np.ndarray | None = None

    def reset(self) -> None:
        self._start = None

    def infer(self, observation: Observation) -> np.ndarray:
        assert observation.state is not None and observation.images["observation.images.top"].shape[2] == 3
        if self._start is None:
            self._start, self._start_ns = observation.state.copy(), observation.stamp_ns
        actions = np.tile(self._start, (30, 1))
        t_s = (observation.stamp_ns - self._start_ns) / 1e9 + np.arange(30) / 20.0
        actions[:, self._parameters.column] += np.degrees(0.1 - 0.1 * np.cos(2 * math.pi * t_s / 4.0))
        if self._parameters.fault == "broken":
            actions[3] = math.nan
        return np.degrees(actions) if self._parameters.fault == "radians" else actions


class RockingSystem2(MonolithicSystem2):
    def __init__(self, robot: Robot, parameters: RockingParameters) -> None:
        contract = LeRobotFolder(parameters.checkpoint).contract()
        binding = Binding(contract, robot, parameters.binding, robot.cameras)
        super().__init__(RockingModel(contract, parameters), binding, parameters_hash("rocking", robot, parameters))


class RockingSystem1(ActionPlayer):
    def __init__(self, robot: Robot, parameters: RockingParameters) -> None:
        kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        super().__init__(parameters_hash("rocking", robot, parameters), Transition.of(parameters.motion, kinematics))


POLICY = Policy("bound_policy:RockingSystem2", "bound_policy:RockingSystem1", RockingParameters, "a checkpoint")
