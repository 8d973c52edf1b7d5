"""Holds the checkpoint of a configuration against its robot, before anything starts: `vla-ros check` and `vla-ros up`."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from vla_ros.bringup.process import Process
from vla_ros.parameters import ParameterError, flattened, from_mapping, nested
from vla_ros.policies.binding.binding_row import BindingRow, refusal
from vla_ros.policies.binding.checkpoints import UnknownFormat, read_checkpoint
from vla_ros.policies.binding.resolution import resolve
from vla_ros.policies.registry import Robot
from vla_ros.policies.registry import policy as registered
from vla_ros.robot.urdf import read_urdf
from vla_ros.sim import arm_description

CHECKPOINT, BINDING = "checkpoint", "binding"
"""Options of a policy whose model is bound to a robot: where it is, unless a server has it, and what its numbers mean."""


@dataclass(frozen=True)
class BindingReport:
    """What came of it.

    Attributes:
        policy: its name. source: of the checkpoint.
        rows: the table; faults of the folder are its first rows.
        faults: of the folder, a line each.
    """

    policy: str
    source: str
    rows: tuple[BindingRow, ...]
    faults: tuple[str, ...] = ()

    @property
    def refusal(self) -> str:
        """One line that says what is refused and how to mend it; empty: nothing is."""
        more = f" ({len(self.faults) - 1} more: vla-ros check names them)" if len(self.faults) > 1 else ""
        line = f"{self.faults[0]}{more}" if self.faults else refusal(self.rows, self.source)
        return f"{self.policy}: {line}" if line else ""


def checkpoint_overrides(policy: str, checkpoint: str) -> dict[str, dict[str, Any]]:
    """Return overrides for `bringup` that name the checkpoint of a policy; none for an empty one.

    Raises:
        ParameterError: the policy has no checkpoint.
    """
    if not checkpoint:
        return {}
    if CHECKPOINT not in typing.get_type_hints(registered(policy).parameters):
        raise ParameterError(f"checkpoint: policy {policy!r} has none; leave it out")
    return {node: {f"{policy}.{CHECKPOINT}": checkpoint} for node in ("planner", "action_expert")}


def check_binding(processes: Iterable[Process], policy: str, robot: str, urdf_file: str = "") -> BindingReport | None:
    """Return the report on a graph; None where its policy binds no model, or only the policy can read its checkpoint.

    No server is contacted: what a server wants is what the configuration says.

    Args:
        processes: as `bringup` gives them. policy, robot: as it was given.
        urdf_file: of the robot; empty: the configuration's, or the simulated arm's; without one, limits are not checked.

    Raises:
        ParameterError: the checkpoint or a file cannot be read, or no checkpoint is named.
    """
    entry = registered(policy)
    named = typing.get_type_hints(entry.parameters).keys()
    if BINDING not in named or not (CHECKPOINT in named or entry.contract):
        return None
    processes = tuple(processes)
    found = {process.name: process.parameters for process in processes if process.name in ("planner", "camera")}
    planner, camera = found["planner"], found["camera"]
    options = policy_options_of(processes, policy)
    made = _robot(planner, camera, robot, urdf_file)
    try:
        reading = read_checkpoint(policy, entry, options, made)
    except UnknownFormat:
        return None
    rows = [BindingRow("folder", "to be whole", fault, "refused") for fault in reading.faults]
    if reading.contract is None:
        return BindingReport(policy, str(getattr(options, CHECKPOINT, policy)), tuple(rows), reading.faults)
    size = (int(camera["height"]), int(camera["width"])) if {"height", "width"} <= camera.keys() else None
    resolution = resolve(reading.contract, made, options.binding, made.cameras, size)
    return BindingReport(policy, reading.contract.source, (*rows, *resolution.rows), reading.faults)


def require_binding(processes: Iterable[Process], policy: str, robot: str) -> BindingReport | None:
    """Return the report; raise ParameterError with what is refused, in one line, where something is."""
    report = check_binding(processes, policy, robot)
    if report is not None and report.refusal:
        raise BindingRefused(report)
    return report


class BindingRefused(ParameterError):
    """A checkpoint does not fit the robot. `report`: all that does not."""

    def __init__(self, report: BindingReport) -> None:
        super().__init__(report.refusal)
        self.report = report


def policy_options_of(processes: Iterable[Process], policy: str) -> Any:
    """Return the options of the policy as the planner gets them."""
    (planner,) = [process.parameters for process in processes if process.name == "planner"]
    flat = {key.removeprefix(f"{policy}."): value for key, value in planner.items() if key.startswith(f"{policy}.")}
    return from_mapping(registered(policy).parameters, nested(flattened(flat)), f"planner.{policy}.")


def _robot(planner: Mapping[str, Any], camera: Mapping[str, Any], robot: str, urdf_file: str) -> Robot:
    file = urdf_file or str(planner.get("urdf", ""))
    urdf = read_urdf(file) if file else arm_description.urdf() if robot == "sim" else ""
    names = planner.get("camera_names") or camera.get("cameras", [])
    return Robot(urdf, tuple(planner["joint_names"]), str(planner.get("tool_frame", "tool")), tuple(names))
