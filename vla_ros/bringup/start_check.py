"""What is checked before a graph starts, so that it does not come up to go down. No server is contacted, no model loaded."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from vla_ros.bringup.binding_check import BindingReport, policy_options_of, require_binding
from vla_ros.bringup.graph import bringup
from vla_ros.bringup.node_parameters import POLICY_NODES, full_name
from vla_ros.bringup.process import Process
from vla_ros.parameters import Faults, ParameterError, flattened, from_mapping, nested
from vla_ros.policies.registry import policy as registered
from vla_ros.policies.vlm.vlm_parameters import VlmParameters
from vla_ros.robot.base_frame import pose_in_root
from vla_ros.robot.kinematics import Kinematics
from vla_ros.robot.robot_model import robot_model
from vla_ros.robot.urdf import read_urdf, root_link
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.safety_parameters import SafetyFilterParameters

VLM = "vlm."


def require_startable(
    processes: Iterable[Process], policy: str, robot: str, here: Iterable[Process] | None = None
) -> BindingReport | None:
    """Check all that can be told without a model or a server; return the report on the binding, where there is one.

    Args:
        processes: as `bringup` gives them. policy, robot: as it was given.
        here: those of them that this host starts; None: all. What the policy needs is asked only of hosts that run it.

    Raises:
        BindingRefused: the model does not fit the robot; its `faults` are all that is wrong.
        ParameterError: a package that the policy needs is not installed; the VLM's key, folder or Python is not there; a
            robot's e-stop has no heartbeat, and its file does not switch that off by name; or its URDF file does not do. All
            of it is told together.
    """
    processes, faults = tuple(processes), Faults()
    names = {process.name for process in (processes if here is None else here)}
    thinks = bool(names & set(POLICY_NODES))
    if thinks:
        with faults.collected():
            require_modules(processes, policy)
    with faults.collected():
        if "planner" in names:
            require_vlm(processes)
    if robot != "sim":
        with faults.collected():
            require_heartbeat(processes)
        with faults.collected():
            require_urdf(processes)
    try:
        report = require_binding(processes, policy, robot) if thinks else None
    except ParameterError as error:
        error.faults += tuple(faults.found)
        raise
    faults.refuse()
    return report


def robot_faults(processes: Iterable[Process], policy: str, robot: str) -> tuple[str, ...]:
    """Return what of a robot's files a start would be refused for, whatever the policy and its packages are."""
    try:
        require_startable(processes, policy, robot, here=())
    except ParameterError as error:
        return error.faults
    return ()


def start_faults(robot: str, policy: str, config: str, namespace: str) -> tuple[str, ...]:
    """Return all that `vla-ros up` with these would be refused for, in its words."""
    try:
        require_startable(bringup(robot, policy, config, namespace), policy, robot)
    except ParameterError as error:
        return error.faults
    return ()


def require_urdf(processes: Iterable[Process]) -> None:
    """Raise ParameterError where a robot's URDF is a file that does not do for the filter or the planner; all faults."""
    flat = {process.name: process.parameters for process in processes}
    filter_, planner, faults = flat["safety_filter"], flat["planner"], Faults()
    if filter_.get("urdf"):
        with faults.collected():
            parameters = from_mapping(SafetyFilterParameters, nested(flattened(filter_)), "safety_filter.")
            urdf = _whole_urdf(parameters.urdf)
            try:
                SafetyFilter.from_urdf(parameters, urdf)
            except ParameterError as error:
                faults.found += [full_name("safety_filter", fault) for fault in error.faults]
            with faults.collected():
                pose_in_root(urdf, planner.get("base_frame", ""), "planner.base_frame")
            with faults.collected("planner."):
                Kinematics(urdf, planner["joint_names"], planner.get("tool_frame", "tool"))
    faults.refuse()


def _whole_urdf(file: str) -> str:
    """Return the text of a URDF that can be read as a model: a fault of the whole file is told once, not by each reader."""
    try:
        urdf = read_urdf(file)
        root_link(urdf)
        robot_model(urdf)
    except ParameterError as error:
        causes = (fault.removeprefix("urdf: ").removeprefix(f"{file}: ") for fault in error.faults)
        raise ParameterError(*(f"safety_filter.urdf: {file}: {cause}" for cause in causes)) from None
    return urdf


def require_heartbeat(processes: Iterable[Process]) -> None:
    """Raise ParameterError where nothing notices that a robot's e-stop button is gone, and nobody has decided that."""
    (flat,) = [process.parameters for process in processes if process.name == "safety_filter"]
    if not flat.get("estop.heartbeat_s") and "heartbeat" not in flat.get("unchecked", ()):
        raise ParameterError(
            "safety_filter.estop.heartbeat_s: nothing would notice an e-stop button that is gone; give the longest silence "
            "of vla/estop_heartbeat, e.g. 0.5, or name heartbeat in safety_filter.unchecked: unchecked: [heartbeat]"
        )


def require_modules(processes: Iterable[Process], policy: str) -> None:
    """Raise ParameterError where this Python, which starts the nodes, lacks a package that the policy needs."""
    entry = registered(policy)
    if not (absent := entry.absent):
        return
    if getattr(policy_options_of(processes, policy), "policy_python", ""):
        return  # another Python has them
    raise ParameterError(f"policy {policy}: this Python has no {', '.join(absent)}; install: {entry.install}")


def require_vlm(processes: Iterable[Process]) -> None:
    """Raise ParameterError where the planner has a VLM whose key, prompt, folder or Python is not there."""
    (planner,) = [process.parameters for process in processes if process.name == "planner"]
    given = {key.removeprefix(VLM): value for key, value in planner.items() if key.startswith(VLM)}
    if not given:
        return
    parameters = from_mapping(VlmParameters, nested(flattened(given)), f"planner.{VLM}")
    from vla_ros.policies.vlm.system2 import make_model
    from vla_ros.policies.vlm.vlm_prompts import load_vlm_prompt

    load_vlm_prompt(parameters.plan_prompt, "vlm_plan")
    load_vlm_prompt(parameters.check_prompt, "vlm_check")
    make_model(parameters).close()  # it connects, and starts a process, with the first question
    if parameters.python and shutil.which(str(Path(parameters.python).expanduser())) is None:
        raise ParameterError(
            f"vlm.python: there is no program {parameters.python!r}; name a Python that has transformers"
        )
