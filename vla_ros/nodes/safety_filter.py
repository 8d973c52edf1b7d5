"""safety_filter: the only publisher to the arm controller. A thin shell around `vla_ros.safety.filter`.

It runs a loop of its own at the filter's rate, polls what has arrived, asks the filter, publishes. Nothing that
arrives, and nothing that does not, changes when it ticks.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Empty, Float64, String, UInt8
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from vla_ros.msg import JointCommand, SafetyMonitorReport, SafetyStatus
from vla_ros.ros.arm_controllers import ArmControllers
from vla_ros.ros.bounded_input import BoundedInput, longest_marker_array
from vla_ros.ros.controller_output import ControllerOutput
from vla_ros.ros.diagnostics import Diagnostics
from vla_ros.ros.discovery import publisher_names, unmatched_publishers
from vla_ros.ros.estop_buttons import KEPT, EStopButtons
from vla_ros.ros.estop_line import EStopLine
from vla_ros.ros.filter_report import TYPES, FilterReport
from vla_ros.ros.markers import SafetyMarkers, obstacles_from, oldest_stamp_age_ns, root_link, unreadable_list
from vla_ros.ros.node import run
from vla_ros.ros.parameter_declaration import declare_parameters
from vla_ros.ros.polling import PacedLoop, PolledCallbackGroup, received_ns, serve
from vla_ros.ros.qos import EVENTS, NEWEST, SENSOR
from vla_ros.ros.qos import LATCHED as FOR_LATE_READERS
from vla_ros.ros.robot_description import TOPIC as DESCRIPTION_TOPIC
from vla_ros.ros.robot_description import wait_for_urdf
from vla_ros.ros.ros_clock import RosClock
from vla_ros.ros.safety_status import status_message
from vla_ros.ros.senders import Received
from vla_ros.ros.stamps import nanoseconds
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.command.authority import DESCRIPTION, JOINT_STATES
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.controller_parameters import ACTIONS
from vla_ros.safety.decision import Decision
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.services import OUTLOOK
from vla_ros.safety.states import AT_REST, LATCHED
from vla_ros.scheduling import make_output_nonblocking, use_real_time_scheduling
from vla_ros.time import NS_PER_S

STATUS_HZ = 25
SLOW_HZ = 10
"""How often the executor is let in (to what is not polled), who publishes setpoints is looked up, and what is around the arm
is drawn."""
OBSTACLES_S = 0.02
"""So often at most a list of obstacles is taken over; the newest waits."""
REALTIME_PRIORITY = 20
MOST_DRIVERS = 32
"""Publishers of joint states that are looked up when they are first heard; others within a tenth of a second."""
MOST_GARBAGE = 200_000
"""Python's garbage is collected at rest, or when there are so many objects that waiting for it would take the memory; nothing
here makes cycles on purpose."""
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
"""Topics of `authority.SINGLE_INPUTS`; the controllers' are configured."""


class SafetyFilterNode(Node):
    """See docs/safety.md and docs/architecture.md."""

    def __init__(self) -> None:
        # A request of any length is decoded before its services see it, and meanwhile nothing brakes.
        without = Parameter("start_type_description_service", value=False)
        super().__init__("safety_filter", start_parameter_services=False, parameter_overrides=[without])
        self.parameters = declare_parameters(self, SafetyFilterParameters)
        urdf = wait_for_urdf(self, self.parameters.urdf)
        self.filter, self._log = self._logged(SafetyFilter.from_urdf(self.parameters, urdf), urdf)
        self._inputs: list[BoundedInput] = []
        self._joint_states = self._input(JointState, "joint_states", SENSOR)
        self._drivers: set[str] = set()
        self._commands = {source: self._input(JointCommand, topic, EVENTS) for source, topic in CHANNELS.items()}
        self._buttons = EStopButtons(self)
        self._inputs += self._buttons.inputs
        self._line = EStopLine(self.get_namespace())
        if self._line.problem:
            self.get_logger().warning(self._line.problem)
        self._scales = self._input(Float64, "vla/speed_scale", KEPT)
        p = self.parameters
        self._heartbeats = self._input(Empty, "vla/estop_heartbeat", EVENTS) if p.estop.heartbeat_s else None
        self._deadmen = self._input(Bool, "vla/deadman", EVENTS) if p.deadman.timeout_s else None
        self._enablings = self._input(UInt8, "vla/enabling", KEPT) if p.enabling.timeout_s else None
        self._reductions = self._input(Bool, "vla/reduced", KEPT) if p.reduced_mode.input else None
        self._home = self.create_publisher(Bool, "vla/safe_home", EVENTS) if p.home.position else None
        longest, every = longest_marker_array(p.obstacle.maximum), round(OBSTACLES_S / p.period_s)
        self._obstacles = (
            self._input(MarkerArray, "vla/obstacles", NEWEST, longest, max(1, every)) if p.obstacle.timeout_s else None
        )
        monitored = p.safety_monitor.timeout_s > 0.0
        self._reports = self._input(SafetyMonitorReport, "vla/safety_monitor", EVENTS) if monitored else None
        self._monitor_limits = ""
        scaling = p.controller.scaling_topic
        self._scalings = self._input(Float64, scaling, NEWEST) if scaling else None
        group = PolledCallbackGroup()
        self._triggers = [
            self.create_service(Trigger, f"vla/{name}", self._answer(name, act), callback_group=group)
            for name, act in (
                ("estop", lambda: self.filter.estop("service vla/estop")),
                ("arm", self._arm),
                ("disarm", self.filter.disarm),
                ("reset", lambda: self.filter.reset(time.monotonic_ns())),
                ("release_lost_estop", self.filter.release_lost_estop),
            )
        ]
        self._ros_clock = RosClock(self)
        self._output = ControllerOutput(self, self.filter, self._ros_clock)
        self._controllers = ArmControllers(self, self.filter)
        self._markers = self.create_publisher(MarkerArray, "vla/safety_markers", NEWEST)
        self._drawing = SafetyMarkers(self.parameters, root_link(urdf))
        self._status = self.create_publisher(SafetyStatus, "vla/safety_status", EVENTS)
        self._shown = self.create_publisher(String, "vla/safety_parameters", FOR_LATE_READERS)
        self._shown.publish(String(data=yaml.safe_dump(dataclasses.asdict(p), sort_keys=False)))
        self._loop = PacedLoop(self.context, round(self.parameters.period_s * NS_PER_S))
        self._report = FilterReport(
            self, self.filter, self._log, self._loop, self._output, self._inputs, self._controllers
        )
        self._diagnostics = Diagnostics(self, self._report, period_s=0)
        self._frame_stamps_ns = dict.fromkeys(self._commands, 0)
        self._hop_from_ns: list[int] = []
        self._decision: Decision | None = None
        self._said_of_speed = ""
        self._ending, self._ended_ticks = False, 0
        self._failure = ""

    def destroy_node(self) -> None:
        """End the line of the e-stop too: nobody shall wait there for a filter that is gone."""
        self._line.close()
        super().destroy_node()

    def _input(self, kind: type, topic: str, qos: QoSProfile, *bounds: int) -> BoundedInput:
        self._inputs.append(BoundedInput(self, kind, topic, qos, *bounds))
        return self._inputs[-1]

    def spin(self) -> None:
        """Tick until shutdown."""
        executor = SingleThreadedExecutor(context=self.context)
        executor.add_node(self)
        self._report.scheduling = use_real_time_scheduling(REALTIME_PRIORITY, self.parameters.cpu)
        gc.collect()
        gc.freeze()
        gc.disable()
        ending_ticks = self.filter.rest_ticks  # as long as it may take to bring the arm to rest
        for tick in self._loop:
            self._report.rate.tick(tick.started_ns)
            decision = None
            with self._guarded():
                self._output.miss(tick.deadline_ns, tick.skipped)
                self._output.check_clock(tick.deadline_ns)
            with self._guarded():
                if self._ending and not self._ended_ticks:
                    self.filter.disarm()
                self._receive()
            with self._guarded():
                decision = self.filter.tick(tick.deadline_ns)
                self._output.publish(decision, tick.deadline_ns)
                if decision.positions is not None:
                    self._controllers.send(decision.positions, tick.deadline_ns)
                    self._note_hops()
            self._hop_from_ns.clear()
            with self._guarded():
                self._tell(decision, tick.deadline_ns, executor)
            self._report.busy_s.add((time.monotonic_ns() - tick.started_ns) / NS_PER_S)
            self._ended_ticks += self._ending
            if self._ending and (self._ended_ticks > ending_ticks or _over(decision)):
                break

        self._line.close()
        if self._log is not None:
            self._log.close()

    def _tell(self, decision: Decision | None, now_ns: int, executor: SingleThreadedExecutor) -> None:
        """What is not for the arm: status, services of the node, diagnostics. Away from each other, so that no tick
        carries two of them."""
        count, ticks_per_s = self._loop.ticks, round(1 / self.parameters.period_s)
        slow_ticks = max(3, ticks_per_s // SLOW_HZ)
        if decision is not None:
            if count % max(1, ticks_per_s // STATUS_HZ) == 0 or _differs(decision, self._decision):
                self._publish_status(decision, now_ns)
            self._decision = self._report.decision = decision
        # A simulated clock reaches the node through the executor, so it must then have every tick.
        if self._ros_clock.simulated or count % slow_ticks == 0:
            executor.spin_once(timeout_sec=0)
        if count % slow_ticks == slow_ticks // 3:
            self._look_up_publishers()
        if count % slow_ticks == 2 * slow_ticks // 3:
            self._draw()
        if count % ticks_per_s == ticks_per_s // 2 + 1:
            self._diagnostics.publish()
            if (decision is not None and decision.state in AT_REST) or gc.get_count()[0] > MOST_GARBAGE:
                gc.collect()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """Whatever fails in a tick latches a stop, and the next tick goes on braking: who dies in motion brakes nothing."""
        try:
            yield
        except Exception as error:
            if not self.context.ok():  # rclpy tells so that it is to end
                raise
            place = traceback.extract_tb(error.__traceback__)[-1]
            reason = f"{Path(place.filename).name}:{place.lineno} raised {type(error).__name__}: {error}"
            self.filter.fault(reason)
            if reason != self._failure:
                self.get_logger().error(f"{reason}: protective stop")
            self._failure = reason

    def end(self) -> None:
        """Come to rest, then leave `spin`: an arm that moves is not let go of."""
        self._ending = True

    def _logged(self, safety_filter: SafetyFilter, urdf: str) -> tuple[SafetyFilter | Recorder, AuditLog | None]:
        """The filter, with its audit log when the parameters ask for one; each arm has a folder of its own."""
        audit = self.parameters.audit
        if not audit.directory:
            return safety_filter, None
        audit = dataclasses.replace(audit, directory=audit.directory.rstrip("/") + self.get_namespace().rstrip("/"))
        log = AuditLog(audit, {"parameters": dataclasses.asdict(self.parameters), "urdf": urdf})
        self.get_logger().info(f"every decision goes to {audit.directory}; vla-ros replay recomputes them")
        return Recorder(safety_filter, log), log

    def _receive(self) -> None:
        """Hand over all that has arrived: stops first, then what was measured, then what is asked for."""
        self._line.serve(self.filter.estop)
        any_pressed = False
        for pressed, button in self._buttons.take():
            self.filter.estop_signal(pressed, button)
            any_pressed |= pressed
        if any_pressed:  # while the button can be seen
            self._look_up("estop", SINGLE_INPUTS["estop"])
        for _, receive_ns in self._arrived(self._heartbeats):
            self.filter.heartbeat(receive_ns)
        for report, receive_ns in self._arrived(self._reports):
            limits = "" if report.limits == self._monitor_limits else report.limits
            self._monitor_limits = report.limits
            self.filter.monitor(receive_ns, report.violation, report.hears_sent, report.hears_measured, limits)
        for service in self._triggers:
            serve(service)
        for message, receive_ns in self._arrived(self._deadmen):
            self.filter.deadman(receive_ns, message.data)
        for message, receive_ns in self._arrived(self._enablings):
            self.filter.enabling(receive_ns, message.data)
        for message, receive_ns in self._arrived(self._reductions):
            self.filter.reduced(receive_ns, message.data)
        for message, receive_ns in self._arrived(self._scalings):
            self.filter.speed_scaling(receive_ns, message.data)
        said = self._said_of_speed
        for message, _ in self._arrived(self._scales):
            said = self.filter.speed_scale(message.data)[1]
        if said != self._said_of_speed:  # once a tick, however many there were: a line takes as long as twenty messages
            self.get_logger().info(said)
            self._said_of_speed = said
        for message, received in self._joint_states.take():
            if message is not None:
                self._measure(message, received)
        for message, receive_ns in self._arrived(self._obstacles):
            ros_ns = self.get_clock().now().nanoseconds
            self.filter.obstacles(receive_ns - oldest_stamp_age_ns(message, ros_ns), obstacles_from(message, ros_ns))
        for source, commands in self._commands.items():
            for message, receive_ns in self._arrived(commands):
                self._offer(source, message, receive_ns)
        self._controllers.receive()

    def _measure(self, message: JointState, received: Received) -> None:
        if received.gid not in self._drivers and len(self._drivers) < MOST_DRIVERS:  # so that it is refused by name
            self._drivers.add(received.gid)
            self._look_up(JOINT_STATES, JOINT_STATES)
        since_ns = self._joint_states.since_ns
        receive_ns = received_ns(received.received_ns, time.monotonic_ns(), time.time_ns(), since_ns)
        # Lists: what the filter keeps of them goes into snapshots of the log, which hold nothing else.
        q, dq, efforts = (values.tolist() for values in (message.position, message.velocity, message.effort))
        stamp_ns = nanoseconds(message.header.stamp)
        self.filter.joint_state(receive_ns, message.name, q, dq, efforts, stamp_ns, received.gid)

    def _arrived(self, inputs: BoundedInput | None) -> Iterator[tuple[Any, int]]:
        """Yield each message that can be read, and when it was received, on the monotonic clock."""
        if inputs is None:
            return
        for message, received in inputs.take():
            receive_ns = received_ns(received.received_ns, time.monotonic_ns(), time.time_ns(), inputs.since_ns)
            if message is not None:
                yield message, receive_ns
            elif inputs is self._obstacles:  # what is there is not known
                self.filter.obstacles(receive_ns, [unreadable_list(received.size, self.parameters.obstacle.frame_id)])

    def _look_up_publishers(self) -> None:
        controller = self.parameters.controller
        gripper = "" if controller.gripper_type in ACTIONS else controller.gripper_topic
        outputs = {"controller": controller.topic or controller.topics[0], "gripper": gripper}
        description = "" if self.parameters.urdf else DESCRIPTION_TOPIC
        others = {DESCRIPTION: description, JOINT_STATES: JOINT_STATES}
        for source, topic in {**CHANNELS, **SINGLE_INPUTS, **outputs, **others}.items():
            if topic:
                self._look_up(source, topic)
        self._controllers.look_up_publishers()

    def _look_up(self, source: str, topic: str) -> None:
        self.filter.publishers(source, publisher_names(self, topic))

    def _draw(self) -> None:
        if self._markers.get_subscription_count():
            nearest = self.filter.nearest()
            what = "" if nearest is None else self.filter.describe(nearest)
            ros_ns = self.get_clock().now().nanoseconds
            doing = self.filter.state.name
            if self._decision is not None and self._decision.verdict is not None:
                doing += f": {self._decision.verdict.reason}"
            self._markers.publish(self._drawing.message(ros_ns, self.filter.active_obstacles(), nearest, what, doing))

    def _offer(self, source: str, message: JointCommand, receive_ns: int) -> None:
        now_ns = time.monotonic_ns()
        ros_ns = now_ns + self._ros_clock.ahead_ns()
        stamp_ns = nanoseconds(message.header.stamp)
        verdict = self.filter.command(
            Setpoint(
                channel=source,
                source=message.source,
                seq=message.seq,
                stamp_ns=stamp_ns,
                age_ns=ros_ns - stamp_ns - (now_ns - receive_ns),
                receive_ns=receive_ns,
                joint_names=message.joint_names,
                positions=message.positions.tolist(),
            )
        )
        if verdict is None:
            frame_ns = nanoseconds(message.frame_stamp)
            self._frame_stamps_ns[source] = frame_ns
            self._hop_from_ns.append(receive_ns)
            if frame_ns:
                self._report.frame_ages_s.add((ros_ns - frame_ns) / NS_PER_S)

    def _note_hops(self) -> None:
        if self._hop_from_ns:
            sent_ns = time.monotonic_ns()
            for receive_ns in self._hop_from_ns:
                self._report.hops_s.add((sent_ns - receive_ns) / NS_PER_S)

    def _arm(self) -> tuple[bool, str]:
        deaf = unmatched_publishers(self, {"vla/estop": TYPES["vla/estop"]})
        if deaf:
            return False, f"cannot arm: {deaf[0]}"
        apart = self._output.clock_objection()
        if apart:
            return False, f"cannot arm: {apart}"
        return self.filter.arm(time.monotonic_ns())

    def _answer(
        self, name: str, act: Callable[[], tuple[bool, str]]
    ) -> Callable[[Trigger.Request, Trigger.Response], Trigger.Response]:
        def answer(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
            response.success, response.message = act()
            if response.success and self.filter.values.stops and name in OUTLOOK:
                response.message += f"; {OUTLOOK[name]}"
            self.get_logger().info(response.message)
            return response

        return answer

    def _publish_status(self, decision: Decision, now_ns: int) -> None:
        ros_ns = self.get_clock().now().nanoseconds
        frame_ns = self._frame_stamps_ns.get(decision.source, 0)
        audit_hash = self._log.hash if self._log is not None else b""
        status = status_message(self.filter, decision, now_ns, ros_ns, frame_ns, self._loop.late, audit_hash)
        self._status.publish(status)
        if self._home is not None:
            self._home.publish(Bool(data=status.at_home))


def _differs(decision: Decision, last: Decision | None) -> bool:
    """Whether people want to know at once: another state, or a rule that did not act in the tick before."""
    if last is None or decision.state is not last.state:
        return True
    rule = decision.verdict.rule if decision.verdict is not None else ""
    return rule not in ("", last.verdict.rule if last.verdict is not None else "")


def _over(decision: Decision | None) -> bool:
    """Whether nothing moves any more and nothing will."""
    return decision is not None and (
        decision.positions is None or (decision.state in LATCHED and not any(decision.velocities))
    )


def main() -> int:
    make_output_nonblocking()
    return run("safety_filter", SafetyFilterNode, SafetyFilterNode.spin, SafetyFilterNode.end)


if __name__ == "__main__":
    raise SystemExit(main())
