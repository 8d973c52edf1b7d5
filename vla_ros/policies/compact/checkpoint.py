"""What a checkpoint folder holds besides the weights, its hash, and the names of the tensors in it. Without torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.policies.compact import model_config
from vla_ros.policies.compact.model_config import Sizes
from vla_ros.policies.compact.vocabulary import FILE as VOCABULARY
from vla_ros.policies.compact.vocabulary import Vocabulary
from vla_ros.robot.joint_map import JointMap

WEIGHTS, STATISTICS = "model.safetensors", "statistics.json"
HASHED = ("config.json", WEIGHTS, VOCABULARY, STATISTICS)
STATE = "observation.state"
OBSERVATIONS = "observations.json"  # statistics of the training data, for the drift monitor; the policy ignores them
GRAPHS = "graphs.safetensors"  # what the inference backend runs, made from the weights
STANDARD = "compact"  # name of the checkpoint that ships, in checkpoints/
STORED_TENSORS = {
    "tool_query": "tool",
    "refiner.condition.": "fovea.asked.",
    "refiner.head.": "fovea.about.",
    "refiner.": "fovea.",
    "grounding.nowhere.": "grounding.null.",
    "language.step_queries": "language.slots",
    "language.cross_attention.": "language.read.",
    "language.pointer_keys.": "language.where.",
    "language.pointer_none": "language.nowhere",
    "language.lexicon_default.": "language.unsaid.",
    "language.step_meaning.": "language.meaning.",
    "language.object_query.": "language.thing.",
    "fusion.image_token.": "fusion.patch.",
    "fusion.image_position": "fusion.place",
    "fusion.subtask_query": "fusion.ahead",
    "fusion.subtask_hidden.": "fusion.wide.",
    "fusion.waypoint_head.": "fusion.way.",
    "flow.row_position": "flow.row",
    "flow.waypoint.": "flow.way.",
    "flow.waypoint_position": "flow.ahead",
    "flow.motion.": "flow.moving.",
    "flow.latent_position": "flow.order",
}
"""Prefix of a tensor's name in the model → prefix in model.safetensors; the first that fits counts."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint but for its weights.

    Attributes:
        folder: where it is.
        hash: sha256 of all files that decide what the policy does.
        sizes, vocabulary: of the network.
        mean, std: (rows, ACTION_DIM) of the actions.
        joint_names: joints that it moves.
        gripper: the one of them that opens the gripper.
    """

    folder: Path
    hash: str
    sizes: Sizes
    vocabulary: Vocabulary
    mean: Array
    std: Array
    joint_names: tuple[str, ...]
    gripper: str


def load(folder: Path) -> Checkpoint:
    """Read the checkpoint in `folder`.

    Raises:
        ParameterError: a file is missing, broken or contradicts the others.
    """
    sizes = model_config.read(folder)
    path = folder / STATISTICS
    try:
        statistics = json.loads(path.read_text())
        mean, std = (np.array(statistics[name], np.float64) for name in ("mean", "std"))
        names, gripper = tuple(statistics["joint_names"]), statistics["gripper"]
    except (OSError, ValueError, KeyError) as error:
        raise ParameterError(f"compact.checkpoint: {path}: {error!r}; train one with vla-ros train") from None
    shape = (sizes.rows, model_config.ACTION_DIM)
    if mean.shape != shape or std.shape != shape or not (np.isfinite(mean).all() and (std > 0).all()):
        raise ParameterError(f"compact.checkpoint: {path}: mean and std must be finite, std positive, both {shape}")
    if gripper not in names:
        raise ParameterError(f"compact.checkpoint: {path}: gripper {gripper!r} is not one of the joints")
    return Checkpoint(folder, digest(folder), sizes, Vocabulary.load(folder), mean, std, names, gripper)


def observations(checkpoint: Checkpoint, joint_names: Sequence[str]) -> dict[str, Any] | None:
    """Return the statistics of images and joints in training, in the form of a LeRobotDataset's stats.json, or None.

    Args:
        checkpoint: of which folder.
        joint_names: the order of the state.

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


def stored_name(tensor: str) -> str:
    """Return the name in model.safetensors of a tensor of the model."""
    for prefix, stored in STORED_TENSORS.items():
        if tensor.startswith(prefix):
            return stored + tensor.removeprefix(prefix)
    return tensor


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
