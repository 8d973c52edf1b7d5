"""What the safety filter publishes to the arm controller, and when it is too late to publish it."""

from __future__ import annotations

import array
import time
from collections.abc import Callable, Sequence

from rclpy.node import Node
from rclpy.publisher import Publisher
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from vla_ros.ros.discovery import unread
from vla_ros.ros.qos import NEWEST, TRAJECTORIES
from vla_ros.ros.ros_clock import RosClock
from vla_ros.ros.trajectory_bytes import TrajectoryBytes
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.command.controller_clock import clock_objection
from vla_ros.safety.controller_parameters import outputs_of
from vla_ros.safety.decision import Decision
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.joint.joint_limits import per_tick
from vla_ros.safety.trajectory import TrajectoryStream
from vla_ros.time import NS_PER_S


class ControllerOutput:
    """Publishes decisions in the form that the controllers want.

    stop_steps: ticks for which the stop policy's step counts, because they came too late or not at all. resets: how often the
    clock was set while the arm was led.

    Args:
        node: that publishes.
        safety_filter: whose decisions they are; it is told what could not be sent.
        clock: of the node.
    """

    def __init__(self, node: Node, safety_filter: SafetyFilter | Recorder, clock: RosClock) -> None:
        parameters = safety_filter.parameters
        controller = parameters.controller
        names = parameters.joint_names
        self._filter, self._clock = safety_filter, clock
        self._period_ns = round(parameters.period_s * NS_PER_S)
        self.stop_steps = self.resets = 0
        self._stream: TrajectoryStream | None = None
        self._arrays: list[Callable[[Sequence[float]], None]] = []
        self._led: list[int] = []
        self._node, self._publishers = node, list[Publisher]()
        self._trajectories: list[tuple[TrajectoryBytes, Publisher]] = []
        if controller.stamped:
            limits = [per_tick(joint, parameters.period_s) for joint in safety_filter.limits]
            self._stream = TrajectoryStream(controller, limits, self._period_ns, clock.step_ns)
        for output in outputs_of(controller, names):
            if output.type == "joint_trajectory":
                to_bytes = TrajectoryBytes([names[i] for i in output.joints], output.joints)
                publisher = node.create_publisher(JointTrajectory, output.name, TRAJECTORIES)
                self._trajectories.append((to_bytes, publisher))
                self._led += output.joints
                self._publishers.append(publisher)
            elif output.type == "forward_position":
                publisher = node.create_publisher(Float64MultiArray, output.name, NEWEST)
                self._arrays.append(array_sender(publisher, output.joints))
                self._publishers.append(publisher)

    def unread(self) -> str:
        """Return a line about an output that no controller reads; empty: there is none."""
        return next(filter(None, (unread(self._node, publisher) for publisher in self._publishers)), "")

    def clock_objection(self) -> str:
        """Return why the controllers' clock is not this one; empty: it is, or no trajectory is sent."""
        if self._stream is None or self._clock.simulated:
            return ""
        measured = self._filter.values.measured
        return clock_objection(self._filter.parameters, self._led, measured, self._clock.ahead_ns())

    def miss(self, deadline_ns: int, skipped: int) -> None:
        """Before the tick at `deadline_ns` so many ticks did not come: the controller went on by the newest message."""
        if self._stream is None or not skipped:
            return
        rows = self._filter.miss(deadline_ns - self._period_ns, skipped)
        self._stream.missed(rows, skipped)
        self.stop_steps += len(rows)

    def check_clock(self, deadline_ns: int) -> None:
        """Before the tick at `deadline_ns`: notice that the clock has been set."""
        if self._stream is not None and self._stream.clock_was_set(deadline_ns + self._clock.ahead_ns()):
            self._filter.clock_was_set()
            self.resets += 1

    def publish(self, decision: Decision, deadline_ns: int) -> None:
        """Send the decision of the tick at `deadline_ns`, monotonic clock."""
        positions = decision.positions
        if self._stream is not None:
            positions = self._publish_trajectory(self._stream, decision, deadline_ns)
        if positions is not None:
            for send in self._arrays:
                send(positions)

    def _publish_trajectory(
        self, stream: TrajectoryStream, decision: Decision, deadline_ns: int
    ) -> tuple[float, ...] | None:
        """Publish the trajectory of a tick; return the positions that then stand, for those who get arrays."""
        entering = self._filter.values.entry_ticks
        # A stream goes on on its own grid: only what begins one asks the clock.
        begins = decision.positions is not None and (entering or not stream.streaming)
        ros_ns = deadline_ns + self._clock.ahead_ns() if begins else deadline_ns
        trajectory = stream.tick(decision.positions, entering, ros_ns)
        if trajectory is None:
            return decision.positions
        messages = [to_bytes(trajectory) for to_bytes, _ in self._trajectories]
        # The last moment before it is sent: what comes too late would bend a path that is executed already.
        if stream.streaming and time.monotonic_ns() - deadline_ns > stream.lateness_ns:
            positions = self._filter.retract()
            if positions is not None:
                stream.retract(positions)
            self.stop_steps += 1
            return positions
        for (_, publisher), message in zip(self._trajectories, messages, strict=True):
            publisher.publish(message)
        return decision.positions


def array_sender(publisher: Publisher, joints: Sequence[int]) -> Callable[[Sequence[float]], None]:
    """Return what publishes the positions of `joints` as an array."""
    return lambda positions: publisher.publish(Float64MultiArray(data=array.array("d", [positions[i] for i in joints])))
