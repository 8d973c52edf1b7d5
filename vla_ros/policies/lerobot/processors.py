"""What the pre- and postprocessor of a LeRobot checkpoint normalise, by which statistics, read from their files.

Format (LeRobot 0.6): policy_preprocessor.json and policy_postprocessor.json hold "steps", each with "registry_name",
"config" and, where it has tensors, "state_file", a safetensors file of "<feature>.<statistic>".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.weight_files import read_json, read_tensors

PREPROCESSOR, POSTPROCESSOR = "policy_preprocessor.json", "policy_postprocessor.json"
NORMALIZERS = ("normalizer_processor", "molmoact2_masked_normalizer")
UNNORMALIZERS = ("unnormalizer_processor", "molmoact2_masked_unnormalizer")
GROOT_PACK, GROOT_UNPACK = (
    "groot_n1_7_pack_inputs_v1",
    ("groot_action_unpack_unnormalize_v2", "groot_n1_7_action_decode_v1"),
)
"""GR00T normalises inside its own steps, by extremes (or quantiles under their names)."""
RELATIVE, RENAME = "relative_actions_processor", "rename_observations_processor"


@dataclass(frozen=True)
class ProcessorStepFile:
    """One step of a processor.

    Attributes:
        name: in LeRobot's registry, or the class.
        config: its options.
        statistics: feature → statistic → (width,) or, of images, (3, 1, 1).
    """

    name: str
    config: Mapping[str, Any]
    statistics: Mapping[str, Mapping[str, Array]]

    def mode(self, kind: str) -> str:
        """Return how features of a kind ("STATE", "ACTION", "VISUAL") are normalised, in lower case; empty: not said."""
        norm_map = self.config.get("norm_map")
        return str(norm_map.get(kind, "IDENTITY")).lower() if isinstance(norm_map, Mapping) else ""

    def reaches(self, feature: str) -> bool:
        """Return whether an observation of this name is normalised at all."""
        features, keys = self.config.get("features"), self.config.get("normalize_observation_keys")
        return isinstance(features, Mapping) and feature in features and (keys is None or feature in keys)


def read_steps(path: Path) -> tuple[ProcessorStepFile, ...]:
    """Return the steps of a processor.

    Raises:
        ParameterError: the file or one of its statistics is absent, torn or of another format.
    """
    steps = read_json(path).get("steps")
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise ParameterError(f"{path}: expected a list of steps")
    return tuple(_step(path, step) for step in steps)


def step_named(steps: tuple[ProcessorStepFile, ...], *names: str) -> ProcessorStepFile | None:
    """Return the first step that has one of these names."""
    return next((step for step in steps if step.name in names), None)


def _step(path: Path, step: Mapping[str, Any]) -> ProcessorStepFile:
    config, name = step.get("config"), str(step.get("registry_name") or step.get("class") or "")
    statistics: dict[str, dict[str, Array]] = {}
    if file := step.get("state_file"):
        for key, values in read_tensors(path.parent / Path(str(file)).name).items():
            feature, _, statistic = key.rpartition(".")
            statistics.setdefault(feature, {})[statistic] = np.asarray(values, np.float64)
    return ProcessorStepFile(name, config if isinstance(config, dict) else {}, statistics)
