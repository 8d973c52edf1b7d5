"""Writes checkpoints: weights, vocabulary, statistics and provenance."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vla_ros.lab.training.train_parameters import TrainParameters
from vla_ros.policies.compact.checkpoint import OBSERVATIONS, STATISTICS, stored_name
from vla_ros.policies.compact.model import CompactModel
from vla_ros.policies.compact.vocabulary import Vocabulary
from vla_ros.sim.arm_description import JOINT_NAMES

CODE = ("policies/compact", "policies/continuation.py", "lab/training", "tasks", "sim", "robot", "transforms.py")


def write(
    folder: Path,
    model: CompactModel,
    weights: Mapping[str, Tensor],
    vocabulary: Vocabulary,
    scale: Mapping[str, Any],
    provenance: Mapping[str, Any],
    training_data: Mapping[str, Any],
) -> None:
    """Write a checkpoint in the layout of transformers, weights in half precision.

    Args:
        folder: where to.
        model: gives the configuration.
        weights: what is written, e.g. the averaged ones.
        vocabulary: of the language.
        scale: mean and std of the actions.
        provenance: what made it.
        training_data: its statistics, see `scene_images.observations`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    half = {stored_name(name): value.detach().to(torch.float16).cpu().contiguous() for name, value in weights.items()}
    model.save_pretrained(folder, state_dict=half)
    vocabulary.save(folder)
    statistics = {"joint_names": list(JOINT_NAMES), "gripper": "finger_joint", **scale, "made_by": dict(provenance)}
    (folder / STATISTICS).write_text(json.dumps(statistics, indent=1) + "\n")
    (folder / OBSERVATIONS).write_text(json.dumps(dict(training_data), indent=1) + "\n")


def provenance(parameters: TrainParameters, data: Mapping[str, str]) -> dict[str, Any]:
    """Return hashes of code, data and configuration.

    Args:
        parameters: of the run.
        data: name of each source of data and what it was made from.
    """
    package = Path(__file__).resolve().parents[2]
    code = hashlib.sha256()
    for room in CODE:
        for path in sorted((package / room).rglob("*.py")) or [package / room]:
            code.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    config = asdict(parameters)
    return {
        "code": code.hexdigest(),
        "config": hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest(),
        "commit": _commit(package),
        "data": dict(data),
        "parameters": config,
    }


def file_hash(path: Path) -> str:
    """Return the blake2b of a file. It is stored beside the file, of gigabytes at times, until the file is newer."""
    kept = path.with_suffix(".blake2b")
    if not kept.is_file() or kept.stat().st_mtime_ns < path.stat().st_mtime_ns:
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "blake2b").hexdigest()
        with suppress(OSError):  # the folder of the file may be read-only
            kept.write_text(digest)
        return digest
    return kept.read_text()


def _commit(folder: Path) -> str:
    found = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip()
