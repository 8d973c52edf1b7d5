"""The rig on the running graph. What speaks ROS is `vla_ros.ros.rig_node`.

One thread runs at 100 Hz. It takes what has arrived and sends setpoints, joint states, heartbeats and obstacles. A case
alters them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vla_ros.bringup.process import private_domain
from vla_ros.lab.bench.load import cpu_load
from vla_ros.lab.faults.controller_log import ControllerLog, LogMark
from vla_ros.lab.faults.graphs import LOG, RAISE, SEED, TASK, processes
from vla_ros.lab.faults.process_faults import ProcessFaults
from vla_ros.lab.faults.reaction import ESTOP, NO_FILTER, ObservedReaction
from vla_ros.lab.faults.rig import AlterJointState, AlterSetpoint, CaseAborted
from vla_ros.lab.faults.rig_messages import RigJointState, RigSetpoint
from vla_ros.lab.faults.swing import LEAD_NS, PERIOD_S, swing
from vla_ros.ros import rig_node
from vla_ros.ros.rig_node import ReceivedStatus, RigNode, ServiceCall
from vla_ros.safety.command.enabling import PRESSED
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.scheduling import use_real_time_scheduling
from vla_ros.sim.arm_description import HOME, JOINT_NAMES
from vla_ros.time import NS_PER_S

CYCLE_NS = round(PERIOD_S * NS_PER_S)
HEARTBEAT_CYCLES = 3
STATUS_S = 0.04
"""Longest time between two statuses of the filter."""
REALTIME_PRIORITY = 15
"""Below the filter's and the simulated arm's: what the rig stands for runs on other machines."""
SERVICE_S = 10.0
"""So long a service may take to appear, and to answer."""
DIAGNOSTICS_S = 2.5
MUST_BE_ACTIVE = ("planner", "action_expert", "camera")


class GraphRig(ProcessFaults):
    """See `vla_ros.lab.faults.rig.FaultRig`.

    Args:
        graph, folder: as for `vla_ros.lab.faults.graphs.processes`.
        node: speaks ROS.
    """

    def __init__(self, graph: str, folder: Path, node: RigNode) -> None:
        super().__init__(processes(graph, folder), folder)
        self.graph = graph
        self.alter_setpoint: AlterSetpoint | None = None
        self.alter_joint_state: AlterJointState | None = None
        self.policy_active = self.camera_frozen = self.controller_silent = False
        self.controller_scaling = 1.0
        self.heartbeat_active = self.deadman_held = True
        self.enabling = PRESSED
        self.obstacles: Sequence[Obstacle] | None = ()
        self.joint_state = RigJointState(JOINT_NAMES, tuple(map(float, HOME)), (0.0,) * len(JOINT_NAMES))
        self.state = self.rule = ""
        self.speed = self.longest_stall_s = 0.0
        self._node = node
        self._log = ControllerLog(folder / LOG)
        self._raise_file = folder / RAISE
        self._observed = ObservedReaction()
        self._mark: LogMark | None = None
        self._marked_ns = self._status_ns = self._state_since_ns = self._swing_began_ns = 0
        self._late_ticks = self._late_before = 0
        self._seq = self._override_seq = self._cycles = 0
        self._diagnostics: dict[str, dict[str, str]] = {}
        self._override: AlterSetpoint | None = None
        self._override_began_ns = 0
        self._extra_setpoints = False
        self._controller_active = True
        self._cpu_load = contextlib.ExitStack()
        self._next_ns = time.monotonic_ns()

    def close(self) -> None:
        """End everything that was started."""
        self._cpu_load.close()
        super().close()

    # Observation

    def begin_case(self) -> ObservedReaction:
        self._observed = ObservedReaction()
        self._mark = None
        return self._observed

    def mark_fault(self) -> None:
        self._mark, self._late_before = self._log.mark(), self._late_ticks
        self._marked_ns = time.monotonic_ns()
        self._observed.states, self._observed.rules = [], []
        self._observed.add_status(self.state, "")
        self._observed.speed = self._mark.speed

    def record_answer(self, answer: str) -> None:
        self._observed.answers.append(answer)

    def observe(self) -> ObservedReaction:
        if self._mark is not None:
            self._log.observe(self._mark, self._observed)
            self._observed.late = max(0, self._late_ticks - self._late_before)
        self._observed.add_status(self.state, "")
        return self._observed

    def all_active(self) -> bool:
        messages = [self._diagnostics.get(name, {}).get("message", "not active") for name in MUST_BE_ACTIVE]
        return bool(self.state) and "not active" not in messages

    def clear_diagnostics(self) -> None:
        self._diagnostics.clear()

    def record_diagnostics(self, *keys: str) -> None:
        self._diagnostics.pop("safety_filter", None)
        self.run_for(DIAGNOSTICS_S, lambda: "safety_filter" in self._diagnostics)
        values = self._diagnostics.get("safety_filter", {})
        self.record_answer("; ".join(f"{key} {values.get(key, 'unknown')}" for key in keys))

    # The loop

    def run_for(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        end_ns = time.monotonic_ns() + round(seconds * NS_PER_S)
        while time.monotonic_ns() < end_ns:
            if until():
                return True
            self._cycle()
        return until()

    def _cycle(self) -> None:
        self._wait()
        self._cycles += 1
        self._receive()
        if self.graph == "whole":
            self._node.relay_images(self.camera_frozen)
        else:
            self._send()
        self.watch()

    def _wait(self) -> None:
        """Sleep until the next cycle; a late cycle counts as a stall and starts a new grid."""
        self._next_ns += CYCLE_NS
        now_ns = time.monotonic_ns()
        if now_ns < self._next_ns:
            time.sleep((self._next_ns - now_ns) / NS_PER_S)
        elif now_ns - self._next_ns > 2 * CYCLE_NS:
            self.longest_stall_s = max(self.longest_stall_s, (now_ns - self._next_ns) / NS_PER_S)
            self._next_ns = now_ns

    def _receive(self) -> None:
        for status in self._node.take_statuses():
            self.on_status(status)
        self._diagnostics.update(self._node.take_diagnostics())
        for state in self._node.take_joint_states():
            self.joint_state = RigJointState(state.names, state.positions, state.velocities, state.efforts)

    def on_status(self, status: ReceivedStatus) -> None:
        """Observe one status of the filter; one that comes after its end was still under way."""
        if self.state == NO_FILTER:
            return
        if self.state:  # otherwise no filter ran that could have sent one
            self.longest_stall_s = max(
                self.longest_stall_s, (status.receive_ns - self._status_ns) / NS_PER_S - STATUS_S
            )
        self._status_ns = status.receive_ns
        if status.state != self.state:
            self._state_since_ns = status.receive_ns
        self.state, self.rule, self.speed = status.state, status.rule, status.max_speed
        self._late_ticks = status.late_ticks
        self._observed.add_status(self.state, self.rule)

    def _send(self) -> None:
        elapsed_s = (time.monotonic_ns() - self._marked_ns) / NS_PER_S
        state = (
            self.joint_state if self.alter_joint_state is None else self.alter_joint_state(self.joint_state, elapsed_s)
        )
        if state is not None:
            self._node.publish_joint_state(state)
        self._node.relay_controller_states(self.controller_silent, self.controller_scaling)
        if self._cycles % HEARTBEAT_CYCLES == 0:
            self._send_periodic()
        if self.policy_active:
            correct = self._correct_setpoint()
            for setpoint in (correct,) if self.alter_setpoint is None else self.alter_setpoint(correct, elapsed_s):
                self._node.publish_setpoint(setpoint)
        for i in range(self._node.extra_publisher_count() if self._extra_setpoints else 0):
            self._node.publish_extra(i, self._correct_setpoint())
        if self._override is not None:
            self._send_override(self._override)

    def _send_override(self, alter: AlterSetpoint) -> None:
        self._override_seq += 1
        stamp_ns = self._correct_setpoint().stamp_ns - LEAD_NS
        base = RigSetpoint(self._override_seq, stamp_ns, JOINT_NAMES, self.joint_state.positions, "override")
        for setpoint in alter(base, (time.monotonic_ns() - self._override_began_ns) / NS_PER_S):
            self._node.publish_override(setpoint)

    def _correct_setpoint(self) -> RigSetpoint:
        """Return the setpoint of this cycle without a fault."""
        self._seq += 1
        elapsed_s = (self._next_ns + LEAD_NS - self._swing_began_ns) / NS_PER_S
        stamp_ns = self._next_ns + LEAD_NS + self._node.now_ns() - time.monotonic_ns()
        return RigSetpoint(self._seq, stamp_ns, JOINT_NAMES, swing(elapsed_s))

    def _send_periodic(self) -> None:
        self._node.publish_speed_scaling()
        if self.heartbeat_active:
            self._node.publish_heartbeat()
        if self.deadman_held:
            self._node.publish_deadman()
        self._node.publish_enabling(self.enabling)
        if self.obstacles is not None:
            self._node.publish_obstacles(self.obstacles)

    # What a case can do

    def start_swing(self) -> None:
        self._swing_began_ns = self._next_ns + LEAD_NS  # the motion begins where its first setpoint is due
        self.policy_active = True

    def reset_scene(self) -> None:
        answer = self._response(self._node.reset_scene(SEED, TASK))
        if not answer.success:
            raise CaseAborted(f"sim/reset_scene: {answer.message}")

    def send_instruction(self, text: str) -> None:
        self.run_for(30.0, self._node.instruction_has_listeners)
        self._node.publish_instruction(text)

    def call_filter(self, service: str) -> tuple[bool, str]:
        answer = self._response(self._node.trigger(service))
        self.record_answer(answer.message)
        return answer.success, answer.message

    def set_filter_parameter(self, name: str, value: float) -> None:
        call = self._node.set_filter_parameter(name, value)
        if not self.run_for(1.0, call.ready):
            self.record_answer("the filter offers no parameter services")
            return
        (result,) = self._response(call).results
        self.record_answer("accepted" if result.successful else result.reason)

    def _response(self, call: ServiceCall) -> Any:
        """Call a service while the graph goes on and return its response.

        Raises:
            CaseAborted: no node offers it, or it does not answer.
        """
        if not self.run_for(SERVICE_S, call.ready):
            raise CaseAborted(f"nobody offers {call.name}")
        call.send()
        if not self.run_for(SERVICE_S, call.done):
            raise CaseAborted(f"{call.name} does not answer")
        return call.response

    def set_estop(self, pressed: bool) -> None:
        self._node.publish_estop(pressed)

    def time_estop(self) -> float:
        if self.state in ESTOP:
            raise CaseAborted("the e-stop is pressed already")
        pressed_ns = time.monotonic_ns()
        self.set_estop(True)
        if not self.run_for(SERVICE_S, lambda: self.state in ESTOP):
            raise CaseAborted("the e-stop is not heard")
        return (self._state_since_ns - pressed_ns) / NS_PER_S

    def record_estops(self, latencies_s: Sequence[float]) -> None:
        self._observed.estops_s = list(latencies_s)
        p50, p99 = np.percentile(latencies_s, [50, 99]) * 1e3
        self.record_answer(f"e-stop brakes after {p50:.1f} ms (p50), {p99:.1f} ms (p99)")

    def set_speed_scale(self, value: float) -> None:
        self._node.publish_speed_scale(value)

    def set_override(self, alter: AlterSetpoint | None) -> None:
        self._override, self._override_began_ns = alter, time.monotonic_ns()

    def set_controller_active(self, active: bool) -> None:
        if active != self._controller_active:
            self._response(self._node.switch_controller(active))
            self._controller_active = active

    def set_extra_publishers(self, count: int, setpoints: bool) -> None:
        self._extra_setpoints = setpoints
        self._node.set_extra_publishers(count)

    def set_stranger(self, name: str) -> None:
        self._node.set_stranger(name)

    def count_publishers(self) -> int:
        return int(self._node.count_publishers())

    def send_burst(self, count: int) -> None:
        for k in range(count):
            correct = self._correct_setpoint()
            self._node.publish_setpoint(
                RigSetpoint(correct.seq, correct.stamp_ns + k, correct.names, correct.positions)
            )

    def set_cpu_load(self, processes: int) -> None:
        self._cpu_load.close()
        if processes:
            self._cpu_load.enter_context(cpu_load(processes))

    def raise_in_rule(self, rule: str) -> None:
        self._raise_file.write_text(rule)
        if self.state != NO_FILTER:
            self.send_signal("safety_filter", signal.SIGUSR1)

    def step_clock(self, seconds: float) -> None:
        self._node.step_clock(seconds)


@contextlib.contextmanager
def started(graph: str, folder: Path) -> Iterator[GraphRig]:
    """Start a graph on a ROS domain of its own; yield the rig; end both with the block."""
    os.environ.update(private_domain())
    with rig_node.opened(whole_graph=graph == "whole", simulated_clock=graph == "clock") as node:
        rig = GraphRig(graph, folder, node)
        try:
            use_real_time_scheduling(REALTIME_PRIORITY)
            yield rig
        finally:
            rig.close()
            _leave_real_time()


def _leave_real_time() -> None:
    """Return to normal scheduling: what this process does next, such as the oracle's check or other tests, can wait."""
    for thread in Path("/proc/self/task").glob("*"):
        with contextlib.suppress(OSError):  # the thread has ended
            os.sched_setscheduler(int(thread.name), os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
