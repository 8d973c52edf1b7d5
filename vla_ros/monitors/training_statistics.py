"""Statistics of the data that a policy was trained on: meta/stats.json of a LeRobotDataset v3."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError

STATE, IMAGES = "observation.state", "observation.images."


@dataclass(frozen=True)
class ImageStatistics:
    """Of one camera. mean, std: (3,) over all pixels, rgb, 0..1."""

    mean: Array
    std: Array


@dataclass(frozen=True)
class TrainingStatistics:
    """Of all inputs of a policy.

    Attributes:
        images: camera name → its statistics.
        lower, upper: (n,) range of the joint positions, rad or m; (0,) when unknown.
    """

    images: Mapping[str, ImageStatistics]
    lower: Array
    upper: Array


def load_statistics(file: str, joint_names: Sequence[str]) -> TrainingStatistics:
    """Read a stats.json.

    Args:
        file: its path.
        joint_names: (n,) the policy's joints; the state in the file has this length.

    Raises:
        ParameterError: it cannot be read, or is not for these joints.
    """
    try:
        tree = json.loads(Path(file).read_text())
    except (OSError, ValueError) as error:
        raise ParameterError(f"monitors.statistics: {file}: {error}") from None
    if not isinstance(tree, Mapping):
        raise ParameterError(f"monitors.statistics: {file}: expected the mapping of a stats.json")
    try:
        return parse_statistics(tree, joint_names)
    except ParameterError as error:
        raise ParameterError(f"monitors.statistics: {file}: {error}") from None


def parse_statistics(tree: Mapping[str, Any], joint_names: Sequence[str]) -> TrainingStatistics:
    """Return the parts of a stats.json that the monitors use: quantiles of the state if it has them, else its extremes.

    Args:
        tree: content of the file.
        joint_names: (n,) the policy's joints.

    Raises:
        ParameterError: a part is missing or has another length.
    """
    images = {}
    for key in tree:
        if key.startswith(IMAGES):
            mean, std = (_numbers(tree, key, name, 3) for name in ("mean", "std"))
            images[key.removeprefix(IMAGES)] = ImageStatistics(mean, np.maximum(std, 1e-3))
    if STATE not in tree:
        return TrainingStatistics(images, np.zeros(0), np.zeros(0))
    low, high = ("q01", "q99") if "q01" in tree[STATE] else ("min", "max")
    lower, upper = (_numbers(tree, STATE, name, len(joint_names)) for name in (low, high))
    return TrainingStatistics(images, lower, upper)


def _numbers(tree: Mapping[str, Any], key: str, name: str, count: int) -> Array:
    try:
        numbers = np.ravel(np.asarray(tree[key][name], np.float64))
    except (KeyError, TypeError, ValueError):
        raise ParameterError(f"{key}.{name}: expected {count} numbers") from None
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise ParameterError(f"{key}.{name}: expected {count} finite numbers, got {numbers.tolist()[:12]}")
    return numbers
