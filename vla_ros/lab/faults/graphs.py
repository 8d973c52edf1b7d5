"""The graphs that the campaign runs on, and the parameters that they have in common."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

from vla_ros.bringup.graph import bringup
from vla_ros.bringup.node_parameters import PARAMETERS
from vla_ros.bringup.process import Process
from vla_ros.lab.faults.rest_bounds import RestBounds, rest_bounds
from vla_ros.parameters import from_mapping, nested
from vla_ros.sim.arm_description import JOINT_NAMES, urdf

FILTER_PARAMETERS: dict[str, Any] = {
    "estop.heartbeat_s": 0.5,
    "deadman.timeout_s": 0.5,
    "enabling.timeout_s": 0.5,
    "obstacle.timeout_s": 0.5,
    "safety_monitor.timeout_s": 0.0,
    "controller.state_timeout_s": 1.0,
    "controller.scaling_topic": "arm/speed_scaling",
    "measured.tcp_speed_m_s": 100.0,
    "fence.box": [-0.7, -0.35, -0.05, 0.95, 0.8, 1.3],
    "keep_out.boxes": [-0.15, 0.4, 0.45, 0.2, 0.2, 0.2, 0.0, 0.0, 0.0],
    "contact.threshold": [60.0] * len(JOINT_NAMES),
    "reduced_mode.planes": [0.0, 0.0, 1.0, 5.0],
    "stop_distance.time_s": 1.0,
    "momentum.limit_kg_m_s": 100.0,
    "separation.check": True,
    "separation.intrusion_m": 0.2,
    "tool_orientation.direction": [0.0, 0.0, -1.0],
    "tool_orientation.angle_rad": 3.1,
}
"""Every rule and every input is on, but for the second channel, which is in one graph only. A turn of joint1 by more than a
radian reaches the fence or the keep-out box. The thresholds of contact, tool speed, momentum, plane and cone are beyond what
the swing needs."""
MONITOR_TIMEOUT_S = 1.0
"""As in config/sim.yaml."""
SEED, TASK = 3, "place"
SIM_PARAMETERS = {"seed": SEED, "task": TASK}
LOG, AUDIT, REMOVED = "controller.csv", "audit", "removed"
RAISE = "raise"
RELAYED = ("joint_states", "arm_controller/controller_state")
"""Topics of the arm that the rig relays."""
GRAPHS = ("none", "filter", "raising", "clock", "whole")
"""none: nothing runs. filter: sim_arm and safety_filter; the rig is the policy and relays the joint states. raising: the same
with a filter whose rules can be made to raise, and the second channel. clock: filter on a simulated clock. whole: all."""


def processes(graph: str, folder: Path) -> tuple[Process, ...]:
    """Return the processes of a graph.

    Args:
        folder: holds the controller's log and the audit log.
    """
    sim = {**SIM_PARAMETERS, "log_file": str(folder / LOG)}
    if graph == "none":
        return ()
    log = {"audit.directory": str(folder / AUDIT)}
    if graph == "whole":
        relayed = {"front_camera/image_raw": "relayed/image_raw"}
        return tuple(
            dataclasses.replace(process, remappings=relayed, vital=False) if process.name == "camera" else process
            for process in bringup(overrides={"sim_arm": sim, "safety_filter": log})
        )
    parameters: dict[str, Any] = {**FILTER_PARAMETERS, **log}
    if graph == "clock":
        parameters["use_sim_time"] = True
    arm, filter_, monitor = bringup(overrides={"sim_arm": {**sim, "camera_rate_hz": 0.0}})[:3]
    if graph == "clock":
        arm = dataclasses.replace(arm, parameters={**arm.parameters, "use_sim_time": True})
    monitored = graph == "raising"
    if monitored:
        parameters["safety_monitor.timeout_s"] = MONITOR_TIMEOUT_S
    filter_, monitor = (
        dataclasses.replace(each, parameters={**each.parameters, **parameters}) for each in (filter_, monitor)
    )
    if monitored:
        arguments = ("-m", "vla_ros.lab.faults.raising", str(folder / RAISE))
        filter_ = dataclasses.replace(filter_, executable=sys.executable, package="", arguments=arguments)
    arm = dataclasses.replace(arm, remappings={name: f"arm/{name}" for name in RELAYED})
    return (arm, filter_, monitor) if monitored else (arm, filter_)


def bounds() -> RestBounds:
    """Return the bounds of the time to rest that follow from the graphs' parameters."""
    flat = {process.name: dict(process.parameters) for process in bringup(overrides={"sim_arm": SIM_PARAMETERS})}
    flat["safety_filter"].update(FILTER_PARAMETERS)
    made: dict[str, Any] = {name: from_mapping(PARAMETERS[name], nested(flat[name]), f"{name}.") for name in flat}
    return rest_bounds(
        made["safety_filter"],
        urdf(),
        made["sim_arm"],
        made["planner"],
        made["action_expert"],
        made["camera"],
    )
