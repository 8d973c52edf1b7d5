"""The rig of the fault campaign over ROS: the policy, the driver, the human and the operating system in one hand.

One thread turns at 100 Hz: it takes what has arrived and sends setpoints, joint states, heartbeats and obstacles, as they
should be or as a case alters them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Bool, Empty, Float64, String
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from vla_ros.bringup.graph import own_domain
from vla_ros.lab.bench.load import busy
from vla_ros.lab.faults import stream
from vla_ros.lab.faults.campaign import Broken
from vla_ros.lab.faults.case import Seen
from vla_ros.lab.faults.controller_log import ControllerLog, Mark
from vla_ros.lab.faults.graphs import LOG, RAISE, processes
from vla_ros.lab.faults.machine import Machine
from vla_ros.lab.faults.rig import Alter, Relay
from vla_ros.lab.faults.stream import Measured, Setpoint
from vla_ros.msg import JointCommand, SafetyStatus
from vla_ros.ros.fake_messages import SimulatedClock, joint_state_message, marker, setpoint_message
from vla_ros.ros.node import EVENTS, IMAGE, NEWEST, SENSOR, listened_to
from vla_ros.ros.polling import polled, received_ns, take
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.states import State
from vla_ros.scheduling import real_time
from vla_ros.sim.arm_description import HOME, JOINT_NAMES
from vla_ros.srv import ResetScene

TURN_NS = round(stream.PERIOD_S * 1e9)
BEAT_TURNS = 5
STATUS_S = 0.04
"""The filter says at least so often how it is."""
REALTIME_PRIORITY = 15
"""Below the filter's and the simulated arm's: what the rig stands for runs on other machines."""


class GraphRig(Machine):
    """See `vla_ros.lab.faults.rig.Rig`. Args: graph, folder: as for `vla_ros.lab.faults.graphs.processes`."""

    def __init__(self, graph: str, folder: Path) -> None:
        super().__init__(processes(graph, folder), folder)
        self.graph = graph
        self.alter: Alter | None = None
        self.relay: Relay | None = None
        self.policy = False
        self.beats = self.held = True
        self.obstacles: Sequence[Obstacle] | None = ()
        self.image = ""
        self.measured = Measured(JOINT_NAMES, tuple(map(float, HOME)), (0.0,) * len(JOINT_NAMES))
        self.state = self.rule = ""
        self.speed = self.stall_s = 0.0
        self._status_ns = self._emptied_ns = 0
        self._log = ControllerLog(folder / LOG)
        self._raise = folder / RAISE
        self._seen = Seen()
        self._mark: Mark | None = None
        self._marked_ns = self._moving_since_ns = self._late_before = 0
        self._seq = self._override_seq = self._turns = 0
        self._clock: SimulatedClock | None = None
        self._diagnostics: dict[str, dict[str, str]] = {}
        self._override: Alter | None = None
        self._override_ns = 0
        self._extra: list[tuple[Node, Any]] = []
        self._extra_setpoints = False
        self._frozen: Image | None = None
        self._hogs = contextlib.ExitStack()
        self._clients: dict[str, Any] = {}
        self._node: Node = rclpy.create_node("policy")
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._connect(graph)
        self._next_ns = time.monotonic_ns()

    def _connect(self, graph: str) -> None:
        node = self._node
        self._statuses = polled(node, SafetyStatus, "vla/safety_status", QoSProfile(depth=200))
        self._reports = polled(node, DiagnosticArray, "/diagnostics", EVENTS)
        self._states = self._images = None
        if graph == "whole":
            self._states = polled(node, JointState, "joint_states", SENSOR)
            self._images = polled(node, Image, "front_camera/image_raw", IMAGE)
            self._relayed = node.create_publisher(Image, "relayed/image_raw", IMAGE)
            self._words = node.create_publisher(String, "task_instruction", NEWEST)
            return
        self._states = polled(node, JointState, "arm/joint_states", SENSOR)
        self._joint_states = node.create_publisher(JointState, "joint_states", SENSOR)
        self._commands = node.create_publisher(JointCommand, "vla/joint_command", EVENTS)
        self._overrides = node.create_publisher(JointCommand, "vla/override", EVENTS)
        self._stops = node.create_publisher(Bool, "vla/estop", EVENTS)
        self._beats = node.create_publisher(Empty, "vla/estop_heartbeat", EVENTS)
        self._deadman = node.create_publisher(Bool, "vla/deadman", EVENTS)
        self._scales = node.create_publisher(Float64, "vla/speed_scale", EVENTS)
        self._markers = node.create_publisher(MarkerArray, "vla/obstacles", NEWEST)
        if graph == "clock":
            self._clock = SimulatedClock(node)

    def _ros_ns(self) -> int:
        return time.time_ns() if self._clock is None else self._clock.now_ns()

    def close(self) -> None:
        """End everything that was started."""
        self._hogs.close()
        if self._clock is not None:
            self._clock.close()
        self.extra_publishers(0, False)
        self.flood(0)
        self._executor.shutdown()
        self._node.destroy_node()
        super().close()

    # The campaign

    def begin(self) -> Seen:
        """A case begins: what is seen from now on."""
        self._seen = Seen()
        self._mark = None
        return self._seen

    def mark(self) -> None:
        self._mark, self._late_before = self._log.mark(), self.late
        self._marked_ns = time.monotonic_ns()
        seen = self._seen
        seen.states, seen.rules, seen.why = [self.state] if self.state else [], [], ""
        seen.speed = self._mark.speed

    def note(self, answer: str) -> None:
        """Keep an answer for the judgement."""
        self._seen.answers.append(answer)

    def judged(self) -> Seen:
        """What was seen since the mark, with what the controller did."""
        if self._mark is not None:
            self._log.judge(self._mark, self._seen)
            self._seen.late = max(0, self.late - self._late_before)
        if self.state and self.state != (self._seen.states or [""])[-1]:
            self._seen.states.append(self.state)
        return self._seen

    def home(self) -> None:
        """Put the arm where it starts; the filter is disarmed."""
        request = ResetScene.Request(seed=3, task="place")
        answer = self._ask(ResetScene, "sim/reset_scene", request)
        if not answer.success:
            raise Broken(f"sim/reset_scene: {answer.message}")

    def say(self, text: str) -> None:
        """An instruction, once planner and action expert listen."""
        self.play(30.0, lambda: listened_to(self._node, self._words))
        self._words.publish(String(data=text))

    def forget(self) -> None:
        """What the nodes have said so far."""
        self._diagnostics.clear()

    def awake(self) -> bool:
        """Whether all of the graph say in their diagnostics that they are active."""
        names = ("planner", "action_expert", "camera")
        said = [self._diagnostics.get(name, {}).get("message", "not active") for name in names]
        return bool(self.state) and "not active" not in said

    # The rig

    def play(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        end_ns = time.monotonic_ns() + round(seconds * 1e9)
        while time.monotonic_ns() < end_ns:
            if until():
                return True
            self._turn()
        return until()

    def _turn(self) -> None:
        self._next_ns += TURN_NS
        now_ns = time.monotonic_ns()
        if now_ns < self._next_ns:
            time.sleep((self._next_ns - now_ns) / 1e9)
        elif now_ns - self._next_ns > 2 * TURN_NS:
            self.stall_s = max(self.stall_s, (now_ns - self._next_ns) / 1e9)
            self._next_ns = now_ns
        self._turns += 1
        self._hear()
        if self.graph == "whole":
            self._relay_image()
        else:
            self._send()
        self.watch()

    def _hear(self) -> None:
        began_ns = time.monotonic_ns()
        for message, info in take(self._statuses):
            self._see(message, received_ns(info, time.monotonic_ns(), time.time_ns(), self._emptied_ns))
        self._emptied_ns = began_ns
        for message, _ in take(self._reports):
            for status in message.status:
                values = {pair.key: pair.value for pair in status.values}
                self._diagnostics[status.name.rsplit("/", 1)[-1]] = {**values, "message": status.message}
        for message, _ in take(self._states):
            self.measured = Measured(
                tuple(message.name), tuple(message.position), tuple(message.velocity), tuple(message.effort)
            )

    def _see(self, status: SafetyStatus, receive_ns: int) -> None:
        if self.state not in ("", "-"):  # before, there was nobody who could have spoken
            self.stall_s = max(self.stall_s, (receive_ns - self._status_ns) / 1e9 - STATUS_S)
        self._status_ns = receive_ns
        self.state, self.rule = State(status.state).name, status.rule
        self.speed = max(map(abs, status.velocities), default=0.0)
        self.late = status.late_ticks
        seen = self._seen
        if not seen.states or seen.states[-1] != self.state:
            seen.states.append(self.state)
        if status.rule and (not seen.rules or seen.rules[-1] != status.rule):
            seen.rules.append(status.rule)
            seen.why = seen.why or status.reason

    def _send(self) -> None:
        elapsed_s = (time.monotonic_ns() - self._marked_ns) / 1e9
        measured = self.measured if self.relay is None else self.relay(self.measured, elapsed_s)
        if measured is not None:
            self._joint_states.publish(joint_state_message(measured, self._ros_ns()))
        if self._turns % BEAT_TURNS == 0:
            self._beat()
        if self.policy:
            right = self._right()
            for setpoint in (right,) if self.alter is None else self.alter(right, elapsed_s):
                self._commands.publish(setpoint_message(setpoint))
        for _, publisher in self._extra if self._extra_setpoints else ():
            publisher.publish(setpoint_message(self._right()))
        if self._override is not None:
            self._override_seq += 1
            base = Setpoint(
                self._override_seq, self._right().stamp_ns, JOINT_NAMES, self.measured.positions, "override"
            )
            for setpoint in self._override(base, (time.monotonic_ns() - self._override_ns) / 1e9):
                self._overrides.publish(setpoint_message(setpoint))

    def _right(self) -> Setpoint:
        """The setpoint of this turn as it should be."""
        self._seq += 1
        elapsed_s = (self._next_ns - self._moving_since_ns) / 1e9
        stamp_ns = self._next_ns + self._ros_ns() - time.monotonic_ns()
        return Setpoint(self._seq, stamp_ns, JOINT_NAMES, stream.swing(elapsed_s))

    def _beat(self) -> None:
        if self.beats:
            self._beats.publish(Empty())
        if self.held:
            self._deadman.publish(Bool(data=True))
        if self.obstacles is not None:
            self._markers.publish(MarkerArray(markers=[marker(each) for each in self.obstacles]))

    def _relay_image(self) -> None:
        for image, _ in take(self._images):
            if self.image != "frozen" or self._frozen is None:
                self._frozen = image
            self._frozen.header.stamp = image.header.stamp
            self._relayed.publish(self._frozen)

    def move(self) -> None:
        """The swing begins."""
        self._moving_since_ns = self._next_ns
        self.policy = True

    def call(self, name: str) -> tuple[bool, str]:
        answer = self._ask(Trigger, f"vla/{name}", Trigger.Request())
        self.note(answer.message)
        return answer.success, answer.message

    def set_parameter(self, name: str, value: float) -> None:
        given = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
        request = SetParameters.Request(parameters=[Parameter(name=name, value=given)])
        (result,) = self._ask(SetParameters, "/safety_filter/set_parameters", request).results
        self.note("accepted" if result.successful else result.reason)

    def _ask(self, kind: Any, name: str, request: Any) -> Any:
        client = self._clients.setdefault(name, None) or self._node.create_client(kind, name)
        self._clients[name] = client
        if not self.play(10.0, client.service_is_ready):
            raise Broken(f"nobody offers {name}")
        future = client.call_async(request)

        def answered() -> bool:
            self._executor.spin_once(timeout_sec=0)
            return bool(future.done())

        if not self.play(10.0, answered):
            raise Broken(f"{name} does not answer")
        return future.result()

    def press(self, pressed: bool) -> None:
        self._stops.publish(Bool(data=pressed))

    def scale(self, value: float) -> None:
        self._scales.publish(Float64(data=value))

    def override(self, alter: Alter | None) -> None:
        self._override, self._override_ns = alter, time.monotonic_ns()

    def extra_publishers(self, count: int, setpoints: bool) -> None:
        self._extra_setpoints = setpoints
        for node, _ in self._extra:
            node.destroy_node()
        self._extra = []
        for i in range(count):
            node = rclpy.create_node(f"second_policy_{i}")
            self._extra.append((node, node.create_publisher(JointCommand, "vla/joint_command", EVENTS)))

    def publishers(self) -> int:
        """How many publish on the policy's topic, as this node knows it."""
        return len(self._node.get_publishers_info_by_topic("vla/joint_command"))

    def burst(self, count: int) -> None:
        for k in range(count):
            right = self._right()
            later = Setpoint(right.seq, right.stamp_ns + k, right.names, right.positions)
            self._commands.publish(setpoint_message(later))

    def hog(self, processes: int) -> None:
        self._hogs.close()
        if processes:
            self._hogs.enter_context(busy(processes))

    def raise_in(self, rule: str) -> None:
        self._raise.write_text(rule)
        if self.state != "-":
            self.send_signal("safety_filter", signal.SIGUSR1)

    def step_clock(self, seconds: float) -> None:
        assert self._clock is not None, "there is no simulated clock in this graph"
        self._clock.step(seconds)

    def note_diagnostics(self, *keys: str) -> None:
        self._diagnostics.pop("safety_filter", None)
        self.play(2.5, lambda: "safety_filter" in self._diagnostics)
        values = self._diagnostics.get("safety_filter", {})
        self.note("; ".join(f"{key} {values.get(key, 'unknown')}" for key in keys))


@contextlib.contextmanager
def started(graph: str, folder: Path) -> Iterator[GraphRig]:
    """A running graph and the rig to it, on a ROS domain of its own."""
    os.environ.update(own_domain())
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    rig = None
    try:
        rig = GraphRig(graph, folder)
        real_time(REALTIME_PRIORITY)
        yield rig
    finally:
        if rig is not None:
            rig.close()
        rclpy.try_shutdown()
        _ordinary()


def _ordinary() -> None:
    """Take the real-time scheduling back: what this process does next, a judge's arithmetic or other tests, can wait."""
    for thread in Path("/proc/self/task").glob("*"):
        with contextlib.suppress(OSError):  # it has ended
            os.sched_setscheduler(int(thread.name), os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
