"""safety_monitor: the second channel of the safety filter. A thin shell around `vla_ros.oracle.live`.

It judges what is sent to the arm's controllers and what the arm measures, by code that the filter does not use. It reports in
vla/safety_monitor, which the filter wants to hear, and presses vla/estop when something is broken.
"""

from __future__ import annotations

import os
import sys
import time

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger
from visualization_msgs.msg import MarkerArray

from vla_ros.msg import SafetyMonitorReport
from vla_ros.oracle.live import LiveJudge
from vla_ros.oracle.live.obstacle_bodies import obstacle_body
from vla_ros.ros.bounded_input import BoundedInput, longest_marker_array
from vla_ros.ros.diagnostics import ERROR, OK, WARN, Diagnostics
from vla_ros.ros.markers import obstacles_from
from vla_ros.ros.node import run
from vla_ros.ros.parameter_declaration import declare_parameters
from vla_ros.ros.polling import PacedLoop, polled, received_ns
from vla_ros.ros.qos import EVENTS, NEWEST
from vla_ros.ros.robot_description import wait_for_urdf
from vla_ros.ros.senders import Received, take_serialized
from vla_ros.ros.sent_messages import SentTopic, sent_message, sent_topics
from vla_ros.ros.stamps import nanoseconds, time_message
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.time import NS_PER_S, Window

HEARD = QoSProfile(depth=200, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Every message of some turns; it does not make the sender wait."""
LONGEST_SENT = 65_536
"""Bytes of a message to a controller; the way to rest of eight joints takes 5000."""
UNCOUNTED_ORDER = 1 << 48
"""`Received.order` beyond this is a time, not a count."""
REPORT_NS = 100_000_000
"""Time between two reports, when nothing is broken."""
HOLD_NS = 500_000_000
"""What is broken is reported for so long, and the stop is pressed as often."""


class SafetyMonitorNode(Node):
    """See docs/safety.md, "second channel"."""

    def __init__(self) -> None:
        # A request of any length is decoded before its services see it, and meanwhile nothing is judged.
        without = Parameter("start_type_description_service", value=False)
        super().__init__("safety_monitor", start_parameter_services=False, parameter_overrides=[without])
        self.parameters = p = declare_parameters(self, SafetyFilterParameters)
        urdf = wait_for_urdf(self, p.urdf)
        topics = sent_topics(p)
        self.judge = LiveJudge(
            urdf, p, {each.topic: each.joints for each in topics}, p.safety_monitor.measured_tolerance_m
        )
        self._sent = [(topic, polled(self, topic.kind, topic.topic, HEARD)) for topic in topics]
        self._senders: dict[str, str] = {}
        self._joint_states = BoundedInput(self, JointState, "joint_states", HEARD)
        longest = longest_marker_array(p.obstacle.maximum)
        self._obstacles = (
            BoundedInput(self, MarkerArray, "vla/obstacles", NEWEST, longest) if p.obstacle.timeout_s else None
        )
        self._estop = self.create_client(Trigger, "vla/estop")
        self._reports = self.create_publisher(SafetyMonitorReport, "vla/safety_monitor", EVENTS)
        self._diagnostics = Diagnostics(self, self._report, period_s=0)
        self._loop = PacedLoop(self.context, round(NS_PER_S / p.safety_monitor.rate_hz))
        self._busy_s = Window(500)
        self._violation, self._broken_ns, self._pressed_ns, self._reported_ns = "", 0, 0, 0
        self._presses = 0

    def spin(self) -> None:
        """Judge until shutdown."""
        executor = SingleThreadedExecutor(context=self.context)
        executor.add_node(self)
        turns_per_s = round(self.parameters.safety_monitor.rate_hz)
        for turn in self._loop:
            if self._loop.ticks % max(1, turns_per_s // 10) == 0 or self.get_parameter("use_sim_time").value:
                executor.spin_once(timeout_sec=0)
            self._turn()
            if self._loop.ticks % turns_per_s == 0:
                self._diagnostics.publish()
            self._busy_s.add((time.monotonic_ns() - turn.started_ns) / NS_PER_S)

    def _turn(self) -> None:
        """Read all that has arrived, judge, report, and press."""
        began_ns, ros_ns = time.monotonic_ns(), self.get_clock().now().nanoseconds
        fault = self._receive(ros_ns)
        fault = fault or self.judge.judge(began_ns, ros_ns)
        if fault and began_ns - self._broken_ns > HOLD_NS:
            self._violation = fault
            self.get_logger().error(f"{fault}: pressing the e-stop")
        if fault:
            self._broken_ns = began_ns
            if began_ns - self._pressed_ns > HOLD_NS:
                self._press(began_ns)
        elif self._violation and began_ns - self._broken_ns > HOLD_NS:
            self._violation = ""
        if began_ns - self._reported_ns >= REPORT_NS or (fault and self._broken_ns == self._pressed_ns):
            self._publish(began_ns, ros_ns)

    def _receive(self, ros_ns: int) -> str:
        """Hand over all that has arrived; return what cannot be read of what is sent, which is a fault by itself."""
        now_ns, system_ns = time.monotonic_ns(), time.time_ns()
        fault = ""
        for message, received in self._joint_states.take():
            if message is not None:
                receive_ns = received_ns(received.received_ns, now_ns, system_ns, self._joint_states.since_ns)
                stamp_ns = nanoseconds(message.header.stamp) or receive_ns
                self.judge.measured(receive_ns, stamp_ns, message.name, message.position.tolist())
        for topic, sent in self._sent:
            for received in take_serialized(sent, HEARD.depth, LONGEST_SENT):
                fault = self._take_sent(topic, received, ros_ns - system_ns) or fault
        for message, _ in self._obstacles.take() if self._obstacles is not None else ():
            obstacles = [] if message is None else obstacles_from(message, ros_ns)
            # The filter stops for a list that it refuses.
            if message is not None and not any(each.fault() for each in obstacles):
                self.judge.obstacles(now_ns, {each.id: obstacle_body(each) for each in obstacles})
        return fault

    def _take_sent(self, topic: SentTopic, received: Received, ahead_ns: int) -> str:
        """Judge a message to a controller; the count of another publisher says nothing."""
        known, self._senders[topic.topic] = self._senders.get(topic.topic), received.gid
        number = received.order if received.gid == known and received.order < UNCOUNTED_ORDER else 0
        try:
            if received.data is None:
                raise ValueError(f"it has {received.size} bytes")
            sent_ns = received.source_ns + ahead_ns
            self.judge.sent(topic.topic, sent_message(received.data, topic.kind, number, sent_ns, topic.joints))
        except ValueError as error:
            return f"{topic.topic}: a message that is sent cannot be read: {error}"
        return ""

    def _press(self, now_ns: int) -> None:
        self._pressed_ns = now_ns
        self._presses += 1
        if self._estop.service_is_ready():
            self._estop.call_async(Trigger.Request())

    def _publish(self, now_ns: int, ros_ns: int) -> None:
        self._reported_ns = now_ns
        report = SafetyMonitorReport(
            violation=self._violation,
            hears_sent=self.judge.hears_sent(ros_ns),
            hears_measured=self.judge.hears_measured(now_ns),
            limits=self.judge.limits,
        )
        report.header.stamp = time_message(ros_ns)
        self._reports.publish(report)

    def _report(self) -> tuple[bytes, str, dict[str, object]]:
        """Return level, message and values for /diagnostics."""
        now_ns, ros_ns, busy = time.monotonic_ns(), self.get_clock().now().nanoseconds, self._busy_s.summary()
        values: dict[str, object] = {
            "hears_sent": self.judge.hears_sent(ros_ns),
            "hears_measured": self.judge.hears_measured(now_ns),
            "presses": self._presses,
            "turns_skipped": self._loop.skipped,
            "turn_s_p50": busy.p50,
            "turn_s_p99": busy.p99,
            "not_judged": "; ".join(self.judge.notes),
        }
        if self._violation:
            return ERROR, self._violation, values
        if not values["hears_measured"]:
            return WARN, "not every joint is heard on joint_states", values
        return OK, "nothing is broken", values


def main() -> None:
    os.nice(1)
    sys.exit(run("safety_monitor", SafetyMonitorNode, SafetyMonitorNode.spin))


if __name__ == "__main__":
    main()
