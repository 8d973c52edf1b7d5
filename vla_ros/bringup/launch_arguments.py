"""The arguments of launch/bringup.launch.py: what there are, and which of a launch's configurations are meant by them."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from vla_ros.bringup.process import check_namespace
from vla_ros.parameters import Faults

ARGUMENTS = {
    "robot": ("sim", "sim, the name of a file in config/, or a file of your own: my_arm.yaml"),
    "policy": ("classical", "the policy that moves the arm; vla-ros policies lists them"),
    "system2": ("", "vlm: a vision-language model plans in words in front of the policy"),
    "vlm_url": ("", "its endpoint, e.g. http://localhost:8000/v1"),
    "vlm_model": ("", "its name there, or the folder of a local model"),
    "checkpoint": ("", "folder of the policy's checkpoint, where it has one"),
    "config": ("", "a parameter file laid over the robot's"),
    "vla_config": ("", "the same, for launch files that keep config for a file of their own"),
    "namespace": ("", "namespace of every node, to run several arms"),
    "rviz": ("false", "start RViz too"),
    "dashboard": ("true", "start the browser page too"),
    "use_sim_time": ("false", "follow /clock"),
    "only": ("", "start these nodes alone, e.g. planner,action_expert; the others run on other hosts"),
    "without": ("", "start all nodes but these, which run on other hosts"),
}
"""Name → default and description."""
SWITCHES = ("rviz", "dashboard", "use_sim_time")
FLAGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
OTHER_NAMES = {
    **dict.fromkeys(("params_file", "params", "parameters", "parameters_file", "config_file"), "config:="),
    **dict.fromkeys(("ns", "robot_namespace", "robot_name", "prefix"), "namespace:="),
    **dict.fromkeys(("use_rviz", "launch_rviz", "gui"), "rviz:="),
    **dict.fromkeys(("sim_time", "use_simulation_time"), "use_sim_time:="),
    **dict.fromkeys(("model", "vla"), "policy:="),
    **dict.fromkeys(
        ("instruction", "task", "say", "task_instruction", "prompt"),
        'a running graph: vla-ros say "…", or the topic task_instruction',
    ),
    **dict.fromkeys(("urdf", "urdf_file", "robot_description"), "the robot's file: safety_filter.urdf"),
    **dict.fromkeys(("mesh_folders", "joint_names", "limits"), "the robot's file: safety_filter's parameters"),
}
"""What other launch files call a thing → where it goes here."""


def chosen_arguments(
    configurations: Mapping[str, str], passed: Collection[str] | None = None, pushed: str = ""
) -> dict[str, Any]:
    """Return the value of each argument; `vla_config` is in `config`.

    launch keeps one table of configurations for all files: one that includes ours may have a `policy` of its own there.

    Args:
        configurations: of the launch, name → text.
        passed: names that whoever includes our file passes, or that were typed; None: it cannot be told, so all count.
        pushed: namespace that is pushed around our file (PushRosNamespace).

    Raises:
        ParameterError: a name is unknown, or a value is of the wrong kind; all are told.
    """
    faults = Faults()
    for name in sorted(set(passed or ()) - set(ARGUMENTS)):
        faults.found.append(f"{name}: {_unknown(name)}")
    value: dict[str, Any] = {}
    for name, (default, _) in ARGUMENTS.items():
        ours = passed is None or name in passed
        value[name] = text = configurations.get(name, default) if ours else default
        if text.lstrip().startswith(("[", "{")):
            faults.found.append(f"{name}: expected text, got {text!r}; write several with commas and without brackets")
        elif name in SWITCHES:
            faults.require(text.lower() in FLAGS, f"{name}: expected true or false, got {text!r}")
            value[name] = FLAGS.get(text.lower(), False)
    with faults.collected():
        value["namespace"] = full_namespace(value["namespace"], pushed)
    own, other = value.pop("vla_config"), value["config"]
    faults.require(not (own and other), "config, vla_config: they say the same; give one of them")
    value["config"] = own or other
    faults.require(
        bool(value["system2"]) or not (value["vlm_url"] or value["vlm_model"]),
        "vlm_url, vlm_model: a VLM plans only with system2:=vlm; add it",
    )
    faults.refuse()
    return value


def full_namespace(namespace: str, pushed: str = "") -> str:
    """Return the namespace below one that is pushed, without slashes at its ends; one with a slash in front stands alone.

    Raises:
        ParameterError: ROS would not take it.
    """
    inner = check_namespace(namespace)
    outer = "" if namespace.startswith("/") else check_namespace(pushed)
    return check_namespace(f"{outer}/{inner}")


def _unknown(name: str) -> str:
    if place := OTHER_NAMES.get(name):
        return f"bringup.launch.py has no such argument; this goes to {place}"
    close = difflib.get_close_matches(name, ARGUMENTS, 1)
    hint = f"did you mean {close[0]}:=?" if close else f"it has {', '.join(ARGUMENTS)}"
    return f"bringup.launch.py has no such argument; {hint}"
