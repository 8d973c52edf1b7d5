"""Writes small LeRobot policy folders, without torch: for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from test.unit.policies.binding.contracts import HIGH, LOW, statistics

STATE, ACTION = "observation.state", "action"
FRONT = "observation.images.front"
Statistics = Mapping[str, Mapping[str, np.ndarray]]


def feature(kind: str, *shape: int) -> dict[str, Any]:
    return {"type": kind, "shape": list(shape)}


def arm_statistics(cameras: tuple[str, ...] = (FRONT,)) -> dict[str, dict[str, np.ndarray]]:
    """Statistics of a dataset of the simulated arm: of what is normalised, and of what is not."""
    imagenet = {"mean": np.full((3, 1, 1), 0.45), "std": np.full((3, 1, 1), 0.22)}
    joints = statistics(LOW, HIGH)
    images = {camera: imagenet for camera in cameras}
    return {STATE: dict(joints), ACTION: dict(joints), **images, "timestamp": {"mean": np.array([1.0])}}


def write_folder(
    folder: Path,
    family: str = "act",
    stats: Statistics | None = None,
    mode: str = "MEAN_STD",
    cameras: tuple[str, ...] = (FRONT,),
    width: int = 8,
    action_stats: Statistics | None = None,
    steps: tuple[dict[str, Any], ...] = (),
    **config: Any,
) -> Path:
    """Write a policy folder as LeRobot 0.6 saves it, and return it.

    Args:
        stats: of the normaliser; action_stats: of the unnormaliser, the same where None. mode: of state and action.
        steps: of the preprocessor, before the normaliser. config: entries of config.json that are laid over the usual ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stats = arm_statistics(cameras) if stats is None else stats
    inputs = {camera: feature("VISUAL", 3, 256, 256) for camera in cameras} | {STATE: feature("STATE", width)}
    outputs = {ACTION: feature("ACTION", width)}
    norm_map = {"VISUAL": "MEAN_STD" if family == "act" else "IDENTITY", "STATE": mode, "ACTION": mode}
    whole = {
        **{"type": family, "n_obs_steps": 1, "chunk_size": 100, "n_action_steps": 100, "device": "cpu"},
        **{"input_features": inputs, "output_features": outputs, "normalization_mapping": norm_map, "use_peft": False},
        **config,
    }
    (folder / "config.json").write_text(json.dumps(whole))
    features = {**inputs, **outputs}
    options = {"eps": 1e-8, "features": features, "norm_map": norm_map}
    before = [{"registry_name": "to_batch_processor", "config": {}}, *steps]
    write_processor(folder, "policy_preprocessor", [*before, ("normalizer_processor", options, stats)])
    after = stats if action_stats is None else action_stats
    write_processor(folder, "policy_postprocessor", [("unnormalizer_processor", options, after)])
    save_file({"model.weight": np.ones((2, 3), np.float32)}, folder / "model.safetensors")
    return folder


def write_processor(folder: Path, name: str, steps: list[Any]) -> None:
    """Write a processor. steps: entries of its file, or (name, options, statistics) of steps that have tensors."""
    entries = []
    for number, step in enumerate(steps):
        if isinstance(step, dict):
            entries.append(step)
            continue
        registry_name, options, stats = step
        entry = {"registry_name": registry_name, "config": options}
        flat = {
            f"{key}.{stat}": np.asarray(value, np.float32) for key, of in stats.items() for stat, value in of.items()
        }
        if flat:
            entry["state_file"] = f"{name}_step_{number}_{registry_name}.safetensors"
            save_file(flat, folder / entry["state_file"])
        entries.append(entry)
    (folder / f"{name}.json").write_text(json.dumps({"name": name, "steps": entries}))
