"""Strangers at the arm's controllers are found and named."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import rclpy
from action_msgs.msg import GoalInfo, GoalStatus, GoalStatusArray
from control_msgs.action import GripperCommand
from control_msgs.msg import JointTrajectoryControllerState
from rclpy.action import ActionClient
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint
from unique_identifier_msgs.msg import UUID

from test.graph.ros_node import ros_node
from vla_ros.parameters import flattened, from_mapping, nested
from vla_ros.ros.controller_state import ControllerStates
from vla_ros.ros.output_watch import STATUS, OutputWatch
from vla_ros.safety.controller_parameters import outputs_of
from vla_ros.safety.safety_parameters import SafetyFilterParameters

CONTROLLER = {
    **{"type": "joint_trajectory", "topic": "arm/joint_trajectory", "other_actions": ["hand/grasp"]},
    **{"gripper_joint": "g", "gripper_topic": "hand/gripper_cmd", "gripper_type": "gripper_command"},
}
MAPPING = {
    "joint_names": ["a", "g"],
    "limits": {"acceleration": [1.0] * 2, "jerk": [1.0] * 2},
    "command": {
        **{"period_s": 0.01, "delay_s": 0.02, "timeout_s": 0.06, "max_age_s": 0.1, "max_lead_s": 0.05},
        "step": [0.2] * 2,
    },
    "measured": {
        **{"timeout_s": 0.1, "position_tolerance": [0.0] * 2},
        **{"tracking_error": [0.1] * 2, "rest_velocity": [0.1] * 2},
    },
    "override": {"speed_scale": 0.2},
    "controller": CONTROLLER,
}
PARAMETERS = from_mapping(SafetyFilterParameters, nested(flattened(MAPPING)))
OUTPUTS = outputs_of(PARAMETERS.controller, PARAMETERS.joint_names)
OWN, FOREIGN = bytes(range(16)), bytes(range(16, 32))


def until(true: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60.0
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def goals(*states: tuple[bytes, int]) -> GoalStatusArray:
    made = [GoalStatus(goal_info=GoalInfo(goal_id=UUID(uuid=list(goal))), status=status) for goal, status in states]
    return GoalStatusArray(status_list=made)


def test_strangers_are_named_and_own_outputs_are_not() -> None:
    told: dict[str, list[str]] = {}
    with ros_node("safety_filter") as node:
        watch = OutputWatch(node, PARAMETERS, OUTPUTS, lambda c, n: told.update({c: list(n)}), lambda: [OWN])
        node.create_publisher(JointTrajectory, "arm/joint_trajectory", 1)
        stranger = rclpy.create_node("rogue", context=node.context)

        def look() -> bool:
            watch.look_up_publishers()
            watch.poll()
            return True

        own_topic = "output arm/joint_trajectory"
        look()
        assert told == {}
        publishers = [
            stranger.create_publisher(Float64MultiArray, "arm/commands", 1),
            stranger.create_publisher(JointTrajectory, "arm/joint_trajectory", 1),
        ]
        until(lambda: look() and len(told) == 2, "the strangers")
        for channel in ("output arm/commands", own_topic):
            assert [name.partition(" ")[0] for name in told[channel]] == ["/rogue"]
        for publisher in publishers:
            stranger.destroy_publisher(publisher)
        until(lambda: look() and not any(told.values()), "their going")

        client = ActionClient(stranger, GripperCommand, "hand/gripper_cmd")
        action = "goals hand/gripper_cmd"
        status = stranger.create_publisher(GoalStatusArray, "hand/gripper_cmd/_action/status", STATUS)
        status.publish(goals((OWN, GoalStatus.STATUS_EXECUTING), (FOREIGN, GoalStatus.STATUS_EXECUTING)))
        until(lambda: look() and bool(told.get(action)), "the goal")
        assert told[action][0] == f"goal {FOREIGN.hex()[:8]}"
        assert told[action][1:] in ([], ["client /rogue"])
        status.publish(goals((OWN, GoalStatus.STATUS_EXECUTING), (FOREIGN, GoalStatus.STATUS_SUCCEEDED)))
        until(lambda: look() and not told[action], "its end")
        for name in ("hand/grasp", "arm/follow_joint_trajectory"):
            other = stranger.create_publisher(GoalStatusArray, f"{name}/_action/status", STATUS)
            other.publish(goals((FOREIGN, GoalStatus.STATUS_ACCEPTED)))
            until(lambda n=name: look() and bool(told.get(f"goals {n}")), f"a goal of {name}")
            stranger.destroy_publisher(other)
            until(lambda n=name: look() and not told[f"goals {n}"], "the end of its controller")
        client.destroy()
        stranger.destroy_node()


def test_a_goal_that_is_over_at_once_is_seen() -> None:
    told: list[tuple[str, list[str]]] = []
    with ros_node("safety_filter") as node:
        watch = OutputWatch(node, PARAMETERS, OUTPUTS, lambda c, n: told.append((c, list(n))), lambda: [])
        status = node.create_publisher(GoalStatusArray, "arm/follow_joint_trajectory/_action/status", STATUS)
        (own,) = [s for s in node.subscriptions if s.topic_name.endswith("arm/follow_joint_trajectory/_action/status")]
        until(lambda: own.get_publisher_count() == 1, "the match")
        status.publish(goals((FOREIGN, GoalStatus.STATUS_EXECUTING)))
        status.publish(goals((FOREIGN, GoalStatus.STATUS_ABORTED)))
        until(lambda: watch.poll() or len(told) > 0, "the goal")
        until(lambda: watch.poll() or told[-1][1] == [], "its end")
        assert told[0] == ("goals arm/follow_joint_trajectory", [f"goal {FOREIGN.hex()[:8]}"])


@pytest.mark.parametrize("joints", [2, 200])
def test_states_of_controllers_are_handed_on(joints: int) -> None:
    with ros_node() as node:
        states = ControllerStates(node, OUTPUTS)
        publisher = node.create_publisher(JointTrajectoryControllerState, "arm/controller_state", 1)
        message = JointTrajectoryControllerState(
            joint_names=[f"j{i}" for i in range(joints)],
            reference=JointTrajectoryPoint(positions=[0.5] * joints),
            error=JointTrajectoryPoint(positions=[0.1] * joints),
            speed_scaling_factor=1.0,
        )
        found: list[object] = []
        until(lambda: publisher.publish(message) or found.extend(states.newest()) or bool(found), "a state")
        topic, names, reference, error, scaling = found[0]
        assert topic == "arm/controller_state" and scaling == 1.0
        assert len(names) == len(reference) == len(error) == min(joints, 65)
        node.create_publisher(JointTrajectoryControllerState, "arm/controller_state", 1)
        until(lambda: len(states.publishers()) == 2, "both who speak for the controller")
