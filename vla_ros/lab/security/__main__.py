"""Writes config/security_policy.xml: `python -m vla_ros.lab.security` starts the graph, with every viewer, and reads it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

from vla_ros.bringup.graph import bringup
from vla_ros.bringup.process import Process, private_domain
from vla_ros.bringup.supervisor import Supervisor
from vla_ros.lab.security.devices import DEVICES, OF_ALL
from vla_ros.lab.security.policy import KINDS, Profile, relative, to_xml
from vla_ros.resources import share
from vla_ros.ros.client import connect
from vla_ros.ros.opened import Opened, opened_by
from vla_ros.sim.arm_description import FINGER_JOINT, HOME, JOINT_NAMES
from vla_ros.sim.controller import ARM, GRIPPER

READY_TIMEOUT_S, SETTLE_S = 180.0, 5.0
EVERYTHING = {
    "estop.heartbeat_s": 0.5,
    "deadman.timeout_s": 0.5,
    "obstacle.timeout_s": 0.5,
    "enabling.timeout_s": 0.5,
    "reduced_mode.input": True,
    "home.position": [float(q) for q in HOME],
    "home.tolerance": [0.05] * len(HOME),
    "audit.directory": "",
}
"""Of the filter: every input that it may subscribe to."""
AT_START = {
    name: Profile(subscribe=frozenset({"robot_description"}))
    for name in ("action_expert", "dashboard", "motion_paths", "planner", "safety_filter", "safety_monitor")
}
"""What is opened at the start alone, and closed when the graph is read."""
FINGER: dict[str, object] = {"controller.gripper_joint": FINGER_JOINT}
OUTPUTS: tuple[dict[str, dict[str, object]], ...] = (
    {"safety_filter": {}},
    {
        "safety_filter": {
            **FINGER,
            "controller.type": "joint_trajectory",
            "controller.gripper_type": "joint_trajectory",
        }
        | {"controller.topic": f"{ARM}/joint_trajectory", "controller.gripper_topic": f"{GRIPPER}/joint_trajectory"}
    },
    {
        "safety_filter": {**FINGER, "controller.type": "forward_position"}
        | {"controller.topic": f"{ARM}/commands", "controller.gripper_topic": f"{GRIPPER}/commands"},
        "sim_arm": {"controller": "forward"},
    },
)
"""Parameters by node, for each kind of output."""


def profile_of(opened: Opened, node: str) -> Profile:
    """Return what a node of the package has opened as a profile, with what every node opens."""
    return Profile(
        relative(opened.publish, node) | OF_ALL.publish,
        relative(opened.subscribe, node) | OF_ALL.subscribe,
        relative(opened.reply, node),
        relative(opened.request, node),
    ).with_actions()


def united(profiles: list[Profile]) -> Profile:
    """Return what any of the profiles allows."""
    return Profile(*(frozenset[str]().union(*(getattr(each, kind) for each in profiles)) for kind, _, _ in KINDS))


def read_graph(outputs: Mapping[str, Mapping[str, object]]) -> dict[str, Profile]:
    """Start the graph with every input and these outputs, and return what each node has opened."""
    os.environ.update(private_domain())
    paths = Process("motion_paths", "motion_paths", parameters={"joint_names": list(JOINT_NAMES)})
    overrides: dict[str, Mapping[str, object]] = {
        **outputs,
        "safety_filter": {**EVERYTHING, **outputs["safety_filter"]},
        "dashboard": {"port": 0},
    }
    processes = (*bringup(dashboard=True, overrides=overrides), paths)
    supervisor = Supervisor(processes, lambda line: print(line, file=sys.stderr))
    try:
        with connect() as client:
            client.wait_until_ready(READY_TIMEOUT_S)
            client.spin(SETTLE_S)
            names = sorted({name for name, _ in client.node.get_node_names_and_namespaces()} - {client.node.get_name()})
            return {name: profile_of(opened_by(client.node, name), name) for name in names}
    finally:
        supervisor.stop()
        time.sleep(1.0)


def main() -> None:
    """Write the policy."""
    graphs = [read_graph(outputs) for outputs in OUTPUTS]
    nodes = sorted({name for graph in graphs for name in graph})
    profiles = {
        name: united([AT_START.get(name, Profile()), *(graph[name] for graph in graphs if name in graph)])
        for name in nodes
    }
    file = share() / "config" / "security_policy.xml"
    file.write_text(to_xml({**DEVICES, **profiles}))
    print(f"{file}: {len(profiles)} nodes, {len(DEVICES)} devices")


if __name__ == "__main__":
    main()
