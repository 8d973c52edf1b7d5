"""safety_filter: the only publisher to the arm controller. A thin shell around `vla_ros.safety.filter`.

It runs a loop of its own at the filter's rate, polls what has arrived, asks the filter, publishes. Nothing that
arrives, and nothing that does not, changes when it ticks.
"""

from __future__ import annotations

import dataclasses
import gc
import time
import traceback
from pathlib import Path
from types import TracebackType

import yaml
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_msgs.msg import Bool, String
from visualization_msgs.msg import MarkerArray

from vla_ros.msg import SafetyStatus
from vla_ros.ros.arm_controllers import ArmControllers
from vla_ros.ros.controller_output import ControllerOutput
from vla_ros.ros.diagnostics import Diagnostics
from vla_ros.ros.filter_inputs import FilterInputs
from vla_ros.ros.filter_report import FilterReport
from vla_ros.ros.filter_services import FilterServices
from vla_ros.ros.markers import SafetyMarkers, root_link
from vla_ros.ros.node import run
from vla_ros.ros.parameter_declaration import declare_parameters
from vla_ros.ros.polling import PacedLoop
from vla_ros.ros.qos import EVENTS, NEWEST
from vla_ros.ros.qos import LATCHED as FOR_LATE_READERS
from vla_ros.ros.robot_description import wait_for_urdf
from vla_ros.ros.ros_clock import RosClock
from vla_ros.ros.safety_status import StatusBytes
from vla_ros.safety.audit.log import AuditLog
from vla_ros.safety.audit.recorder import Recorder
from vla_ros.safety.decision import Decision
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.states import AT_REST, LATCHED
from vla_ros.scheduling import make_output_nonblocking, use_real_time_scheduling
from vla_ros.time import NS_PER_S

STATUS_HZ = 25
SLOW_HZ = 10
"""How often it is looked up who publishes on a topic, and what is around the arm is drawn."""
LOOK_UPS = 2
"""Topics that are looked up in one tick."""
EXECUTOR_S = 2
"""So often the executor is let in: what is not polled are warnings of publishers whose QoS does not fit."""
REALTIME_PRIORITY = 20
MOST_GARBAGE = 200_000
"""Python's garbage is collected at rest, or when there are so many objects that waiting for it would take the memory; nothing
here makes cycles on purpose."""


class SafetyFilterNode(Node):
    """See docs/safety.md and docs/architecture.md."""

    def __init__(self) -> None:
        # A request of any length is decoded before its services see it, and meanwhile nothing brakes.
        without = Parameter("start_type_description_service", value=False)
        super().__init__("safety_filter", start_parameter_services=False, parameter_overrides=[without])
        self.parameters = declare_parameters(self, SafetyFilterParameters)
        urdf = wait_for_urdf(self, self.parameters.urdf)
        self.filter, self._log = self._logged(SafetyFilter.from_urdf(self.parameters, urdf), urdf)
        self._ros_clock = RosClock(self)
        self._inputs = FilterInputs(self, self.filter, self._ros_clock)
        self._output = ControllerOutput(self, self.filter, self._ros_clock)
        self._triggers = FilterServices(self, self.filter, self._output)
        self._controllers = ArmControllers(self, self.filter)
        self._home = self.create_publisher(Bool, "vla/safe_home", EVENTS) if self.parameters.home.position else None
        self._markers = self.create_publisher(MarkerArray, "vla/safety_markers", NEWEST)
        self._drawing = SafetyMarkers(self.parameters, root_link(urdf))
        self._status = self.create_publisher(SafetyStatus, "vla/safety_status", EVENTS)
        self._status_bytes = StatusBytes(self.filter)
        self._shown = self.create_publisher(String, "vla/safety_parameters", FOR_LATE_READERS)
        self._shown.publish(String(data=yaml.safe_dump(dataclasses.asdict(self.parameters), sort_keys=False)))
        self._loop = PacedLoop(self.context, round(self.parameters.period_s * NS_PER_S))
        self._report = FilterReport(
            self, self.filter, self._log, self._loop, self._output, self._inputs, self._controllers
        )
        self._diagnostics = Diagnostics(self, self._report, period_s=0)
        look_ups = [*self._inputs.look_ups(), *self._controllers.look_ups()]
        self._look_ups = [look_ups[i : i + LOOK_UPS] for i in range(0, len(look_ups), LOOK_UPS)]
        self._decision: Decision | None = None
        self._ending, self._ended_ticks = False, 0

    def destroy_node(self) -> None:
        """End the line of the e-stop too."""
        self._inputs.close()
        super().destroy_node()

    def spin(self) -> None:
        """Tick until shutdown."""
        executor = SingleThreadedExecutor(context=self.context)
        executor.add_node(self)
        self._report.scheduling = use_real_time_scheduling(REALTIME_PRIORITY, self.parameters.cpu)
        gc.collect()
        gc.freeze()
        gc.disable()
        ending_ticks = self.filter.rest_ticks  # as long as it may take to bring the arm to rest
        guarded = Guarded(self)
        for tick in self._loop:
            cpu_ns = time.thread_time_ns()
            self._report.rate.tick(tick.started_ns)
            decision = None
            with guarded:
                self._output.miss(tick.deadline_ns, tick.skipped)
                self._output.check_clock(tick.deadline_ns)
            with guarded:
                if self._ending and not self._ended_ticks:
                    self.filter.disarm()
                self._receive()
            with guarded:
                decision = self.filter.tick(tick.deadline_ns)
                self._output.publish(decision, tick.deadline_ns)
                if decision.positions is not None:
                    self._controllers.send(decision.positions, tick.deadline_ns)
                    self._note_sent(tick.started_ns)
            self._inputs.accepted_ns.clear()
            with guarded:
                self._tell(decision, tick.deadline_ns, executor)
            self._report.busy_s.add((time.monotonic_ns() - tick.started_ns) / NS_PER_S)
            self._report.cpu_s.add((time.thread_time_ns() - cpu_ns) / NS_PER_S)
            self._ended_ticks += self._ending
            if self._ending and (self._ended_ticks > ending_ticks or _over(decision)):
                break

        self._inputs.close()
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
        if self._ros_clock.simulated or count % (EXECUTOR_S * ticks_per_s) == 1:
            executor.spin_once(timeout_sec=0)
        for look_ups in self._look_ups[count % slow_ticks :: slow_ticks]:
            for look_up in look_ups:
                look_up()
        if count % slow_ticks == slow_ticks - 1:
            self._draw()
        for prepare in self._report.preparations[(count - 1) % ticks_per_s :: ticks_per_s]:
            prepare()
        if count % ticks_per_s == ticks_per_s // 2 + 1:
            self._diagnostics.publish()
            if (decision is not None and decision.state in AT_REST) or gc.get_count()[0] > MOST_GARBAGE:
                gc.collect()

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
        self._inputs.receive_stops()
        self._triggers.serve()
        self._inputs.receive()
        self._controllers.receive()

    def _draw(self) -> None:
        if self._markers.get_subscription_count():
            nearest = self.filter.nearest()
            what = "" if nearest is None else self.filter.describe(nearest)
            ros_ns = self.get_clock().now().nanoseconds
            doing = self.filter.state.name
            if self._decision is not None and self._decision.verdict is not None:
                doing += f": {self._decision.verdict.reason}"
            self._markers.publish(self._drawing.message(ros_ns, self.filter.active_obstacles(), nearest, what, doing))

    def _note_sent(self, started_ns: int) -> None:
        sent_ns = time.monotonic_ns()
        self._report.sent_s.add((sent_ns - started_ns) / NS_PER_S)
        for receive_ns in self._inputs.accepted_ns:
            self._report.hops_s.add((sent_ns - receive_ns) / NS_PER_S)

    def _publish_status(self, decision: Decision, now_ns: int) -> None:
        ros_ns = self.get_clock().now().nanoseconds
        frame_ns = self._inputs.frame_stamps_ns.get(decision.source, 0)
        audit_hash = self._log.hash if self._log is not None else b""
        self._status.publish(self._status_bytes(decision, now_ns, ros_ns, frame_ns, self._loop.late, audit_hash))
        if self._home is not None:
            self._home.publish(Bool(data=self.filter.at_home()))


class Guarded:
    """Whatever fails in a tick latches a stop, and the next tick goes on braking: who dies in motion brakes nothing.

    Args:
        node: whose filter it stops.
    """

    def __init__(self, node: SafetyFilterNode) -> None:
        self._node = node
        self._failure = ""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, raised_at: TracebackType | None) -> bool:
        if not isinstance(error, Exception) or not self._node.context.ok():  # rclpy tells so that it is to end
            return False
        place = traceback.extract_tb(raised_at)[-1]
        reason = f"{Path(place.filename).name}:{place.lineno} raised {type(error).__name__}: {error}"
        self._node.filter.fault(reason)
        if reason != self._failure:
            self._node.get_logger().error(f"{reason}: protective stop")
        self._failure = reason
        return True


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
