"""The two halves of `remote`: System 2 asks the server for a chunk, System 1 plays it."""

from __future__ import annotations

from vla_ros.perception.frames import Frames
from vla_ros.policies.action_player import ActionPlayer
from vla_ros.policies.binding.binding import Binding
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.monolithic import MonolithicSystem2
from vla_ros.policies.registry import Robot, parameters_hash
from vla_ros.policies.remote.plan_report import with_report
from vla_ros.policies.remote.remote_model import RemoteModel, contract_of
from vla_ros.policies.remote.remote_parameters import RemoteParameters
from vla_ros.policies.transition import Transition
from vla_ros.robot.kinematics import Kinematics


class RemoteSystem2(MonolithicSystem2):
    """Asks the server. While it is gone, silent or answers nonsense, the arm holds and the plan says why.

    A chunk is placed by the stamp of the frames that it was made from, so that the way to the server and back is part of the
    plan's age: System 1 begins where the arm should be by now, not with the first row.

    Args:
        robot: the arm. parameters: which server.

    Raises:
        ParameterError: an option is wrong, does not fit the robot, or needs a library that is not installed. That the
            server is not there is no such error: it is waited for.
    """

    def __init__(self, robot: Robot, parameters: RemoteParameters) -> None:
        binding = Binding(contract_of(robot, parameters), robot, parameters.binding, robot.cameras)
        self.model = RemoteModel(robot, parameters)
        super().__init__(self.model, binding, self.model.checkpoint)

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return the server's chunk for now; see `contract.System2`."""
        plan = super().plan(frames, instruction, joint_state)
        return with_report(plan, self.model.report) if plan.state is PlanState.ACTIVE else plan


class RemoteSystem1(ActionPlayer):
    """Leads the arm onto the rows of a plan and along them. It knows no server.

    Args:
        robot, parameters: the same as System 2's.

    Raises:
        ParameterError: as System 2, but for the cameras and the protocol's library.
    """

    def __init__(self, robot: Robot, parameters: RemoteParameters) -> None:
        Binding(contract_of(robot, parameters), robot, parameters.binding, None)
        kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        super().__init__(parameters_hash("remote", robot, parameters), Transition.of(parameters.motion, kinematics))
