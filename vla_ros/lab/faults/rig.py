"""What a case can do to the running graph. `vla_ros.lab.faults.graph_rig` does it over ROS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from vla_ros.lab.faults.reaction import ObservedReaction
from vla_ros.lab.faults.rig_messages import RigJointState, RigSetpoint
from vla_ros.safety.geometry.obstacle_shape import Obstacle

AlterSetpoint = Callable[[RigSetpoint, float], Sequence[RigSetpoint]]
"""(correct setpoint, s since the fault) → what is sent instead."""
AlterJointState = Callable[[RigJointState, float], RigJointState | None]
"""(correct joint state, s since the fault) → what is sent instead; None: nothing."""


class CaseAborted(RuntimeError):
    """The case could not be carried out; the text says why."""


class FaultRig(Protocol):
    """The rig plays the policy, the arm's driver, the operator with buttons, and the operating system.

    Attributes:
        graph: which graph runs. lines: what its processes have printed.
        alter_setpoint, alter_joint_state: change what is sent; None: nothing is changed.
        controller_silent: the state of the arm's controller is not relayed. controller_scaling: speed that it tells.
        policy_active: setpoints are sent. heartbeat_active, deadman_held: the e-stop's heartbeat and the dead-man switch
            are sent. enabling: position of the enabling device. obstacles: what the feed sends; None: the feed is silent.
            camera_frozen: the front camera repeats one image.
        joint_state: the newest state of the arm.
        state, rule, speed: of the filter's newest status; the speed is that of the fastest joint, rad/s or m/s. state
            "-": no filter runs; empty: no status has arrived yet.
        longest_stall_s: longest time that the rig or the filter did not run.
    """

    graph: str
    lines: list[str]
    alter_setpoint: AlterSetpoint | None
    alter_joint_state: AlterJointState | None
    controller_silent: bool
    controller_scaling: float
    policy_active: bool
    heartbeat_active: bool
    deadman_held: bool
    enabling: int
    obstacles: Sequence[Obstacle] | None
    camera_frozen: bool
    joint_state: RigJointState
    state: str
    rule: str
    speed: float
    longest_stall_s: float

    def begin_case(self) -> ObservedReaction:
        """Start a new observation and return it."""

    def mark_fault(self) -> None:
        """The fault begins now; the arm's speed is observed at this moment."""

    def observe(self) -> ObservedReaction:
        """Return what was observed since the mark, with what the arm's controller did."""

    def run_for(self, seconds: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Let the graph run for `seconds`, or until `until` returns True. Return whether it does."""

    def reset_scene(self) -> None:
        """Put the arm where it starts; the filter is disarmed."""

    def start_swing(self) -> None:
        """The policy begins its motion."""

    def all_active(self) -> bool:
        """Whether all nodes of the whole graph report in their diagnostics that they are active."""

    def clear_diagnostics(self) -> None:
        """Forget the diagnostics that have arrived."""

    def send_instruction(self, text: str) -> None:
        """Send an instruction as soon as planner and action_expert subscribe to it."""

    def call_filter(self, service: str) -> tuple[bool, str]:
        """Call the filter's service vla/`service` and record the answer: (success, message)."""

    def set_estop(self, pressed: bool) -> None:
        """Press or release the e-stop button on vla/estop."""

    def set_speed_scale(self, value: float) -> None:
        """Ask for another speed scale."""

    def set_override(self, alter: AlterSetpoint | None) -> None:
        """An operator's device begins to send setpoints; None: it ends."""

    def set_controller_active(self, active: bool) -> None:
        """Switch the arm's controller off, or on again."""

    def set_extra_publishers(self, count: int, setpoints: bool) -> None:
        """Add `count` nodes on the policy's topic, with or without setpoints; 0: remove them."""

    def set_stranger(self, name: str) -> None:
        """A node moves the arm past the filter, by a topic or an action (`name`) of its controller; empty: it ends."""

    def count_publishers(self) -> int:
        """Return how many publishers of the policy's topic are known."""

    def set_flood(self, processes: int) -> None:
        """Let so many processes flood the policy's topic; 0: end them."""

    def set_input_flood(self, kind: str) -> None:
        """Let a process flood an input of the filter, as `vla_ros.ros.input_flood` knows it, and wait until it does so;
        empty: end it."""

    def time_estop(self) -> float:
        """Press the e-stop button; return the time until the status that says that the filter brakes, s."""

    def record_estops(self, latencies_s: Sequence[float]) -> None:
        """Record what `time_estop` has returned, for the comparison with what is expected."""

    def send_burst(self, count: int) -> None:
        """Send so many setpoints at once."""

    def set_cpu_load(self, processes: int) -> None:
        """Let so many processes compute; 0: end them."""

    def set_filter_parameter(self, name: str, value: float) -> None:
        """Try to change a parameter of the filter and record the answer."""

    def kill(self, name: str) -> None:
        """Kill a process with SIGKILL."""

    def restart(self, name: str) -> None:
        """Start a killed process again and wait for its first message."""

    def restart_with(self, name: str, parameters: dict[str, object]) -> None:
        """End a process and start it again with its parameters, but for these."""

    def pause(self, name: str, seconds: float) -> None:
        """Stop a process with SIGSTOP and continue it with SIGCONT after `seconds`."""

    def raise_in_rule(self, rule: str) -> None:
        """The code of a rule raises from now on; empty: no rule raises."""

    def step_clock(self, seconds: float) -> None:
        """Step the simulated clock."""

    def block_log_writes(self, blocked: bool) -> None:
        """Writes of the audit log fail, or succeed again."""

    def remove_audit_log(self) -> None:
        """Move the folder of the audit log away."""

    def replay_audit_log(self) -> None:
        """Wait for the file with which the audit log continues, replay it, and record the result."""

    def record_diagnostics(self, *keys: str) -> None:
        """Record values of the filter's next diagnostics."""

    def start_filter(self, parameters: dict[str, object], edit_urdf: Callable[[str], str] | None = None) -> None:
        """Start a filter with changed parameters or another URDF; record the one line with which it refuses."""
