"""What is started, with which parameters: the one description behind the launch file and `vla-ros up`."""

from __future__ import annotations

import copy
import difflib
import os
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vla_ros.bringup.node_parameters import PARAMETERS, POLICY_NODES, parameters_with_policy
from vla_ros.parameters import ParameterError, declarations, flattened, from_mapping, nested, yaml_of
from vla_ros.resources import share

NODES = ("sim_arm", "safety_filter", "camera", "planner", "action_expert", "dashboard", "motion_paths")

PLANNED = {"dashboard": ("cameras", "camera_poses", "tool_frame"), "motion_paths": ("base_frame", "tool_frame")}
"""The viewers, and what they draw with that the planner's block of a configuration knows."""


RESPAWN_DELAY_S = 1.0


@dataclass(frozen=True)
class Process:
    """One process of the graph.

    executable: file in vla_ros/nodes/ and name of the installed program. parameters: dotted names. respawn: start it
    again, after RESPAWN_DELAY_S and longer each time, when it dies; vital: its death stops the graph; viewer: it only
    shows, and the graph goes on when it refuses to start.
    """

    name: str
    executable: str
    namespace: str = ""
    package: str = "vla_ros"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    remappings: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    respawn: bool = False
    vital: bool = False
    viewer: bool = False


def own_domain() -> dict[str, str]:
    """Variables of a ROS domain that, but for chance, nobody else uses: another graph on this machine must not hear a run."""
    return {"ROS_DOMAIN_ID": str(random.SystemRandom().randint(1, 100)), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}


def environment() -> dict[str, str]:
    """Variables that the processes of the graph get besides their parent's: config/fastdds.xml, unless there is another."""
    names = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
    if any(os.environ.get(name) for name in names):
        return {}
    return dict.fromkeys(names, str(share() / "config" / "fastdds.xml"))


def bringup(
    robot: str = "sim",
    policy: str = "classical",
    config: str = "",
    namespace: str = "",
    rviz: bool = False,
    dashboard: bool = False,
    use_sim_time: bool = False,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[Process, ...]:
    """Return the processes of the graph.

    Args:
        robot: "sim", another name of a file config/<robot>.yaml, or the path of a file that stands alone, *.yaml.
        policy: as vla_ros/policies/registry.py names it.
        config: a parameter file laid over the robot's. namespace: for every node.
        rviz: RViz with config/vla.rviz too. dashboard: the browser page too. use_sim_time: nodes follow /clock.
        overrides: node → dotted parameter → value, laid over both files.

    Raises:
        ParameterError: a file does not parse, or a parameter is unknown, missing or wrong; it is named.
    """
    classes = parameters_with_policy(policy)
    check_namespace(namespace)
    tree = read(_file_of(robot), classes)
    if config:
        tree = _laid_over(tree, read(Path(config), classes))
    processes = []
    planned = _of(tree, "planner", classes)
    for node in NODES:
        if not {"sim_arm": robot == "sim", "dashboard": dashboard, "motion_paths": rviz}.get(node, True):
            continue
        flat = _of(tree, node, classes)
        if node in POLICY_NODES:
            flat["policy"] = policy
        flat = {key: planned[key] for key in PLANNED.get(node, ()) if key in planned} | flat
        flat.update((overrides or {}).get(node, {}))
        asked = flat.pop("use_sim_time", False)
        from_mapping(classes[node], nested(flat), f"{node}.")
        if use_sim_time or asked is True:  # the simulated arm makes the clock that the others follow
            flat["publish_clock" if node == "sim_arm" else "use_sim_time"] = True
        processes.append(
            Process(
                node,
                node,
                namespace,
                parameters=flat,
                respawn=node not in ("safety_filter", "sim_arm"),
                vital=node in ("safety_filter", "sim_arm"),
                viewer=node in PLANNED,
            )
        )
    if rviz:
        from vla_ros.bringup.rviz import processes as viewers

        (camera,) = [process.parameters for process in processes if process.name == "camera"]
        processes += viewers(robot, namespace, planned.get("base_frame", "base"), camera, use_sim_time)
    return tuple(processes)


def parameters_of(node: str, **asked: Any) -> dict[str, Any]:
    """Return the parameters of one node as `bringup(**asked)` gives them, flat with dotted names."""
    (found,) = [process.parameters for process in bringup(**asked) if process.name == node]
    return dict(found)


def check_namespace(namespace: str) -> None:
    """Check the namespace of an arm, with or without slashes at its ends; empty: none.

    Raises:
        ParameterError: ROS would not take it.
    """
    if namespace.strip("/") and not re.fullmatch(r"([A-Za-z_]\w*)(/[A-Za-z_]\w*)*", namespace.strip("/"), re.ASCII):
        raise ParameterError(
            f"namespace {namespace!r}: letters, digits and _, none beginning with a digit, / between them"
        )


def read(path: Path, classes: Mapping[str, type] = PARAMETERS) -> dict[str, dict[str, Any]]:
    """Read a ROS parameter file and check its names.

    Args:
        classes: dataclass of the parameters of each node.

    Returns:
        node name (or "/**") → dotted parameter → value.

    Raises:
        ParameterError: with the file, and the line or the key.
    """
    tree = yaml_of(path, f"config: {path}")
    if not isinstance(tree, dict):
        raise ParameterError(f"config: {path}: expected blocks `<node>: ros__parameters: …`")
    everywhere = {declaration.name for cls in classes.values() for declaration in declarations(cls)}
    blocks = {}
    for node, block in tree.items():
        name = "/**" if node == "/**" else str(node).rsplit("/", 1)[-1]
        if name != "/**" and name not in classes:
            raise ParameterError(f"config: {path}: no node {node!r}{_nearest(name, classes)}")
        if not isinstance(block, dict) or not isinstance(block.get("ros__parameters"), dict):
            raise ParameterError(f"config: {path}: {node}: expected `ros__parameters:` with parameters below it")
        known = everywhere if name == "/**" else {entry.name for entry in declarations(classes[name])}
        flat = flattened(block["ros__parameters"])
        for key in flat:
            if key not in known and key != "use_sim_time":
                raise ParameterError(f"config: {path}: {node}: no parameter {key!r}{_nearest(key, known)}")
        blocks[name] = flat
    return blocks


def _file_of(robot: str) -> Path:
    if robot.endswith(".yaml"):
        return Path(robot)  # of one's own: no limit of another arm lies below it
    packaged = share() / "config" / f"{robot}.yaml"
    if not packaged.is_file():
        found = sorted(packaged.parent.glob("*.yaml"))
        known = ", ".join(path.stem for path in found if "ros__parameters" in path.read_text())
        raise ParameterError(f"robot: there is no {robot!r}; there are {known}, and any file of your own, my_arm.yaml")
    return packaged


def _nearest(word: str, known: Any) -> str:
    close = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(sorted(known))}"


def _laid_over(
    below: Mapping[str, Mapping[str, Any]], above: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    return {name: {**below.get(name, {}), **above.get(name, {})} for name in {**below, **above}}


def _of(tree: Mapping[str, Mapping[str, Any]], node: str, classes: Mapping[str, type]) -> dict[str, Any]:
    """The parameters of one node: those of /** that it declares, then its own."""
    declared = {declaration.name for declaration in declarations(classes[node])}
    shared = {key: value for key, value in tree.get("/**", {}).items() if key in declared or key == "use_sim_time"}
    # Each value by itself: what an anchor shares in the file would be an alias in the node's own, which rcl does not read.
    return {key: copy.deepcopy(value) for key, value in {**shared, **tree.get(node, {})}.items()}
