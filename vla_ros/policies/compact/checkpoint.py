"""What a checkpoint folder holds besides the weights, and its hash. No torch here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.parameters import ParameterError
from vla_ros.policies.compact import model_config
from vla_ros.policies.compact.model_config import Sizes
from vla_ros.policies.compact.vocabulary import FILE as VOCABULARY
from vla_ros.policies.compact.vocabulary import Vocabulary
from vla_ros.robot.joint_map import JointMap

WEIGHTS, STATISTICS = "model.safetensors", "statistics.json"
HASHED = ("config.json", WEIGHTS, VOCABULARY, STATISTICS)
STATE = "observation.state"
OBSERVATIONS = "observations.json"  # what training saw, for the monitor of drift; decides nothing that the policy does
GRAPHS = "graphs.safetensors"  # what the inference backend runs, made from the weights
STANDARD = "compact"  # name of the checkpoint that ships, in checkpoints/


@dataclass(frozen=True)
class Checkpoint:
    """folder: where it is. hash: sha256 of all that decides what the policy does. sizes, vocabulary: of the network.

    mean, std: (rows, ACTION) of the actions. joint_names: that it moves. gripper: the one among them that opens the hand.
    """

    folder: Path
    hash: str
    sizes: Sizes
    vocabulary: Vocabulary
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    joint_names: tuple[str, ...]
    gripper: str


def load(folder: Path) -> Checkpoint:
    """Read a checkpoint but for its weights.

    Raises:
        ParameterError: a file is missing, broken or does not fit the others.
    """
    sizes = model_config.read(folder)
    path = folder / STATISTICS
    try:
        statistics = json.loads(path.read_text())
        mean, std = (np.array(statistics[name], np.float64) for name in ("mean", "std"))
        names, gripper = tuple(statistics["joint_names"]), statistics["gripper"]
    except (OSError, ValueError, KeyError) as error:
        raise ParameterError(f"compact.checkpoint: {path}: {error!r}; train one with vla-ros train") from None
    shape = (sizes.rows, model_config.ACTION)
    if mean.shape != shape or std.shape != shape or not (np.isfinite(mean).all() and (std > 0).all()):
        raise ParameterError(f"compact.checkpoint: {path}: mean and std must be finite, std positive, both {shape}")
    if gripper not in names:
        raise ParameterError(f"compact.checkpoint: {path}: gripper {gripper!r} is none of the joints")
    return Checkpoint(folder, digest(folder), sizes, Vocabulary.load(folder), mean, std, names, gripper)


def observations(checkpoint: Checkpoint, joint_names: Sequence[str]) -> dict[str, Any] | None:
    """Return the statistics of images and joints in training, in the form of a LeRobotDataset's stats.json, if there are.

    Args:
        joint_names: the order that the state is wanted in.

    Raises:
        ParameterError: the file cannot be read.
    """
    path = checkpoint.folder / OBSERVATIONS
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text())
        at = [checkpoint.joint_names.index(name) for name in joint_names]
        found[STATE] = {name: [values[i] for i in at] for name, values in found[STATE].items()}
    except (OSError, ValueError, LookupError, AttributeError) as error:
        raise ParameterError(f"compact.checkpoint: {path}: {error!r}") from None
    return found


def digest(folder: Path) -> str:
    """Return the hash of a checkpoint.

    Raises:
        ParameterError: a file is missing.
    """
    found = hashlib.sha256()
    for name in HASHED:
        try:
            found.update(name.encode() + b"\0" + (folder / name).read_bytes())
        except OSError as error:
            raise ParameterError(f"compact.checkpoint: {error}; train one with vla-ros train") from None
    return found.hexdigest()


def bind(checkpoint: Checkpoint, joint_names: Sequence[str]) -> NDArray[np.intp]:
    """Return `index` such that `q[index]` is ordered as the checkpoint's joints, for q ordered as `joint_names`.

    Raises:
        JointNamesError: the robot's joints are not those that the statistics are of; they are named.
    """
    return JointMap(checkpoint.joint_names).permutation(joint_names, f"the robot, for checkpoint {checkpoint.folder}")
