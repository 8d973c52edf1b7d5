"""What is started, with which parameters: the launch file and `vla-ros up` start the same graph from this description."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vla_ros.bringup.node_parameters import POLICY_NODES, SECOND_CHANNEL, parameters_with_policy
from vla_ros.bringup.parameter_file import CLOCK, read_parameter_file
from vla_ros.bringup.process import Process, check_namespace
from vla_ros.parameters import Faults, ParameterError, from_mapping, nested
from vla_ros.resources import share
from vla_ros.robot.meshes import mesh_folders

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
    "dashboard": ("cameras", "camera_poses", "camera_links", "base_frame", "tool_frame"),
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
        ParameterError: a file does not parse, or parameters are unknown, missing or wrong; all are named.
    """
    classes = parameters_with_policy(policy, system2)
    faults = Faults()
    tree: dict[str, dict[str, Any]] = {}
    with faults.collected():
        namespace = check_namespace(namespace)
    for file in (_robot_file(robot), *([Path(config).expanduser()] if config else ())):
        with faults.collected():
            tree = merged(tree, read_parameter_file(file, classes, namespace))
    faults.refuse()
    processes = []
    planner = tree.get("planner", {})
    filter_ = tree.get("safety_filter", {}) | dict((overrides or {}).get("safety_filter", {}))
    monitored = bool(filter_.get("safety_monitor.timeout_s"))
    optional = {"sim_arm": robot == "sim", SECOND_CHANNEL: monitored, "dashboard": dashboard, "motion_paths": rviz}
    for node in NODE_NAMES:
        if not optional.get(node, True):
            continue
        flat = dict(tree.get(node, {}))
        if node == SECOND_CHANNEL:
            flat = filter_ | flat
        if node in POLICY_NODES:
            flat["policy"] = policy
            if flat.setdefault("system2", system2) != system2:
                raise ParameterError(f"{node}.system2: say it at the start: --system2 {flat['system2']}, or system2:=")
        if node == "planner":
            flat.setdefault("camera_names", tree.get("camera", {}).get("cameras", []))
        flat = {key: planner[key] for key in VIEWER_PARAMETERS.get(node, ()) if key in planner} | flat
        if node == "dashboard" and "mesh_folders" not in flat:  # what the filter keeps away is what is seen
            found = mesh_folders(_texts(filter_.get("mesh_folders")), str(filter_.get("urdf") or ""))
            flat |= {"mesh_folders": list(map(str, found))} if found else {}
        flat.update((overrides or {}).get(node, {}))
        simulated = flat.pop(CLOCK, False)
        faults.require(isinstance(simulated, bool), f"{node}.{CLOCK}: expected bool, got {simulated!r}")
        with faults.collected():
            flat = _checked_values(classes[node], node, flat)
        if use_sim_time or simulated is True:  # the simulated arm makes the clock that the others follow
            flat["publish_clock" if node == "sim_arm" else CLOCK] = True
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
    if faults.found:
        raise ParameterError(*_grouped(faults.found, NODE_NAMES))
    if rviz:
        from vla_ros.bringup.rviz import rviz_processes

        (camera,) = [process.parameters for process in processes if process.name == "camera"]
        processes += rviz_processes(robot, namespace, _fixed_frame(robot, planner), camera, use_sim_time)
    return tuple(processes)


def _texts(value: Any) -> list[str]:
    """Return a list of texts; none where a file has something else, which is refused with the filter's parameters."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _fixed_frame(robot: str, planner: Mapping[str, Any]) -> str:
    """Return the frame that RViz shows everything in."""
    from vla_ros.robot.urdf import read_urdf, root_link

    if planner.get("base_frame"):
        return str(planner["base_frame"])
    if planner.get("urdf"):
        return root_link(read_urdf(planner["urdf"]))
    if robot != "sim":
        raise ParameterError(
            "planner.base_frame: RViz needs the name of the URDF's root link; give it, or planner.urdf"
        )
    return "base"


def vlm_overrides(url: str, model: str) -> dict[str, dict[str, str]]:
    """Return the planner's overrides for a VLM of that name at an endpoint, or in a folder where there is no URL."""
    given = {"vlm.url": url, "vlm.model" if url else "vlm.folder": model}
    return {"planner": {key: value for key, value in given.items() if value}}


def parameters_of(node: str, **options: Any) -> dict[str, Any]:
    """Return the parameters of one node as `bringup(**options)` gives them, flat with dotted names."""
    (found,) = [process.parameters for process in bringup(**options) if process.name == node]
    return dict(found)


def _robot_file(robot: str) -> Path:
    if robot.endswith((".urdf", ".xacro")):
        raise ParameterError(f"robot: {robot} is no parameter file; name it in one of yours: safety_filter.urdf")
    if robot.endswith((".yaml", ".yml")):
        # A user's own file stands alone: it inherits no limit of another arm. No shell expands the ~ of robot:=~/my_arm.yaml.
        return Path(robot).expanduser()
    folder = share() / "config"
    packaged = folder / f"{robot}.yaml"
    if not packaged.is_file():
        found = sorted(folder.glob("*.yaml"))
        known = ", ".join(path.stem for path in found if "ros__parameters" in path.read_text())
        raise ParameterError(f"robot: there is no {robot!r}; there are {known}, and any file of your own, my_arm.yaml")
    return packaged


def merged(below: Mapping[str, Mapping[str, Any]], above: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return both trees as one; where both have a parameter, that of `above` counts."""
    return {name: {**below.get(name, {}), **above.get(name, {})} for name in {**below, **above}}


def _checked_values(cls: type, node: str, flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a node as its dataclass holds them: a whole number that stands for a float is one.

    rcl takes 5 for an integer, and [5, 2.5] for a fault.
    """
    instance: object = from_mapping(cls, nested(flat), f"{node}.")
    return {name: operator.attrgetter(name)(instance) for name in flat}


def _grouped(faults: Iterable[str], nodes: Iterable[str]) -> Iterator[str]:
    """Yield each fault once: one that several nodes have comes from one line, such as those below /**."""
    also: dict[str, list[str]] = {}
    for fault in faults:
        node, _, rest = fault.partition(".")
        also.setdefault(rest if node in nodes else fault, []).append(node if node in nodes else "")
    for rest, named in also.items():
        others = ", ".join(name for name in named[1:] if name != SECOND_CHANNEL)  # which has the filter's
        yield f"{named[0]}.{rest}{f' (also of {others})' if others else ''}" if named[0] else rest
