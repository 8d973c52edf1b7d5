"""The ROS side of the fault campaign's rig: one node stands for the policy, the driver, the buttons and the obstacle feed.

It publishes what it is given and returns what has arrived. What is sent and when is decided by `vla_ros.lab.faults`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import rclpy
from action_msgs.msg import GoalStatus, GoalStatusArray
from control_msgs.msg import JointTrajectoryControllerState
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Bool, Empty, Float64, Float64MultiArray, String, UInt8
from std_srvs.srv import SetBool, Trigger
from trajectory_msgs.msg import JointTrajectory
from visualization_msgs.msg import MarkerArray

from vla_ros.msg import JointCommand, SafetyStatus
from vla_ros.ros.fake_messages import (
    ObstacleFields,
    SetpointFields,
    SimulatedClock,
    StampedJointState,
    joint_state_message,
    obstacle_marker,
    setpoint_message,
)
from vla_ros.ros.instruction_relay import instruction_nodes_matched
from vla_ros.ros.polling import polled, received_ns, take
from vla_ros.ros.qos import EVENTS, IMAGE, LATCHED, NEWEST, SENSOR
from vla_ros.ros.simulated_controllers import STATE, SWITCH
from vla_ros.safety.states import State
from vla_ros.srv import ResetScene

COMMAND_TOPIC = "vla/joint_command"
CONTROLLER, FOLLOW = "arm_controller", "follow_joint_trajectory"
SCALING = "arm/speed_scaling"


@dataclass(frozen=True)
class ReceivedStatus:
    """One status of the safety filter.

    state: name of the state. max_speed: of the fastest joint, rad/s or m/s. late_ticks: since the filter started.
    receive_ns: on the monotonic clock.
    """

    state: str
    rule: str
    max_speed: float
    late_ticks: int
    receive_ns: int

    @classmethod
    def from_message(cls, message: SafetyStatus, receive_ns: int) -> ReceivedStatus:
        """Read the fields of a message that arrived at `receive_ns`."""
        speed = max(map(abs, message.velocities), default=0.0)
        return cls(State(message.state).name, message.rule, speed, message.late_ticks, receive_ns)


@dataclass(frozen=True)
class ReceivedJointState:
    """One joint state of the arm, in the order of names: rad or m, rad/s or m/s, N m or N."""

    names: tuple[str, ...]
    positions: tuple[float, ...]
    velocities: tuple[float, ...]
    efforts: tuple[float, ...]


class ServiceCall:
    """A call of a service that the caller drives: wait until `ready`, `send`, wait until `done`, read `response`."""

    def __init__(self, name: str, client: Any, executor: SingleThreadedExecutor, request: Any) -> None:
        self.name = name
        self._client, self._executor, self._request = client, executor, request
        self._future: Any = None

    def ready(self) -> bool:
        """Whether a node offers the service."""
        return bool(self._client.service_is_ready())

    def send(self) -> None:
        """Send the request."""
        self._future = self._client.call_async(self._request)

    def done(self) -> bool:
        """Whether the response has arrived."""
        self._executor.spin_once(timeout_sec=0)
        return bool(self._future.done())

    @property
    def response(self) -> Any:
        """The response message."""
        return self._future.result()


class RigNode:
    """Publishers, subscriptions and services of the rig.

    Args:
        whole_graph: the policy and the driver run as nodes of their own; the rig relays images and gives instructions.
            Otherwise the rig itself sends setpoints, joint states, heartbeats and obstacles.
        simulated_clock: publish /clock and take stamps from it.
    """

    def __init__(self, whole_graph: bool, simulated_clock: bool) -> None:
        self._node: Node = rclpy.create_node("policy")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._clients: dict[str, Any] = {}
        self._extra: list[tuple[Node, Any]] = []
        self._stranger: Node | None = None
        self._frozen_image: Image | None = None
        self._drained_ns = 0
        self._statuses = polled(self._node, SafetyStatus, "vla/safety_status", QoSProfile(depth=200))
        self._diagnostics = polled(self._node, DiagnosticArray, "/diagnostics", EVENTS)
        if whole_graph:
            self._connect_whole_graph()
        else:
            self._connect_filter()
        self._clock = SimulatedClock(self._node) if simulated_clock else None

    def _connect_whole_graph(self) -> None:
        node = self._node
        self._joint_states = polled(node, JointState, "joint_states", SENSOR)
        self._images = polled(node, Image, "front_camera/image_raw", IMAGE)
        self._relayed_images = node.create_publisher(Image, "relayed/image_raw", IMAGE)
        self._instructions = node.create_publisher(String, "task_instruction", NEWEST)

    def _connect_filter(self) -> None:
        node = self._node
        self._joint_states = polled(node, JointState, "arm/joint_states", SENSOR)
        self._sent_joint_states = node.create_publisher(JointState, "joint_states", SENSOR)
        state, topic = JointTrajectoryControllerState, f"{CONTROLLER}/{STATE}"
        self._controller_states = polled(node, state, f"arm/{topic}", SENSOR)
        self._sent_controller_states = node.create_publisher(state, topic, SENSOR)
        self._setpoints = node.create_publisher(JointCommand, COMMAND_TOPIC, EVENTS)
        self._overrides = node.create_publisher(JointCommand, "vla/override", EVENTS)
        self._estops = node.create_publisher(Bool, "vla/estop", EVENTS)
        self._heartbeats = node.create_publisher(Empty, "vla/estop_heartbeat", EVENTS)
        self._deadman = node.create_publisher(Bool, "vla/deadman", EVENTS)
        self._enabling = node.create_publisher(UInt8, "vla/enabling", EVENTS)
        self._speed_scalings = node.create_publisher(Float64, SCALING, NEWEST)
        self._speed_scales = node.create_publisher(Float64, "vla/speed_scale", EVENTS)
        self._obstacles = node.create_publisher(MarkerArray, "vla/obstacles", NEWEST)

    def close(self) -> None:
        """Destroy everything that this node created."""
        if self._clock is not None:
            self._clock.close()
        self.set_extra_publishers(0)
        self.set_stranger("")
        self._executor.shutdown()
        self._node.destroy_node()

    # Time

    def now_ns(self) -> int:
        """Return the time of the graph's clock, ns."""
        return time.time_ns() if self._clock is None else self._clock.now_ns()

    def step_clock(self, seconds: float) -> None:
        """Step the simulated clock.

        Raises:
            RuntimeError: the graph runs on the system clock.
        """
        if self._clock is None:
            raise RuntimeError("this graph has no simulated clock; the case needs graph 'clock'")
        self._clock.step(seconds)

    # What has arrived

    def take_statuses(self) -> Iterator[ReceivedStatus]:
        """Yield the filter's statuses since the last call, oldest first."""
        began_ns = time.monotonic_ns()
        for message, info in take(self._statuses):
            receive_ns = received_ns(
                info.get("received_timestamp", 0), time.monotonic_ns(), time.time_ns(), self._drained_ns
            )
            yield ReceivedStatus.from_message(message, receive_ns)
        self._drained_ns = began_ns

    def take_diagnostics(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield (node name, values) since the last call; "message" is among the values."""
        for message, _ in take(self._diagnostics):
            for status in message.status:
                values = {pair.key: pair.value for pair in status.values}
                yield status.name.rsplit("/", 1)[-1], {**values, "message": status.message}

    def take_joint_states(self) -> Iterator[ReceivedJointState]:
        """Yield the arm's joint states since the last call, oldest first."""
        for message, _ in take(self._joint_states):
            yield ReceivedJointState(
                tuple(message.name), tuple(message.position), tuple(message.velocity), tuple(message.effort)
            )

    def relay_images(self, frozen: bool) -> None:
        """Pass the front camera's images on. frozen: repeat the first one with the new stamps."""
        for image, _ in take(self._images):
            if not frozen or self._frozen_image is None:
                self._frozen_image = image
            self._frozen_image.header.stamp = image.header.stamp
            self._relayed_images.publish(self._frozen_image)

    def relay_controller_states(self, silent: bool, scaling: float) -> None:
        """Pass on what the arm's controller tells, unless it is to be silent. scaling: what it says of its speed."""
        for state, _ in take(self._controller_states):
            if not silent:
                state.speed_scaling_factor = scaling
                self._sent_controller_states.publish(state)

    # What is sent

    def publish_setpoint(self, setpoint: SetpointFields) -> None:
        """Send a setpoint of the policy."""
        self._setpoints.publish(setpoint_message(setpoint))

    def publish_override(self, setpoint: SetpointFields) -> None:
        """Send a setpoint of an operator's device."""
        self._overrides.publish(setpoint_message(setpoint))

    def publish_joint_state(self, state: StampedJointState) -> None:
        """Send what the driver measured, stamped now unless it says otherwise."""
        stamp_ns = self.now_ns() if state.stamp_ns is None else state.stamp_ns
        self._sent_joint_states.publish(joint_state_message(state, stamp_ns))

    def publish_heartbeat(self) -> None:
        """Send one heartbeat of the e-stop button."""
        self._heartbeats.publish(Empty())

    def publish_deadman(self) -> None:
        """Say that the dead-man switch is held."""
        self._deadman.publish(Bool(data=True))

    def publish_enabling(self, position: int) -> None:
        """Send the position of the enabling device: 0 released, 1 pressed, 2 pressed through."""
        self._enabling.publish(UInt8(data=position))

    def publish_estop(self, pressed: bool) -> None:
        """Send the state of the e-stop button."""
        self._estops.publish(Bool(data=pressed))

    def publish_speed_scale(self, value: float) -> None:
        """Ask for a speed scale, 0 to 1."""
        self._speed_scales.publish(Float64(data=value))

    def publish_speed_scaling(self) -> None:
        """Say for the driver that it executes at full speed."""
        self._speed_scalings.publish(Float64(data=100.0))

    def publish_obstacles(self, obstacles: Iterable[ObstacleFields]) -> None:
        """Send the complete list of obstacles."""
        self._obstacles.publish(MarkerArray(markers=[obstacle_marker(each) for each in obstacles]))

    def instruction_has_listeners(self) -> bool:
        """Whether planner and action_expert subscribe to the instruction."""
        return instruction_nodes_matched(self._node, self._instructions)

    def publish_instruction(self, text: str) -> None:
        """Send an instruction."""
        self._instructions.publish(String(data=text))

    # Other publishers on the policy's topic

    def set_extra_publishers(self, count: int) -> None:
        """Replace the extra nodes that publish on the policy's topic by `count` new ones."""
        for node, _ in self._extra:
            node.destroy_node()
        self._extra = []
        for i in range(count):
            node = rclpy.create_node(f"second_policy_{i}")
            self._extra.append((node, node.create_publisher(JointCommand, COMMAND_TOPIC, EVENTS)))

    def set_stranger(self, name: str) -> None:
        """Replace the node that moves the arm past the filter: by a topic or an action below the arm's controller.

        Args:
            name: of the topic, or FOLLOW for a goal of that action; empty: no such node.
        """
        if self._stranger is not None:
            self._stranger.destroy_node()
            self._stranger = None
        if not name:
            return
        self._stranger = rclpy.create_node("stranger")
        if name != FOLLOW:
            kind = JointTrajectory if name == "joint_trajectory" else Float64MultiArray
            self._stranger.create_publisher(kind, f"{CONTROLLER}/{name}", NEWEST)
            return
        publisher = self._stranger.create_publisher(GoalStatusArray, f"{CONTROLLER}/{FOLLOW}/_action/status", LATCHED)
        publisher.publish(GoalStatusArray(status_list=[GoalStatus(status=GoalStatus.STATUS_EXECUTING)]))

    def extra_publisher_count(self) -> int:
        """Return how many extra nodes there are."""
        return len(self._extra)

    def publish_extra(self, index: int, setpoint: SetpointFields) -> None:
        """Send a setpoint from one of the extra nodes."""
        self._extra[index][1].publish(setpoint_message(setpoint))

    def count_publishers(self) -> int:
        """Return how many publishers of the policy's topic this node knows, its own included."""
        return len(self._node.get_publishers_info_by_topic(COMMAND_TOPIC))

    # Services

    def trigger(self, service: str) -> ServiceCall:
        """Return a call of the filter's service vla/`service`; its response has `success` and `message`."""
        return self._call(Trigger, f"vla/{service}", Trigger.Request())

    def reset_scene(self, seed: int, task: str) -> ServiceCall:
        """Return a call that puts the simulated arm and the scene where they start."""
        return self._call(ResetScene, "sim/reset_scene", ResetScene.Request(seed=seed, task=task))

    def switch_controller(self, active: bool) -> ServiceCall:
        """Return a call that switches the controller of the simulated arm off, or on again."""
        return self._call(SetBool, SWITCH, SetBool.Request(data=active))

    def set_filter_parameter(self, name: str, value: float) -> ServiceCall:
        """Return a call that tries to change a parameter of the filter; its response has one of `results`."""
        given = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
        request = SetParameters.Request(parameters=[Parameter(name=name, value=given)])
        return self._call(SetParameters, "/safety_filter/set_parameters", request)

    def _call(self, kind: Any, name: str, request: Any) -> ServiceCall:
        if name not in self._clients:
            self._clients[name] = self._node.create_client(kind, name)
        return ServiceCall(name, self._clients[name], self._executor, request)


@contextlib.contextmanager
def opened(whole_graph: bool = False, simulated_clock: bool = False) -> Iterator[RigNode]:
    """Initialise rclpy and open a RigNode; shut both down with the block. Arguments as for RigNode."""
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = None
    try:
        node = RigNode(whole_graph, simulated_clock)
        yield node
    finally:
        if node is not None:
            node.close()
        rclpy.try_shutdown()
