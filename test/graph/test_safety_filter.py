"""The filter as a process among others, over real DDS: it passes, limits, stops, refuses and latches."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

rclpy = pytest.importorskip("rclpy")
pytest.importorskip("vla_ros.msg")

from builtin_interfaces.msg import Time  # noqa: E402
from diagnostic_msgs.msg import DiagnosticArray  # noqa: E402
from rclpy.context import Context  # noqa: E402
from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from rclpy.qos import QoSProfile, ReliabilityPolicy  # noqa: E402
from sensor_msgs.msg import JointState  # noqa: E402
from std_msgs.msg import Bool, Float64MultiArray, String  # noqa: E402
from std_srvs.srv import Trigger  # noqa: E402
from trajectory_msgs.msg import JointTrajectory  # noqa: E402

from vla_ros.msg import JointCommand, SafetyStatus  # noqa: E402
from vla_ros.nodes.safety_filter import Guarded  # noqa: E402
from vla_ros.ros.estop_line import press  # noqa: E402
from vla_ros.ros.qos import LATCHED  # noqa: E402
from vla_ros.ros.stamps import nanoseconds  # noqa: E402
from vla_ros.safety.audit.replay import replay  # noqa: E402
from vla_ros.sim.trajectory_controller import TrajectoryController, command_of  # noqa: E402

DOMAIN = int(os.environ.get("ROS_DOMAIN_ID", "42"))
NAMES = ["shoulder", "elbow", "finger"]
HOME = [0.1, -0.4, 0.02]
URDF = """<robot name="arm">
<joint name="shoulder" type="revolute"><limit lower="-2" upper="2" velocity="2" effort="9"/></joint>
<joint name="elbow" type="revolute"><limit lower="-1" upper="1" velocity="2" effort="9"/></joint>
<joint name="finger" type="prismatic"><limit lower="0" upper="0.04" velocity="0.1" effort="9"/></joint>
</robot>"""
PARAMETERS = """safety_filter:
  ros__parameters:
    joint_names: [shoulder, elbow, finger]
    urdf: {urdf}
    limits: {{acceleration: [8.0, 8.0, 1.0], jerk: [800.0, 800.0, 50.0]}}
    command: {{period_s: 0.01, delay_s: 0.028, timeout_s: 0.2, max_age_s: 0.5, max_lead_s: 0.1, step: [0.2, 0.2, 0.04]}}
    measured:
      timeout_s: 0.5
      position_tolerance: [0.001, 0.001, 0.002]
      tracking_error: [0.3, 0.3, 0.05]
      rest_velocity: [0.02, 0.02, 0.01]
    override: {{speed_scale: 0.25}}
    home: {{position: [0.1, -0.4, 0.02], tolerance: [0.01, 0.01, 0.002]}}
    controller: {controller}
    audit: {{directory: {folder}/audit}}
"""
TRAJECTORY = "{type: joint_trajectory, topic: arm_controller/joint_trajectory}"
TRAJECTORIES = (
    "{type: joint_trajectory, topic: arm_controller/joint_trajectory, "
    "gripper_joint: finger, gripper_topic: gripper_controller/joint_trajectory, gripper_type: joint_trajectory}"
)
FORWARD = (
    "{type: forward_position, topic: arm_controller/commands, "
    "gripper_joint: finger, gripper_topic: gripper_controller/commands}"
)


def stamp_now() -> Time:
    now = time.time_ns()
    return Time(sec=now // 10**9, nanosec=now % 10**9)


class World:
    """A perfect arm and everybody else, in one context of their own."""

    def __init__(self) -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=DOMAIN)
        self.node = rclpy.create_node("world", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        sensor = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.joint_states = self.node.create_publisher(JointState, "joint_states", sensor)
        self.commands = self.node.create_publisher(JointCommand, "vla/joint_command", 10)
        self.q = list(HOME)
        self.sent: list[list[float]] = []
        self.gripper: list[float] = []
        self.statuses: list[SafetyStatus] = []
        self.diagnostics: list[DiagnosticArray] = []
        self.seq = 0
        self.controllers: dict[tuple[str, ...], TrajectoryController] = {}
        for name in ("arm_controller", "gripper_controller"):
            self.node.create_subscription(JointTrajectory, f"{name}/joint_trajectory", self._trajectory, 1)
        self.node.create_subscription(Float64MultiArray, "arm_controller/commands", self._positions, 1)
        self.node.create_subscription(Float64MultiArray, "gripper_controller/commands", self._gripper, 1)
        self.node.create_subscription(SafetyStatus, "vla/safety_status", self.statuses.append, 10)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self.diagnostics.append, 10)
        self.at_home: list[bool] = []
        self.node.create_subscription(Bool, "vla/safe_home", lambda message: self.at_home.append(message.data), 10)
        self.node.create_timer(0.02, self._measure)

    def _trajectory(self, message: JointTrajectory) -> None:
        names = tuple(message.joint_names)
        assert names in (tuple(NAMES), tuple(NAMES[:2]), tuple(NAMES[2:]))
        rows = [[getattr(point, field) for point in message.points] for field in ("positions", "velocities")]
        times = [nanoseconds(point.time_from_start) for point in message.points]
        command = command_of(nanoseconds(message.header.stamp), times, *map(np.array, rows))
        # A slow machine delivers late; a controller would refuse what has ended, and here it is looked at all the same.
        if names not in self.controllers:
            self.controllers[names] = TrajectoryController(
                np.array([self.q[NAMES.index(name)] for name in names]), 50.0
            )
        self.controllers[names].command(command, min(time.time_ns(), command.stamp_ns + command.times_ns[-1]))

    def _positions(self, message: Float64MultiArray) -> None:
        self.q[:2] = message.data
        self.sent.append(list(self.q))

    def _gripper(self, message: Float64MultiArray) -> None:
        self.q[2] = message.data[0]
        self.gripper.append(self.q[2])

    def _measure(self) -> None:
        for names, controller in self.controllers.items():
            led = [NAMES.index(name) for name in names]
            controller.update(time.time_ns(), 20_000_000, np.array(self.q)[led])
            for joint, q in zip(led, controller.state.p.tolist(), strict=True):
                self.q[joint] = q
        if self.controllers:
            self.sent.append(list(self.q))
        message = JointState(name=NAMES, position=self.q, velocity=[0.0] * 3)
        message.header.stamp = stamp_now()
        self.joint_states.publish(message)

    def until(self, true: Callable[[], bool], what: str, seconds: float = 90.0) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, f"waited {seconds} s for {what}; state {self.state}"
            self.executor.spin_once(timeout_sec=0.02)

    def call(self, name: str) -> Trigger.Response:
        client = self.node.create_client(Trigger, f"vla/{name}")
        self.until(client.service_is_ready, f"service {name}")
        future = client.call_async(Trigger.Request())
        self.until(future.done, f"answer of {name}")
        return future.result()

    def command(self, positions: list[float]) -> None:
        self.seq += 1
        message = JointCommand(seq=self.seq, source="policy", joint_names=NAMES, positions=positions)
        message.header.stamp = message.frame_stamp = stamp_now()
        self.commands.publish(message)

    def push(self, target: list[float], true: Callable[[], bool], what: str) -> None:
        """Command a step of at most 0.1 from the present towards the target until `true`."""

        def step() -> bool:
            self.command([q + max(-0.1, min(0.1, t - q)) for q, t in zip(self.q, target, strict=True)])
            return true()

        self.until(step, what)

    def arm(self) -> None:
        self.until(lambda: self.call("arm").success, "arming")

    @property
    def state(self) -> int:
        return self.statuses[-1].state if self.statuses else -1

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


def ended_in_motion(world: World, process: subprocess.Popen[str], number: int) -> list[float]:
    """Ask the filter to end while joint1 moves; the steps of joint1 from then on."""
    world.arm()
    fast = lambda: world.statuses[-1].velocities and world.statuses[-1].velocities[0] > 0.5  # noqa: E731
    world.push([1.5, -0.4, 0.02], lambda: bool(world.q[0] > 0.4 and fast()), "motion")
    process.send_signal(number)
    sent = len(world.sent)
    world.until(lambda: process.poll() is not None, "its end")
    for _ in range(25):  # what is still on its way
        world.executor.spin_once(timeout_sec=0.02)
    path = [q[0] for q in world.sent[sent - 2 :]]
    return [b - a for a, b in itertools.pairwise(path)]


def start(folder: Path, controller: str, parameters: str = PARAMETERS) -> subprocess.Popen[str]:
    (folder / "arm.urdf").write_text(URDF)
    text = parameters.format(urdf=folder / "arm.urdf", controller=controller, folder=folder)
    (folder / "filter.yaml").write_text(text)
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "vla_ros.nodes.safety_filter",
            "--ros-args",
            "--params-file",
            str(folder / "filter.yaml"),
        ],
        env={**os.environ, "ROS_DOMAIN_ID": str(DOMAIN), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def running(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    process = start(tmp_path, getattr(request, "param", TRAJECTORY))
    world = World()
    try:
        world.until(lambda: bool(world.statuses), "the first status")
        yield world
    finally:
        world.close()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=90)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    report = replay(tmp_path / "audit")
    assert report.same, report
    assert (report.lost, report.cut, report.gaps) == (0, [], [])
    assert report.ticks > 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP], ids=["ctrl_c", "closed_terminal"])
def test_asked_to_end_it_brings_the_arm_to_rest_first(tmp_path: Path, number: int) -> None:
    process, world = start(tmp_path, FORWARD), World()
    try:
        world.until(lambda: bool(world.statuses), "the first status")
        steps = ended_in_motion(world, process, number)
    finally:
        world.close()
        process.kill()
        process.communicate(timeout=90)
    assert process.returncode == 0
    assert sum(steps) > 5e-3, "it moved on while it braked"
    assert abs(steps[-1]) < 1e-4, "and came to rest"
    assert replay(tmp_path / "audit").same


def test_nothing_is_sent_before_arming_and_everything_is_refused(running: World) -> None:
    running.push(HOME, lambda: bool(running.statuses) and running.statuses[-1].rejected > 5, "refusals")
    status = running.statuses[-1]
    assert (status.state, status.rule, list(status.positions)) == (SafetyStatus.DISARMED, "authority", [])
    assert running.sent == []


@pytest.mark.parametrize(
    "running", [TRAJECTORIES, FORWARD], indirect=True, ids=["joint_trajectory", "forward_position"]
)
def test_a_command_moves_the_arm_and_silence_stops_it(running: World) -> None:
    running.arm()
    running.until(lambda: running.state == SafetyStatus.HOLDING, "holding")
    running.until(lambda: running.at_home[-1:] == [True] and running.statuses[-1].at_home, "safe home")
    target = [0.5, -0.1, 0.03]
    running.push(target, lambda: max(abs(q - t) for q, t in zip(running.q, target, strict=True)) < 1e-3, "the target")
    running.until(lambda: running.state == SafetyStatus.HOLDING, "holding after silence")
    running.until(lambda: running.at_home[-1:] == [False] and not running.statuses[-1].at_home, "elsewhere")
    assert {SafetyStatus.TRACKING, SafetyStatus.LIMITING} & {status.state for status in running.statuses}
    status = running.statuses[-1]
    assert list(status.joint_names) == NAMES
    assert all(margin > 0 for margin in status.position_margins)
    running.until(lambda: any(hop(array) for array in running.diagnostics), "a measured hop")


def hop(diagnostics: DiagnosticArray) -> bool:
    return any(
        value.key == "hop_p50_ms" and value.value != "nan"
        for status in diagnostics.status
        if status.name == "/safety_filter"
        for value in status.values
    )


def test_a_limit_is_never_passed_however_long_it_is_pushed(running: World) -> None:
    running.arm()
    running.push([0.1, 5.0, 0.02], lambda: running.q[1] > 0.999_99, "the elbow's limit")
    assert max(q[1] for q in running.sent) <= 1.0
    assert SafetyStatus.LIMITING in {status.state for status in running.statuses}
    speeds = [abs(status.velocities[1]) for status in running.statuses if status.velocities]
    assert 0.1 < max(speeds) <= 2.0


def test_estop_latches_and_reset_moves_nothing(running: World) -> None:
    running.arm()
    running.push([1.5, -0.4, 0.02], lambda: running.q[0] > 0.4, "motion")
    running.until(lambda: "e-stop is latched" in press(""), "the line of the e-stop")
    running.until(lambda: running.state == SafetyStatus.ESTOP, "estop")
    assert not running.call("arm").success
    # Two in a row: in the tick in which the velocity becomes 0, the last brake is not released yet.
    running.until(lambda: not any(any(status.velocities) for status in running.statuses[-2:]), "rest")
    running.until(lambda: len(running.sent) > 3 and running.sent[-1] == running.sent[-3], "rest of the controller")
    rest = list(running.q)
    answer = running.call("reset")
    assert answer.success, answer.message
    running.until(lambda: running.state == SafetyStatus.DISARMED, "disarmed")
    running.push([1.5, -0.4, 0.02], lambda: running.statuses[-1].rejected > 5, "refusals")
    assert running.q == rest
    running.arm()
    assert running.statuses[-1].stops == 1
    silent_s = time.monotonic() + 0.5  # the stream that ran across the stop has ended
    running.until(lambda: time.monotonic() > silent_s, "silence")
    running.push([1.5, -0.4, 0.02], lambda: running.q[0] > rest[0] + 0.1, "motion again")


def test_nobody_can_keep_it_from_its_ticks_by_a_request_about_parameters(running: World) -> None:
    """They are shown on a topic instead: a request of any length is decoded before a service sees it."""
    offered = [f"/vla/{name}" for name in ("arm", "disarm", "estop", "release_lost_estop", "reset")]

    def services() -> list[str]:
        if "safety_filter" not in running.node.get_node_names():  # it is not discovered yet
            return []
        return sorted(name for name, _ in running.node.get_service_names_and_types_by_node("safety_filter", "/"))

    running.until(lambda: services() == offered, "its services, and no others")
    shown: list[str] = []
    running.node.create_subscription(
        String, "vla/safety_parameters", lambda message: shown.append(message.data), LATCHED
    )
    running.until(lambda: shown, "the parameters")
    assert yaml.safe_load(shown[0])["command"]["timeout_s"] > 0.0


def test_a_second_source_of_joint_states_latches_and_both_are_named(running: World) -> None:
    running.arm()
    twin = rclpy.create_node("twin", context=running.context)
    second = twin.create_publisher(JointState, "joint_states", 5)

    def latched() -> bool:
        message = JointState(name=NAMES[:1], position=[0.7])  # it need not stamp
        second.publish(message)
        return running.state == SafetyStatus.PROTECTIVE_STOP

    running.until(latched, "the stop")
    status = running.statuses[-1]
    assert (status.rule, status.code) == ("joint_source", 26)
    assert "shoulder is reported by /world (" in status.reason
    (guid,) = [
        bytes(each.endpoint_gid).hex()
        for each in running.node.get_publishers_info_by_topic("joint_states")
        if each.node_name == "twin"
    ]
    assert guid in status.reason
    twin.destroy_node()


def test_a_best_effort_button_stops_and_no_other_button_releases_it(running: World) -> None:
    unreliable = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    first = running.node.create_publisher(Bool, "vla/estop", unreliable)
    running.until(lambda: first.get_subscription_count() > 0, "the filter")
    running.arm()

    def press() -> bool:
        first.publish(Bool(data=True))
        return running.state == SafetyStatus.ESTOP

    running.until(press, "the stop")
    second = running.node.create_publisher(Bool, "vla/estop", 10)
    running.until(lambda: second.get_subscription_count() > 0, "the filter")
    second.publish(Bool(data=False))
    running.node.destroy_publisher(second)
    running.until(lambda: "still pressed by /world (" in running.call("reset").message, "the refusal")
    running.node.destroy_publisher(first)
    running.until(lambda: "which has left" in running.call("reset").message, "the loss of the button")
    assert not running.call("arm").success
    answer = running.call("release_lost_estop")
    assert answer.success, answer.message
    assert running.state == SafetyStatus.ESTOP, "the latch stays"
    assert "goes on only when it is told to" in running.call("reset").message
    assert running.statuses[-1].stops == 1


def test_a_press_is_heard_behind_many_releases(running: World) -> None:
    """A button may repeat itself faster than a filter that stalls reads."""
    button = running.node.create_publisher(Bool, "vla/estop", 1000)
    running.until(lambda: button.get_subscription_count() > 0, "the filter")
    running.arm()
    button.publish(Bool(data=True))
    for _ in range(200):
        button.publish(Bool(data=False))
    running.until(lambda: running.state == SafetyStatus.ESTOP, "the stop")


def test_what_fails_around_the_filter_stops_the_arm_and_is_said_once() -> None:
    faults: list[str] = []
    errors: list[str] = []
    node = SimpleNamespace(
        context=SimpleNamespace(ok=lambda: True),
        filter=SimpleNamespace(fault=faults.append),
        get_logger=lambda: SimpleNamespace(error=errors.append),
    )
    guarded = Guarded(node)  # type: ignore[arg-type]
    for _ in range(2):
        with guarded:
            raise ValueError("no number")
    assert len(faults) == 2
    assert "raised ValueError: no number" in faults[0]
    assert len(errors) == 1


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("joint_names: [shoulder, elbow, finger]", "joint_names: [shoulder, wrist, finger]", "'wrist' is not a joint"),
        ("jerk: [800.0, 800.0, 50.0]", "jerk: [800.0, 800.0]", "limits.jerk: expected 3 values"),
        ("acceleration: [8.0, 8.0, 1.0], ", "", "limits.acceleration: required and missing"),
        ("acceleration: [8.0,", "acceleration: [.nan,", "limits.acceleration[0]: must be finite"),
        ("timeout_s: 0.2", "timeout_s: 0.001", "command.timeout_s"),
        ("{controller}", "{{type: torque, topic: x}}", "controller.type"),
    ],
)
def test_a_bad_configuration_is_one_line_and_exit_code_2(tmp_path: Path, old: str, new: str, text: str) -> None:
    assert old in PARAMETERS
    process = start(tmp_path, TRAJECTORY, PARAMETERS.replace(old, new))
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 2
    (line,) = [line for line in errors.splitlines() if line.startswith("vla_ros safety_filter:")]
    assert text in line
    assert "Traceback" not in errors
