"""Which policies there are, and how a node makes the two halves of one. No policy is imported before it is asked for.

A policy of another package is an entry point of the group `vla_ros.policies` whose object is a `Policy`; docs/policies.md
shows one.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import importlib.util
import json
import pkgutil
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.contract import System1, System2
from vla_ros.policies.lerobot_parameters import LeRobotParameters
from vla_ros.policies.openvla.openvla_parameters import OpenVlaOftParameters, OpenVlaParameters
from vla_ros.policies.policy_parameters import ClassicalParameters, CompactParameters, ScriptedParameters
from vla_ros.policies.remote.remote_parameters import RemoteParameters
from vla_ros.policies.split.split_parameters import GrootParameters, Pi0Parameters, Pi05Parameters, SmolVLAParameters

GROUP = "vla_ros.policies"
CONTRACT = {"system2": ("plan", "checkpoint"), "system1": ("chunk", "checkpoint", "dt_s")}
"""Attributes that the two halves must have; see `contract.System2` and `contract.System1`."""


@dataclass(frozen=True)
class Robot:
    """The arm that a policy moves.

    Attributes:
        urdf: the text of the robot description.
        joint_names: order of q in everything that the policy is given and returns.
        tool_frame: link of the URDF.
        cameras: names of its cameras; empty: not known before the first frames.
    """

    urdf: str
    joint_names: tuple[str, ...]
    tool_frame: str = "tool"
    cameras: tuple[str, ...] = ()


@dataclass(frozen=True)
class Policy:
    """A policy, as the registry needs it.

    Attributes:
        system2: "module:Class" of the planning half, made as `Class(robot, parameters)`. A name and not the class, so that
            the process of one half does not import the other.
        system1: "module:Class" of the moving half.
        parameters: frozen dataclass of the options; its fields are made by `vla_ros.parameters.parameter`, or are
            such dataclasses themselves.
        needs: what it needs beside its packages, in words, e.g. "a checkpoint; a GPU of 10 GB".
        requires: modules that must be importable, e.g. ("torch", "lerobot").
        install: how to get them.
        contract: "module:function" that takes the options and the robot and returns what the model wants, a
            `CheckpointContract` or a `CheckpointReading`; empty: the format of the checkpoint's folder tells.
    """

    system2: str
    system1: str
    parameters: type[Any]
    needs: str = ""
    requires: tuple[str, ...] = ()
    install: str = ""
    contract: str = ""

    @property
    def absent(self) -> tuple[str, ...]:
        """Those of `requires` that are not installed here. None of them is imported."""
        return tuple(name for name in self.requires if importlib.util.find_spec(name.partition(".")[0]) is None)


POLICIES: Mapping[str, Policy] = {
    "classical": Policy(
        "vla_ros.policies.classical.sense_plan_act:SensePlanAct",
        "vla_ros.policies.classical.straight_line:StraightLine",
        ClassicalParameters,
        needs="a calibrated camera",
        requires=("cv2",),
        install="make setup",
    ),
    "compact": Policy(
        "vla_ros.policies.compact.system2:CompactSystem2",
        "vla_ros.policies.compact.system1:CompactSystem1",
        CompactParameters,
        needs="nothing: its checkpoint ships",
        requires=("onnxruntime", "safetensors"),
        install="make setup",
    ),
    "groot": Policy(
        "vla_ros.policies.split.groot_policy:GrootSystem2",
        "vla_ros.policies.split.groot_policy:GrootSystem1",
        GrootParameters,
        needs="a checkpoint of GR00T N1.7; memory for 6 GB of weights in bfloat16",
        requires=("lerobot", "torch"),
        install="make setup PYTHON=python3.12 MODELS=lerobot",
    ),
    "lerobot": Policy(
        "vla_ros.policies.lerobot.system2:LeRobotSystem2",
        "vla_ros.policies.lerobot.system1:LeRobotSystem1",
        LeRobotParameters,
        needs="a checkpoint of LeRobot 0.6; docs/lerobot.md says what each family needs beside it",
        requires=("lerobot", "torch"),
        install="make setup PYTHON=python3.12 MODELS=lerobot, or lerobot.policy_python",
        contract="vla_ros.policies.lerobot.reading:lerobot_reading",
    ),
    "openvla": Policy(
        "vla_ros.policies.openvla.policy:OpenVlaSystem2",
        "vla_ros.policies.openvla.policy:OpenVlaSystem1",
        OpenVlaParameters,
        needs="a checkpoint, e.g. openvla-7b; memory for 15 GB of weights, 8.5 as int8, 5.4 as nf4",
        requires=("torch", "transformers", "timm", "tokenizers"),
        install="pip install torch torchvision transformers timm",
        contract="vla_ros.policies.openvla.policy:openvla_contract",
    ),
    "openvla_oft": Policy(
        "vla_ros.policies.openvla.policy:OpenVlaOftSystem2",
        "vla_ros.policies.openvla.policy:OpenVlaOftSystem1",
        OpenVlaOftParameters,
        needs="a checkpoint of OFT; memory for 15 GB of weights, 8.5 as int8, 5.4 as nf4",
        requires=("torch", "transformers", "timm", "tokenizers"),
        install="pip install torch torchvision transformers timm",
        contract="vla_ros.policies.openvla.policy:openvla_oft_contract",
    ),
    "pi0": Policy(
        "vla_ros.policies.split.pi_policies:Pi0System2",
        "vla_ros.policies.split.pi_policies:Pi0System1",
        Pi0Parameters,
        needs="a checkpoint of pi0, of LeRobot or of transformers; memory for 8 GB of weights in bfloat16",
        requires=("transformers", "torch"),
        install="make setup PYTHON=python3.12 MODELS=lerobot",
    ),
    "pi05": Policy(
        "vla_ros.policies.split.pi_policies:Pi05System2",
        "vla_ros.policies.split.pi_policies:Pi05System1",
        Pi05Parameters,
        needs="a checkpoint of pi0.5; memory for 8 GB of weights in bfloat16",
        requires=("lerobot", "torch"),
        install="make setup PYTHON=python3.12 MODELS=lerobot",
    ),
    "remote": Policy(
        "vla_ros.policies.remote.remote_policy:RemoteSystem2",
        "vla_ros.policies.remote.remote_policy:RemoteSystem1",
        RemoteParameters,
        needs="a policy server: openpi, GR00T (with pyzmq), LeRobot (with grpcio), OpenVLA, or vla-ros serve",
        requires=("msgpack", "websockets", "aiohttp"),
        install="make setup",
        contract="vla_ros.policies.remote.remote_model:remote_contract",
    ),
    "scripted": Policy(
        "vla_ros.policies.scripted:ScriptedSystem2",
        "vla_ros.policies.scripted:ScriptedSystem1",
        ScriptedParameters,
        needs="a file of joint positions",
    ),
    "smolvla": Policy(
        "vla_ros.policies.split.smolvla_policy:SmolVLASystem2",
        "vla_ros.policies.split.smolvla_policy:SmolVLASystem1",
        SmolVLAParameters,
        needs="a checkpoint of SmolVLA; memory for 1.8 GB of weights in float32",
        requires=("lerobot", "torch"),
        install="make setup PYTHON=python3.12 MODELS=lerobot",
    ),
}
"""The policies that ship."""


def names() -> list[str]:
    """Return the names of all policies, sorted: those that ship, and those that other packages register."""
    return sorted({*POLICIES, *(entry.name for entry in entry_points(group=GROUP))})


def policy(name: str) -> Policy:
    """Return the policy of a name. Only the package that registers it is imported.

    Raises:
        ParameterError: there is no such policy; several packages register it; or its entry point does not import, is no
            `Policy`, or has options that cannot be declared.
    """
    entries = tuple(entry_points(group=GROUP, name=name))
    owners = [*(["vla_ros"] if name in POLICIES else []), *sorted(map(_owner, entries))]
    if not owners:
        meant = difflib.get_close_matches(name.strip().lower().replace("-", "_"), names(), 1, cutoff=0.75)
        hint = f"did you mean {meant[0]!r}? " if meant else ""
        raise ParameterError(f"policy: there is no {name!r}; {hint}there are {', '.join(names())}")
    if len(owners) > 1:
        raise ParameterError(
            f"policy: {name!r} is registered by {' and by '.join(owners)}; uninstall all but one, or rename an entry point"
        )
    return _loaded(entries[0]) if entries else POLICIES[name]


def system2(name: str, robot: Robot, options: Mapping[str, Any] | None = None) -> System2:
    """Make the planning half of policy `name` for `robot`.

    Raises:
        ParameterError: as `policy`; the half does not import or does not fulfil the contract; or an option is wrong.
        JointNamesError: the policy does not bind to the robot's joints.
    """
    return cast(System2, _half("system2", name, robot, options))


def system1(name: str, robot: Robot, options: Mapping[str, Any] | None = None) -> System1:
    """Make the moving half of policy `name` for `robot`; raises like `system2`."""
    return cast(System1, _half("system1", name, robot, options))


def joint_index(robot: Robot, joint: str, key: str) -> int:
    """Return the index of `joint` in q.

    Raises:
        ParameterError: the robot has no such joint; `key` is the parameter that named it.
    """
    if joint not in robot.joint_names:
        raise ParameterError(f"{key}: the robot has no joint {joint!r}; it has {', '.join(robot.joint_names)}")
    return robot.joint_names.index(joint)


def parameters_hash(name: str, robot: Robot, parameters: Any) -> str:
    """Return the checkpoint of a policy without weights: sha256 of its name, its options and the joints it moves."""
    text = json.dumps([name, robot.joint_names, robot.tool_frame, asdict(parameters)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def owner(name: str) -> str:
    """Return the package that a policy is of; "vla_ros" for those that ship."""
    return "vla_ros" if name in POLICIES else ", ".join(sorted(map(_owner, entry_points(group=GROUP, name=name))))


def _owner(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "a package without metadata"


def _loaded(entry: EntryPoint) -> Policy:
    """Import the object of an entry point and check it."""
    where = f"policy {entry.name!r}: entry point {entry.value!r} of {_owner(entry)}"
    try:
        found = entry.load()
    except Exception as error:  # whatever the code of another package raises
        raise ParameterError(
            f"{where} does not import: {type(error).__name__}: {error}; repair that package, or uninstall it"
        ) from error
    if not isinstance(found, Policy):
        raise ParameterError(
            f"{where} is of type {type(found).__name__}; it must name a Policy (vla_ros/policies/registry.py)"
        )
    if not entry.name.isidentifier():
        raise ParameterError(f"{where}: the name is the prefix of parameters; use letters, digits and _ alone")
    if undeclared := _undeclared(found.parameters):
        raise ParameterError(
            f"{where}: {undeclared} cannot be declared as parameters; parameters must be a dataclass whose fields are "
            "made by vla_ros.parameters.parameter"
        )
    return found


def _undeclared(options: Any) -> str:
    """Return what of a dataclass of options cannot be declared to a node; empty where all can."""
    if not (isinstance(options, type) and dataclasses.is_dataclass(options)):
        return repr(options)
    hints = typing.get_type_hints(options)
    for field in dataclasses.fields(options):
        if dataclasses.is_dataclass(hints[field.name]):
            if inner := _undeclared(hints[field.name]):
                return inner
        elif "description" not in field.metadata:
            return f"{options.__name__}.{field.name}"
    return ""


def _half(half: str, name: str, robot: Robot, options: Mapping[str, Any] | None) -> object:
    entry = policy(name)
    parameters = from_mapping(entry.parameters, options or {}, f"{name}.")
    target = str(getattr(entry, half))
    try:
        cls = pkgutil.resolve_name(target)
    except (ImportError, AttributeError, ValueError) as error:
        raise ParameterError(
            f'policy {name!r}: {half} {target!r} does not import: {error}; it must be "module:Class", with all that the '
            "module imports installed"
        ) from error
    made: object = cls(robot, parameters)
    if missing := [attribute for attribute in CONTRACT[half] if not hasattr(made, attribute)]:
        raise ParameterError(
            f"policy {name!r}: {half} {target!r} has no {', '.join(missing)}; see vla_ros/policies/contract.py"
        )
    return made
