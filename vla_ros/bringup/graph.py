"""What is started, with which parameters: the launch file and `vla-ros up` start the same graph from this description."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vla_ros.bringup.node_parameters import PARAMETERS, POLICY_NODES, SECOND_CHANNEL, parameters_with_policy
from vla_ros.bringup.process import Process, check_namespace
from vla_ros.parameters import ParameterError, declarations, flattened, from_mapping, nested, yaml_of
from vla_ros.resources import share

NODE_NAMES = (
    "sim_arm",
    "safety_filter",
    "safety_monitor",
    "camera",
    "planner",
    "action_expert",
    "task_server",
    "dashboard",
    "motion_paths",
)

VIEWER_PARAMETERS = {
    "dashboard": ("cameras", "camera_poses", "tool_frame"),
    "motion_paths": ("base_frame", "tool_frame"),
}
"""Viewer → parameters that it takes over from the planner's block of a configuration."""


def bringup(
    robot: str = "sim",
    policy: str = "classical",
    config: str = "",
    namespace: str = "",
    rviz: bool = False,
    dashboard: bool = False,
    use_sim_time: bool = False,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    system2: str = "",
) -> tuple[Process, ...]:
    """Return the processes of the graph.

    Args:
        robot: "sim", another name of a file config/<robot>.yaml, or the path of a file that stands alone, *.yaml.
        policy: as vla_ros/policies/registry.py names it.
        config: a parameter file laid over the robot's. namespace: for every node.
        rviz: RViz with config/vla.rviz too. dashboard: the browser page too. use_sim_time: nodes follow /clock.
        overrides: node → dotted parameter → value, laid over both files.
        system2: "vlm": a vision-language model plans in words in front of the policy; "": nothing does.

    Raises:
        ParameterError: a file does not parse, or a parameter is unknown, missing or wrong; it is named.
    """
    classes = parameters_with_policy(policy, system2)
    check_namespace(namespace)
    tree = read_parameter_file(_robot_file(robot), classes)
    if config:
        tree = merged(tree, read_parameter_file(Path(config), classes))
    processes = []
    planner = _node_block(tree, "planner", classes)
    filter_ = _node_block(tree, "safety_filter", classes) | dict((overrides or {}).get("safety_filter", {}))
    monitored = bool(filter_.get("safety_monitor.timeout_s"))
    optional = {"sim_arm": robot == "sim", SECOND_CHANNEL: monitored, "dashboard": dashboard, "motion_paths": rviz}
    for node in NODE_NAMES:
        if not optional.get(node, True):
            continue
        flat = _node_block(tree, node, classes)
        if node == SECOND_CHANNEL:
            flat = filter_ | flat
        if node in POLICY_NODES:
            flat["policy"] = policy
            if flat.setdefault("system2", system2) != system2:
                raise ParameterError(f"{node}.system2: say it at the start: --system2 {flat['system2']}, or system2:=")
        if node == "planner":
            flat.setdefault("camera_names", _node_block(tree, "camera", classes).get("cameras", []))
        flat = {key: planner[key] for key in VIEWER_PARAMETERS.get(node, ()) if key in planner} | flat
        flat.update((overrides or {}).get(node, {}))
        simulated = flat.pop("use_sim_time", False)
        from_mapping(classes[node], nested(flat), f"{node}.")
        if use_sim_time or simulated is True:  # the simulated arm makes the clock that the others follow
            flat["publish_clock" if node == "sim_arm" else "use_sim_time"] = True
        processes.append(
            Process(
                node,
                node,
                namespace,
                parameters=flat,
                respawn=node not in ("safety_filter", "sim_arm"),
                vital=node in ("safety_filter", "sim_arm"),
                viewer=node in (*VIEWER_PARAMETERS, "task_server"),
            )
        )
    if rviz:
        from vla_ros.bringup.rviz import rviz_processes

        (camera,) = [process.parameters for process in processes if process.name == "camera"]
        processes += rviz_processes(robot, namespace, planner.get("base_frame", "base"), camera, use_sim_time)
    return tuple(processes)


def vlm_overrides(url: str, model: str) -> dict[str, dict[str, str]]:
    """Return the planner's overrides for a VLM of that name at an endpoint, or in a folder where there is no URL."""
    given = {"vlm.url": url, "vlm.model" if url else "vlm.folder": model}
    return {"planner": {key: value for key, value in given.items() if value}}


def parameters_of(node: str, **options: Any) -> dict[str, Any]:
    """Return the parameters of one node as `bringup(**options)` gives them, flat with dotted names."""
    (found,) = [process.parameters for process in bringup(**options) if process.name == node]
    return dict(found)


def read_parameter_file(path: Path, classes: Mapping[str, type] = PARAMETERS) -> dict[str, dict[str, Any]]:
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
    known_anywhere = {declaration.name for cls in classes.values() for declaration in declarations(cls)}
    blocks = {}
    for node, block in tree.items():
        name = "/**" if node == "/**" else str(node).rsplit("/", 1)[-1]
        if name != "/**" and name not in classes:
            raise ParameterError(f"config: {path}: no node {node!r}{_suggestion(name, classes)}")
        if not isinstance(block, dict) or not isinstance(block.get("ros__parameters"), dict):
            raise ParameterError(f"config: {path}: {node}: expected `ros__parameters:` with parameters below it")
        known = known_anywhere if name == "/**" else {entry.name for entry in declarations(classes[name])}
        flat = flattened(block["ros__parameters"])
        for key in flat:
            if group := sorted(name for name in known if name.startswith(f"{key}.")):
                raise ParameterError(
                    f"config: {path}: {node}: {key} is a group of parameters, such as {group[0]}; write them below it, "
                    "or leave it out"
                )
            if key not in known and key != "use_sim_time":
                raise ParameterError(f"config: {path}: {node}: no parameter {key!r}{_suggestion(key, known)}")
        blocks[name] = flat
    return blocks


def _robot_file(robot: str) -> Path:
    if robot.endswith(".yaml"):
        return Path(robot)  # a user's own file stands alone: it inherits no limit of another arm
    packaged = share() / "config" / f"{robot}.yaml"
    if not packaged.is_file():
        found = sorted(packaged.parent.glob("*.yaml"))
        known = ", ".join(path.stem for path in found if "ros__parameters" in path.read_text())
        raise ParameterError(f"robot: there is no {robot!r}; there are {known}, and any file of your own, my_arm.yaml")
    return packaged


def _suggestion(word: str, known: Iterable[str]) -> str:
    """Return the known name that is most like `word`, or all of them, as the end of an error line."""
    if word.startswith("vlm."):
        return "; it belongs to --system2 vlm, or system2:=vlm"
    close = difflib.get_close_matches(word, sorted(known), 1)
    groups = sorted({name.partition(".")[0] for name in known})
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(groups)}"


def merged(below: Mapping[str, Mapping[str, Any]], above: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return both trees as one; where both have a parameter, that of `above` counts."""
    return {name: {**below.get(name, {}), **above.get(name, {})} for name in {**below, **above}}


def _node_block(tree: Mapping[str, Mapping[str, Any]], node: str, classes: Mapping[str, type]) -> dict[str, Any]:
    """Return the parameters of one node: those of /** that it declares, then its own."""
    declared = {declaration.name for declaration in declarations(classes[node])}
    shared = {key: value for key, value in tree.get("/**", {}).items() if key in declared or key == "use_sim_time"}
    # Copies: values that share a YAML anchor would become aliases in the node's own file, which rcl does not read.
    return {key: copy.deepcopy(value) for key, value in {**shared, **tree.get(node, {})}.items()}
