"""The README's way onto a real arm: a file of one's own, somebody else's driver and cameras, first motions."""

from __future__ import annotations

import contextlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Float64MultiArray, String
from trajectory_msgs.msg import JointTrajectory

from vla_ros.bringup.graph import bringup
from vla_ros.bringup.process import private_domain
from vla_ros.bringup.supervisor import Supervisor
from vla_ros.msg import SafetyStatus
from vla_ros.resources import share
from vla_ros.ros.client import Client, connect
from vla_ros.ros.qos import LATCHED, SENSOR
from vla_ros.ros.simulated_controllers import trajectory_from
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.sim.trajectory_controller import CommandRefused, TrajectoryController

ARM = [f"fr3_joint{i}" for i in range(1, 8)]
FINGER = "fr3_finger_joint1"
PATIENCE_S = 120.0


class Driver(Node):
    """An arm that is where it is led to, behind two controllers of ros2_control at 100 Hz; a camera beside it."""

    def __init__(self, context: Context) -> None:
        super().__init__("driver", context=context)
        self.q = dict(zip([*ARM, FINGER], map(float, HOME), strict=True))
        self.least, self.most = dict(self.q), dict(self.q)
        names = dict(zip(JOINT_NAMES, self.q, strict=True)) | {"tool": "fr3_hand_tcp", "base": "fr3_link0"}
        renamed = re.sub(r'"([^"]*)"', lambda found: f'"{names.get(found[1], found[1])}"', urdf())
        self.description = self.create_publisher(String, "robot_description", LATCHED)
        self.description.publish(String(data=renamed))
        self.states = self.create_publisher(JointState, "joint_states", SENSOR)
        self.images = self.create_publisher(Image, "front_camera/image_raw", QoSProfile(depth=1))
        self.create_subscription(JointTrajectory, "joint_trajectory_controller/joint_trajectory", self.move, 10)
        self.create_subscription(Float64MultiArray, "gripper_controller/commands", self.grip, 10)
        self.create_timer(0.01, self.tell)
        self.create_timer(0.1, self.look)
        self.pictures, self.moved = 0, False
        self.controller = TrajectoryController(HOME[:7], 100.0)

    def move(self, message: JointTrajectory) -> None:
        assert message.joint_names == ARM
        with contextlib.suppress(CommandRefused):  # a slow machine delivers late; the next message is on its way
            self.controller.command(trajectory_from(message), self.get_clock().now().nanoseconds)
        self.moved = True

    def grip(self, message: Float64MultiArray) -> None:
        (position,) = message.data
        self.go({FINGER: position})

    def go(self, there: dict[str, float]) -> None:
        self.q.update(there)
        for name, q in there.items():
            self.least[name], self.most[name] = min(q, self.least[name]), max(q, self.most[name])

    def tell(self) -> None:
        if self.moved:
            measured = np.array([self.q[name] for name in ARM])
            self.controller.update(self.get_clock().now().nanoseconds, 10_000_000, measured)
            self.go(dict(zip(ARM, self.controller.state.p.tolist(), strict=True)))
        state = JointState(name=list(self.q), position=list(self.q.values()), velocity=[0.0] * len(self.q))
        state.header.stamp = self.get_clock().now().to_msg()
        self.states.publish(state)

    def look(self) -> None:
        self.pictures += 1
        pixels = np.random.default_rng(self.pictures).integers(50, 200, (64, 64, 3), dtype=np.uint8)
        image = Image(height=64, width=64, step=192, encoding="rgb8", data=pixels.tobytes())
        image.header.stamp = self.get_clock().now().to_msg()
        self.images.publish(image)


@pytest.fixture
def driver() -> Iterator[Driver]:
    os.environ.update(private_domain())
    context = Context()
    rclpy.init(context=context)
    made = Driver(context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(made)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    yield made
    executor.shutdown()
    thread.join(10.0)
    made.destroy_node()
    rclpy.shutdown(context=context)


@pytest.fixture
def talk(driver: Driver, tmp_path: Path) -> Iterator[Client]:
    mine = tmp_path / "my_arm.yaml"
    mine.write_text((share() / "config" / "franka.yaml").read_text().replace("~/.ros", str(tmp_path)))
    quick = {"scripted.speed_scale": 1.0}
    patient = {"safety_filter": {"safety_monitor.timeout_s": 5.0}}  # a loaded host stalls
    supervisor = Supervisor(
        bringup(robot=str(mine), policy="scripted", overrides={"planner": quick, "action_expert": quick, **patient}),
        print,
    )
    try:
        with connect() as made:
            yield made
    finally:
        supervisor.stop()


def test_the_first_motions_of_a_real_arm(driver: Driver, talk: Client) -> None:
    talk.wait_until_ready(PATIENCE_S)
    armed, why = talk.arm(PATIENCE_S)
    assert armed, why
    assert talk.diagnostics["safety_filter"]["not_checked"].startswith(
        "fence, table, keep_out, self_collision, obstacle"
    )
    said, why = talk.follow("run", 200.0, print)
    assert said == "done", why
    assert talk.spin(PATIENCE_S, lambda: talk.status is not None and talk.status.state == SafetyStatus.HOLDING)
    # Each joint in turn, and back; on a machine that stood still not to the very end of its way.
    for name, way in {**dict.fromkeys(ARM, 0.1), FINGER: 0.01}.items():
        assert 0.5 * way < driver.most[name] - driver.least[name] < 1.02 * way, name
    assert list(driver.q.values()) == pytest.approx(HOME.tolist(), abs=1e-3)
