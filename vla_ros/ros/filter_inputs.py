"""What the safety filter hears: every topic that it reads, bounded, polled once a tick and handed over, stops first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Empty, Float64, UInt8
from visualization_msgs.msg import MarkerArray

from vla_ros.msg import JointCommand, SafetyMonitorReport
from vla_ros.ros.bounded_input import BoundedInput, longest_marker_array
from vla_ros.ros.discovery import publisher_names
from vla_ros.ros.estop_buttons import KEPT, EStopButtons
from vla_ros.ros.estop_line import EStopLine
from vla_ros.ros.joint_messages import JointCommandBytes, JointStateBytes, ReadJointCommand, ReadJointState
from vla_ros.ros.markers import obstacles_from, oldest_stamp_age_ns, unreadable_list
from vla_ros.ros.polling import received_ns
from vla_ros.ros.qos import EVENTS, NEWEST, SENSOR
from vla_ros.ros.robot_description import TOPIC as DESCRIPTION_TOPIC
from vla_ros.ros.ros_clock import RosClock
from vla_ros.ros.senders import Received
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.command.authority import DESCRIPTION, JOINT_STATES
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.filter import SafetyFilter
from vla_ros.time import NS_PER_S, Window

OBSTACLES_S = 0.02
"""So often at most a list of obstacles is taken over; the newest waits."""
MOST_DRIVERS = 32
"""Publishers of joint states that are looked up when they are first heard; others within a tenth of a second."""
CHANNELS = {"override": "vla/override", "policy": "vla/joint_command"}
SINGLE_INPUTS = {
    "estop": "vla/estop",
    "heartbeat": "vla/estop_heartbeat",
    "deadman": "vla/deadman",
    "enabling": "vla/enabling",
    "reduced": "vla/reduced",
    "obstacle": "vla/obstacles",
    "speed_scale": "vla/speed_scale",
    "safety_monitor": "vla/safety_monitor",
}
"""Topics of `authority.SINGLE_INPUTS`; the controllers' are configured, see `ArmControllers`."""
TYPES = {
    "joint_states": "sensor_msgs/msg/JointState",
    "vla/joint_command": "vla_ros/msg/JointCommand",
    "vla/override": "vla_ros/msg/JointCommand",
    "vla/estop": "std_msgs/msg/Bool",
    "vla/estop_heartbeat": "std_msgs/msg/Empty",
    "vla/deadman": "std_msgs/msg/Bool",
    "vla/enabling": "std_msgs/msg/UInt8",
    "vla/reduced": "std_msgs/msg/Bool",
    "vla/obstacles": "visualization_msgs/msg/MarkerArray",
    "vla/speed_scale": "std_msgs/msg/Float64",
    "vla/safety_monitor": "vla_ros/msg/SafetyMonitorReport",
}
"""Topic that the filter reads → its type."""


class FilterInputs:
    """Subscriptions of the filter's node; those of what is not configured are not there.

    all: the bounded inputs. accepted_ns: when accepted setpoints were received, monotonic clock; whoever reads it clears it.
    frame_stamps_ns: channel → stamp of the frame that its newest accepted setpoint descends from; 0: none. frame_ages_s: from
    such a frame to the acceptance.

    Args:
        node: of the filter.
        safety_filter: it.
        clock: of the node.
    """

    def __init__(self, node: Node, safety_filter: SafetyFilter | Recorder, clock: RosClock) -> None:
        self._node, self._filter, self._clock = node, safety_filter, clock
        self.parameters = p = safety_filter.parameters
        self._buttons = EStopButtons(node)
        self.all: list[BoundedInput] = [*self._buttons.inputs]
        self._line = EStopLine(node.get_namespace())
        if self._line.problem:
            node.get_logger().warning(self._line.problem)
        self._heartbeats = self._input(p.estop.heartbeat_s, Empty, "vla/estop_heartbeat", EVENTS)
        self._reports = self._input(p.safety_monitor.timeout_s, SafetyMonitorReport, "vla/safety_monitor", EVENTS)
        self._deadmen = self._input(p.deadman.timeout_s, Bool, "vla/deadman", EVENTS)
        self._enablings = self._input(p.enabling.timeout_s, UInt8, "vla/enabling", KEPT)
        self._reductions = self._input(p.reduced_mode.input, Bool, "vla/reduced", KEPT)
        self._scalings = self._input(p.controller.scaling_topic, Float64, p.controller.scaling_topic, NEWEST)
        self._scales = self._input(True, Float64, "vla/speed_scale", KEPT)
        self._joint_states = self._input(True, JointState, "joint_states", SENSOR, decode=JointStateBytes())
        bounds = longest_marker_array(p.obstacle.maximum), max(1, round(OBSTACLES_S / p.period_s))
        self._obstacles = self._input(p.obstacle.timeout_s, MarkerArray, "vla/obstacles", NEWEST, *bounds)
        self._commands = {
            source: self._input(True, JointCommand, topic, EVENTS, decode=JointCommandBytes())
            for source, topic in CHANNELS.items()
        }
        self._single = {**CHANNELS, **SINGLE_INPUTS, JOINT_STATES: JOINT_STATES}
        if not p.urdf:
            self._single[DESCRIPTION] = DESCRIPTION_TOPIC
        if p.controller.scaling_topic:
            self._single["speed_scaling"] = p.controller.scaling_topic
        self._drivers: set[str] = set()
        self._monitor_limits = self._said_of_speed = ""
        self.accepted_ns: list[int] = []
        self.frame_stamps_ns = dict.fromkeys(self._commands, 0)
        self.frame_ages_s = Window(1000)

    def receive_stops(self) -> None:
        """Hand over e-stops, their heartbeat and what the safety monitor says."""
        self._line.serve(self._filter.estop)
        any_pressed = False
        for pressed, button in self._buttons.take():
            self._filter.estop_signal(pressed, button)
            any_pressed |= pressed
        if any_pressed:  # while the button can be seen
            self._look_up("estop", SINGLE_INPUTS["estop"])
        for _, receive_ns in self._arrived(self._heartbeats):
            self._filter.heartbeat(receive_ns)
        for report, receive_ns in self._arrived(self._reports):
            limits = "" if report.limits == self._monitor_limits else report.limits
            self._monitor_limits = report.limits
            self._filter.monitor(receive_ns, report.violation, report.hears_sent, report.hears_measured, limits)

    def receive(self) -> None:
        """Hand over the rest: what people hold, what was measured, then what is asked for."""
        for message, receive_ns in self._arrived(self._deadmen):
            self._filter.deadman(receive_ns, message.data)
        for message, receive_ns in self._arrived(self._enablings):
            self._filter.enabling(receive_ns, message.data)
        for message, receive_ns in self._arrived(self._reductions):
            self._filter.reduced(receive_ns, message.data)
        for message, receive_ns in self._arrived(self._scalings):
            self._filter.speed_scaling(receive_ns, message.data)
        said = self._said_of_speed
        for message, _ in self._arrived(self._scales):
            said = self._filter.speed_scale(message.data)[1]
        if said != self._said_of_speed:  # once a tick, however many there were: a line takes as long as twenty messages
            self._node.get_logger().info(said)
            self._said_of_speed = said
        if self._joint_states is not None:
            for message, received in self._joint_states.take():
                if message is not None:
                    self._measure(message, received, self._joint_states.since_ns)
        for message, receive_ns in self._arrived(self._obstacles):
            ros_ns = self._node.get_clock().now().nanoseconds
            self._filter.obstacles(receive_ns - oldest_stamp_age_ns(message, ros_ns), obstacles_from(message, ros_ns))
        for source, commands in self._commands.items():
            for message, receive_ns in self._arrived(commands):
                self._offer(source, message, receive_ns)

    def look_ups(self) -> list[Callable[[], None]]:
        """Return calls that tell the filter who publishes on what it hears, one for each topic."""
        return [partial(self._look_up, source, topic) for source, topic in self._single.items()]

    def close(self) -> None:
        """End the line of the e-stop: nobody shall wait there for a filter that is gone."""
        self._line.close()

    def _input(
        self,
        wanted: object,
        kind: type,
        topic: str,
        qos: QoSProfile,
        *bounds: int,
        decode: Callable[[bytes], Any] | None = None,
    ) -> BoundedInput | None:
        if not wanted:
            return None
        self.all.append(BoundedInput(self._node, kind, topic, qos, *bounds, decode=decode))
        return self.all[-1]

    def _look_up(self, source: str, topic: str) -> None:
        self._filter.publishers(source, publisher_names(self._node, topic))

    def _arrived(self, inputs: BoundedInput | None) -> Iterable[tuple[Any, int]]:
        """Return each message that can be read, and when it was received, on the monotonic clock."""
        if inputs is None:
            return ()
        taken = inputs.take()
        return self._readable(inputs, taken) if taken else ()

    def _readable(self, inputs: BoundedInput, taken: Iterable[tuple[Any, Received]]) -> Iterator[tuple[Any, int]]:
        for message, received in taken:
            receive_ns = received_ns(received.received_ns, time.monotonic_ns(), time.time_ns(), inputs.since_ns)
            if message is not None:
                yield message, receive_ns
            elif inputs is self._obstacles:  # what is there is not known
                self._filter.obstacles(receive_ns, [unreadable_list(received.size, self.parameters.obstacle.frame_id)])

    def _measure(self, message: ReadJointState, received: Received, since_ns: int) -> None:
        if received.gid not in self._drivers and len(self._drivers) < MOST_DRIVERS:  # so that it is refused by name
            self._drivers.add(received.gid)
            self._look_up(JOINT_STATES, JOINT_STATES)
        receive_ns = received_ns(received.received_ns, time.monotonic_ns(), time.time_ns(), since_ns)
        # Lists: what the filter keeps of them goes into snapshots of the log, which hold nothing else.
        stamp_ns, names, q, dq, efforts = message
        self._filter.joint_state(receive_ns, names, q, dq, efforts, stamp_ns, received.gid)

    def _offer(self, source: str, message: ReadJointCommand, receive_ns: int) -> None:
        now_ns = time.monotonic_ns()
        ros_ns = now_ns + self._clock.ahead_ns()
        stamp_ns = message.stamp_ns
        verdict = self._filter.command(
            Setpoint(
                channel=source,
                source=message.source,
                seq=message.seq,
                stamp_ns=stamp_ns,
                age_ns=ros_ns - stamp_ns - (now_ns - receive_ns),
                receive_ns=receive_ns,
                joint_names=message.names,
                positions=message.positions,
            )
        )
        if verdict is None:
            self.accepted_ns.append(receive_ns)
            frame_ns = self.frame_stamps_ns[source] = message.frame_stamp_ns
            if frame_ns:
                self.frame_ages_s.add((ros_ns - frame_ns) / NS_PER_S)
