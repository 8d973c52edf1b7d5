"""Which policies there are, and how a node makes the two halves of one. Nothing is imported before it is asked for."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.contract import System1, System2
from vla_ros.policies.policy_parameters import ClassicalParameters, CompactParameters, ScriptedParameters


@dataclass(frozen=True)
class Robot:
    """The arm that a policy is to move.

    urdf: text. joint_names: order of q in everything that the policy is given and gives. tool_frame: link of the URDF.
    """

    urdf: str
    joint_names: tuple[str, ...]
    tool_frame: str = "tool"


@dataclass(frozen=True)
class Policy:
    """module: where its `System1` and `System2` are. parameters: dataclass of its options."""

    module: str
    parameters: type[Any]


POLICIES: Mapping[str, Policy] = {
    "classical": Policy("vla_ros.policies.classical", ClassicalParameters),
    "compact": Policy("vla_ros.policies.compact", CompactParameters),
    "scripted": Policy("vla_ros.policies.scripted", ScriptedParameters),
}


def policy(name: str) -> Policy:
    """Return the entry of `name`.

    Raises:
        ParameterError: there is no such policy.
    """
    if name not in POLICIES:
        raise ParameterError(f"policy: there is no {name!r}; there are {', '.join(sorted(POLICIES))}")
    return POLICIES[name]


def system2(name: str, robot: Robot, options: Mapping[str, Any] | None = None) -> System2:
    """Make the planning half of policy `name` for `robot`.

    Raises:
        ParameterError: no such policy, or an option is wrong (it is named).
        JointNamesError: the policy does not bind to the robot's joints.
    """
    return cast(System2, _half("System2", name, robot, options))


def system1(name: str, robot: Robot, options: Mapping[str, Any] | None = None) -> System1:
    """Make the moving half of policy `name` for `robot`; raises like `system2`."""
    return cast(System1, _half("System1", name, robot, options))


def joint_index(robot: Robot, joint: str, key: str) -> int:
    """Return the place of `joint` in q.

    Raises:
        ParameterError: the robot has no such joint; `key` is the parameter that named it.
    """
    if joint not in robot.joint_names:
        raise ParameterError(f"{key}: the robot has no joint {joint!r}; it has {', '.join(robot.joint_names)}")
    return robot.joint_names.index(joint)


def _half(half: str, name: str, robot: Robot, options: Mapping[str, Any] | None) -> object:
    entry = policy(name)
    parameters = from_mapping(entry.parameters, options or {}, f"{name}.")
    module = importlib.import_module(entry.module)
    made: object = getattr(module, half)(robot, parameters)
    return made


def parameters_hash(name: str, robot: Robot, parameters: Any) -> str:
    """Return the checkpoint of a policy without weights: sha256 over its name, its options and the joints it moves."""
    text = json.dumps([name, robot.joint_names, robot.tool_frame, asdict(parameters)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
