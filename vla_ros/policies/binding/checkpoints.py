"""What the checkpoint of a policy wants: by the policy's own reader, else by the reader of the format that its folder has."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.checkpoint_contract import CheckpointContract
from vla_ros.policies.binding.weight_files import read_json
from vla_ros.policies.registry import Policy, Robot

OPENVLA = ("openvla", "OpenVLAForActionPrediction")
"""`model_type` and architecture of OpenVLA's configuration."""
OFT_PARTS = "*--*checkpoint.pt"
"""Files of the parts that OpenVLA-OFT adds: action_head--…, proprio_projector--…."""
OPENVLA_FOLDER = "vla_ros.policies.openvla.folder:OpenVlaFolder"


@dataclass(frozen=True)
class CheckpointReading:
    """What a reader found.

    Attributes:
        contract: None: it cannot be read, and `faults` say why.
        faults: what is wrong with the folder, a line each.
    """

    contract: CheckpointContract | None
    faults: tuple[str, ...] = ()


class UnknownFormat(ParameterError):
    """A folder that is a checkpoint, and that no reader here knows: only the policy can say what it wants."""


def read_checkpoint(name: str, entry: Policy, options: Any, robot: Robot) -> CheckpointReading:
    """Read what the model of a policy wants.

    Args:
        name: of the policy. entry: its registration. options: its parameters; with `checkpoint`, where it has no reader.
        robot: that is to be moved; its `urdf` may be empty.

    Raises:
        ParameterError: it is no checkpoint, or none is named. UnknownFormat: it is one that is not known here.
    """
    if entry.contract:
        try:
            reader = pkgutil.resolve_name(entry.contract)
        except (ImportError, AttributeError, ValueError) as error:
            raise ParameterError(f"policy {name!r}: contract {entry.contract!r} does not import: {error}") from error
        read = reader(options, robot)
        return read if isinstance(read, CheckpointReading) else CheckpointReading(read)
    if not options.checkpoint:
        raise ParameterError(f"{name}.checkpoint: which one? Name its folder: --checkpoint DIR, or checkpoint:=DIR")
    path = Path(options.checkpoint).expanduser()
    if format_of(path) == "openvla":
        return _openvla(name, options)
    if format_of(path) == "transformers" and name != "lerobot":
        raise UnknownFormat(f"{path}: a folder of transformers; {name} says itself what it wants of the robot")
    from vla_ros.policies.lerobot.folder import LeRobotFolder

    folder = LeRobotFolder(path, shards=name != "lerobot")
    try:
        return CheckpointReading(folder.contract(), folder.faults)
    except ParameterError:  # it is among the faults
        return CheckpointReading(None, folder.faults)


def format_of(path: Path) -> str:
    """Return "openvla", "transformers" or "lerobot"; the latter also for what is no checkpoint, which its reader says.

    Raises:
        ParameterError: config.json is no JSON.
    """
    if not (path / "config.json").is_file():
        return "lerobot"
    config = read_json(path / "config.json")
    if {config.get("model_type"), *_words(config.get("architectures"))} & set(OPENVLA):
        return "openvla"
    return "transformers" if "type" not in config and "model_type" in config else "lerobot"


def usual_policy(path: Path) -> str:
    """Return the policy that plays a checkpoint of this format, where none is named."""
    if format_of(path) != "openvla":
        return "lerobot"
    return "openvla_oft" if any(path.glob(OFT_PARTS)) else "openvla"


def _words(value: object) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else []


def _openvla(name: str, options: Any) -> CheckpointReading:
    folder = pkgutil.resolve_name(OPENVLA_FOLDER)(options.checkpoint, f"{name}.")
    key = getattr(options, "unnorm_key", "")
    layout = getattr(options, "layout", None)
    contract: CheckpointContract = folder.oft_contract(key, layout()) if callable(layout) else folder.contract(key)
    return CheckpointReading(contract)
