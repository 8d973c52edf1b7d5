"""The safety filter leads a simulated arm, in one process and on one clock: what its node and sim_arm do with a decision."""

from __future__ import annotations

from vla_ros.safety.decision import Decision
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.joint.joint_limits import per_tick
from vla_ros.safety.trajectory import TrajectoryStream
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.trajectory_controller import command_of
from vla_ros.time import NS_PER_S

EPOCH_NS = 1_000 * NS_PER_S
"""ROS time at which the filter's time is 0: a stamp of 0 would mean something else."""


class FilteredMotion:
    """Args: safety: whose decisions are followed. simulation: the arm; its controller is a `jtc` if trajectories are sent."""

    def __init__(self, safety: SafetyFilter, simulation: Simulation) -> None:
        self._safety, self._simulation = safety, simulation
        parameters = safety.parameters
        self._stream: TrajectoryStream | None = None
        if parameters.controller.stamped:
            limits = [per_tick(joint, parameters.period_s) for joint in safety.limits]
            period_ns = round(parameters.period_s * NS_PER_S)
            self._stream = TrajectoryStream(parameters.controller, limits, period_ns)

    def tick(self, decision: Decision, now_ns: int) -> None:
        """Send the decision of the filter's tick at `now_ns`, and let the arm go on for one tick."""
        controller, ros_ns = self._simulation.controller, now_ns + EPOCH_NS
        if self._stream is not None:
            sent = self._stream.tick(decision.positions, self._safety.values.entry_ticks, ros_ns)
            if sent is not None:
                points = sent.positions, sent.velocities, sent.accelerations
                command = command_of(sent.stamp_ns, sent.times_ns.tolist(), *points)
                controller.command_trajectory(command, self._safety.parameters.joint_names, ros_ns)
        elif decision.positions is not None:
            controller.command(decision.positions, self._safety.parameters.joint_names)
        self._simulation.tick(ros_ns)
