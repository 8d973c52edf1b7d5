"""Bounds on the time to rest, computed from the parameters alone; docs/safety.md, "Time to rest"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vla_ros.bringup.node_parameters import CameraParameters
from vla_ros.control.action_expert_parameters import ActionExpertParameters
from vla_ros.control.chunk_player import FINISH_S
from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.lab.faults.stream import SWING, SWING_HZ
from vla_ros.safety.joint.jerk_limit import ticks_to_rest
from vla_ros.safety.joint.joint_limits import joint_limits, per_tick
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.controller import STOP_ACCELERATION, STOP_JERK
from vla_ros.sim.sim_arm_parameters import SimArmParameters

DISCOVERY_S = 0.3
"""Granted to the middleware for telling the filter of a new publisher; nothing in the parameters bounds it."""
LOOK_S = 0.1
"""The filter looks up who publishes ten times a second."""


@dataclass(frozen=True)
class Times:
    """All in s.

    stop: the stop policy from full speed, the slowest joint. arrival: until a message has passed into a tick and its answer
    into the controller's log. by_itself: the controller's own timeout and stop. silence, stale, obstacles, heartbeat,
    deadman: the filter's timeouts. plan: until a plan is void and the arm has been led to rest. frozen, unseen: until a
    camera counts as frozen, and until the planner misses it.
    """

    stop: float
    arrival: float
    by_itself: float
    silence: float
    stale: float
    obstacles: float
    heartbeat: float
    deadman: float
    plan: float
    frozen: float
    unseen: float
    delay: float

    @property
    def refused(self) -> float:
        """To rest when setpoints are refused or none come."""
        return self.arrival + self.silence + self.stop

    @property
    def at_once(self) -> float:
        """To rest from the tick that sees the fault."""
        return self.arrival + self.stop


def times(
    gate: SafetyFilterParameters,
    urdf: str,
    arm: SimArmParameters,
    planner: PlannerParameters,
    expert: ActionExpertParameters,
    camera: CameraParameters,
) -> Times:
    """Read them off the parameters of the graph."""
    limits = [per_tick(joint, gate.period_s) for joint in joint_limits(urdf, gate)]
    stop = gate.period_s * max(ticks_to_rest(joint.velocity, joint.acceleration, joint.jerk) for joint in limits)
    speed = np.array([joint.velocity for joint in joint_limits(urdf, gate)])
    # The controller builds its brake up, holds it and releases it; a brake or a push at the start costs another build-up.
    by_itself = float((speed / STOP_ACCELERATION + 4.0 * STOP_ACCELERATION / STOP_JERK).max())
    return Times(
        stop=stop,
        # Into the next tick of the filter, of the controller, and the controller's log; joint states are relayed once more.
        arrival=3 * gate.period_s + gate.command.period_s,
        by_itself=arm.command_timeout_s + 2 * gate.period_s + by_itself,
        silence=gate.command.timeout_s,
        stale=gate.measured.timeout_s,
        obstacles=gate.obstacle.timeout_s,
        heartbeat=gate.estop.heartbeat_s,
        deadman=gate.deadman.timeout_s,
        plan=planner.valid_for_s + expert.chunk_period_s + FINISH_S,
        frozen=(camera.frozen_images + 1) / arm.camera_rate_hz + 1.0 / planner.rate_hz if arm.camera_rate_hz else 0.0,
        unseen=planner.frames_timeout_s + 1.0 / planner.rate_hz,
        delay=gate.command.delay_s,
    )


def swing_until(distance: float, joint: str) -> float:
    """Time in s until the swing, from its middle on, has moved a joint by so much (rad); its quarter bounds it."""
    return float(np.arcsin(min(1.0, distance / SWING[joint])) / (2.0 * np.pi * SWING_HZ))
