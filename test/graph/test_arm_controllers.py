"""A robot with two arm controllers and a gripper that is an action, led by the running filter; strangers at them."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from action_msgs.msg import GoalInfo, GoalStatus, GoalStatusArray
from control_msgs.action import GripperCommand
from rclpy.action import ActionServer
from std_msgs.msg import Float64MultiArray
from unique_identifier_msgs.msg import UUID

from test.graph.test_safety_filter import World, start
from vla_ros.msg import SafetyStatus
from vla_ros.ros.output_watch import STATUS
from vla_ros.safety.audit.replay import replay

CONTROLLER = (
    "{type: forward_position, topic: '', topics: [lower/commands, upper/commands], joints: [shoulder, elbow], "
    "gripper_joint: finger, gripper_topic: hand/gripper_cmd, gripper_type: gripper_command, "
    "other_topics: [twist], other_actions: [lower/move]}"
)


class Robot(World):
    """The world with two controllers and a hand."""

    def __init__(self) -> None:
        super().__init__()
        for joint, name in enumerate(("lower", "upper")):
            self.node.create_subscription(
                Float64MultiArray, f"{name}/commands", lambda m, j=joint: self._moved(j, m.data[0]), 1
            )
        self.hand = ActionServer(self.node, GripperCommand, "hand/gripper_cmd", self._grip)

    def _moved(self, joint: int, position: float) -> None:
        self.q[joint] = position
        self.sent.append(list(self.q))

    def _grip(self, goal: Any) -> GripperCommand.Result:
        self.q[2] = goal.request.command.position
        self.gripper.append(self.q[2])
        goal.succeed()
        return GripperCommand.Result(reached_goal=True)

    def reason(self) -> str:
        return str(self.statuses[-1].reason) if self.statuses else ""


@pytest.fixture
def robot(tmp_path: Path) -> Iterator[tuple[Robot, subprocess.Popen[str]]]:
    process, world = start(tmp_path, CONTROLLER), Robot()
    try:
        world.until(lambda: bool(world.statuses), "the first status")
        yield world, process
    finally:
        world.hand.destroy()
        world.close()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=90)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert replay(tmp_path / "audit").same


def test_it_is_led_and_a_stranger_stops_it(robot: tuple[Robot, subprocess.Popen[str]]) -> None:
    world, _ = robot
    world.arm()
    target = [0.3, -0.1, 0.035]
    world.push(target, lambda: max(abs(q - t) for q, t in zip(world.q, target, strict=True)) < 1e-3, "the target")
    assert 1 <= len(world.gripper) <= 30 and world.gripper == sorted(world.gripper)

    stranger = world.node.create_publisher(Float64MultiArray, "twist", 1)
    world.until(lambda: "publishes on twist" in world.reason(), "the stranger's name")
    assert "/world (" in world.reason()
    assert not world.call("disarm").success or not world.call("arm").success
    world.node.destroy_publisher(stranger)
    world.arm()

    status = world.node.create_publisher(GoalStatusArray, "lower/move/_action/status", STATUS)
    goal = GoalStatus(goal_info=GoalInfo(goal_id=UUID(uuid=[7] * 16)), status=GoalStatus.STATUS_EXECUTING)
    status.publish(GoalStatusArray(status_list=[goal]))
    world.until(lambda: world.state == SafetyStatus.PROTECTIVE_STOP, "the latch")
    assert "lower/move has a goal that is not the filter's: goal 07070707" in world.reason()
