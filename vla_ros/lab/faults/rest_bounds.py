"""Upper bounds of the time to rest, computed from the parameters alone; docs/safety.md, "Time to rest"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vla_ros.bringup.node_parameters import CameraParameters
from vla_ros.control.action_expert_parameters import ActionExpertParameters
from vla_ros.control.chunk_player import FINISH_S
from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.lab.faults.swing import AMPLITUDES, SWING_HZ
from vla_ros.safety.joint.jerk_limit import ticks_to_rest
from vla_ros.safety.joint.joint_limits import joint_limits, per_tick
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.sim_arm_parameters import SimArmParameters

DISCOVERY_S = 0.3
"""Allowed to the middleware for discovering a new publisher; no parameter bounds it."""
PUBLISHER_CHECK_S = 0.1
"""The filter looks up the publishers of its topics ten times a second."""


@dataclass(frozen=True)
class RestBounds:
    """Times, all in s.

    Args:
        stop: the stop policy from full speed, for the slowest joint.
        arrival: until a message has entered a tick and its answer the controller's log.
        by_message: by the newest message alone, when no other follows.
        command_timeout, joint_state_timeout, obstacle_timeout, heartbeat_timeout, deadman_timeout,
            controller_state_timeout: of the filter.
        plan: until a plan is no longer valid and the arm has been led to rest.
        camera_frozen: until a camera counts as frozen.
        camera_missing: until the planner misses the camera's frames.
        playback_delay: the filter plays setpoints back so much later.
    """

    stop: float
    arrival: float
    by_message: float
    command_timeout: float
    joint_state_timeout: float
    obstacle_timeout: float
    heartbeat_timeout: float
    deadman_timeout: float
    controller_state_timeout: float
    plan: float
    camera_frozen: float
    camera_missing: float
    playback_delay: float

    @property
    def without_setpoints(self) -> float:
        """To rest when setpoints are refused or none come."""
        return self.arrival + self.command_timeout + self.stop

    @property
    def at_once(self) -> float:
        """To rest from the tick that detects the fault."""
        return self.arrival + self.stop


def rest_bounds(
    gate: SafetyFilterParameters,
    urdf: str,
    arm: SimArmParameters,
    planner: PlannerParameters,
    expert: ActionExpertParameters,
    camera: CameraParameters,
) -> RestBounds:
    """Compute the bounds from the parameters of the graph's nodes."""
    limits = [per_tick(joint, gate.period_s) for joint in joint_limits(urdf, gate)]
    stop = gate.period_s * max(ticks_to_rest(joint.velocity, joint.acceleration, joint.jerk) for joint in limits)
    # What is sent is executed so much later; two knots later the spline is at its last control point.
    horizon = gate.controller.horizon_s + 2 * gate.period_s if gate.controller.stamped else 0.0
    return RestBounds(
        stop=stop,
        # Into the next tick of the filter, of the controller, and the controller's log; joint states are relayed once more.
        arrival=3 * gate.period_s + gate.command.period_s + horizon,
        by_message=stop + horizon + 2 * gate.period_s,
        command_timeout=gate.command.timeout_s,
        joint_state_timeout=gate.measured.timeout_s,
        obstacle_timeout=gate.obstacle.timeout_s,
        heartbeat_timeout=gate.estop.heartbeat_s,
        deadman_timeout=gate.deadman.timeout_s,
        controller_state_timeout=gate.controller.state_timeout_s,
        plan=planner.valid_for_s + expert.chunk_period_s + FINISH_S,
        camera_frozen=(camera.frozen_images + 1) / arm.camera_rate_hz + 1.0 / planner.rate_hz
        if arm.camera_rate_hz
        else 0.0,
        camera_missing=planner.frames_timeout_s + 1.0 / planner.rate_hz,
        playback_delay=gate.command.delay_s + expert.lead_s,
    )


def swing_time(distance: float, joint: str) -> float:
    """Return the time, s, in which the swing moves a joint by `distance`, rad, from its middle; at most a quarter period."""
    return float(np.arcsin(min(1.0, distance / AMPLITUDES[joint])) / (2.0 * np.pi * SWING_HZ))
