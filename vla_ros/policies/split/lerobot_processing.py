"""LeRobot's processors of a checkpoint, cut like the model: System 2 runs all that prepare an observation, System 1 the
normalisation of the state and of the actions alone, which needs no tokenizer.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vla_ros.arrays import Array, Image
from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.checkpoint_contract import CheckpointContract
from vla_ros.policies.lerobot.folder import LeRobotFolder
from vla_ros.policies.split.checkpoint_files import CheckpointFiles

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before LeRobot is imported: no checkpoint is looked for elsewhere

from lerobot.configs import PreTrainedConfig
from lerobot.processor import (
    NormalizerProcessorStep,
    PolicyProcessorPipeline,
    TransitionKey,
    UnnormalizerProcessorStep,
    create_transition,
)
from safetensors.torch import load_file

PREPROCESSOR, POSTPROCESSOR = "policy_preprocessor.json", "policy_postprocessor.json"
STATE, ACTION = "observation.state", "action"


def opened(checkpoint: str, family: str) -> tuple[CheckpointFiles, CheckpointContract, Any]:
    """Return the files of a LeRobot policy folder, what it wants of a robot, and LeRobot's configuration of it.

    Raises:
        ParameterError: it is not whole, of another family, its statistics do not bind, or this LeRobot does not read it.
    """
    key = f"{family}.checkpoint"
    if not checkpoint:
        raise ParameterError(f"{key}: required and missing (folder of a checkpoint)")
    try:
        folder = LeRobotFolder(checkpoint, shards=True)
        if folder.type != family:
            raise ParameterError(f"{folder.path} is of {folder.type}, expected {family}; choose the policy accordingly")
        folder.require_sound()
        contract = folder.contract()
    except ParameterError as error:
        raise ParameterError(f"{key}: {error}") from None
    files = CheckpointFiles(folder.path, key)
    try:
        return files, contract, PreTrainedConfig.from_pretrained(files.folder, local_files_only=True)
    except Exception as error:  # draccus raises what its fields raise
        text = " ".join(str(error).split())[:200]
        raise ParameterError(f"{key}: {files.folder}/config.json is not one of this LeRobot: {text}") from None


class Normalization:
    """The state and the actions of a checkpoint, normalised and back."""

    def __init__(self, files: CheckpointFiles) -> None:
        self._files = files
        self._normalizer: Any = self._step(PREPROCESSOR, "normalizer_processor", NormalizerProcessorStep)
        self._unnormalizer: Any = self._step(POSTPROCESSOR, "unnormalizer_processor", UnnormalizerProcessorStep)

    def state(self, state: Array) -> Tensor:
        """Return (1, width) normalised of (width,) in the checkpoint's units."""
        given = torch.from_numpy(np.asarray(state, np.float32))[None]
        done = self._normalizer(create_transition(observation={STATE: given}))
        normalized: Tensor = done[TransitionKey.OBSERVATION][STATE]
        return normalized

    def normalized(self, actions: Array) -> Tensor:
        """Return (T, width) normalised actions of (T, width) in the checkpoint's units."""
        given = torch.from_numpy(np.asarray(actions, np.float32))
        done: Tensor = self._normalizer(create_transition(observation={}, action=given))[TransitionKey.ACTION]
        return done

    def actions(self, normalized: Tensor) -> Array:
        """Return (T, width) in the checkpoint's units of (1, T, width) normalised ones."""
        done: Tensor = self._unnormalizer(create_transition(action=normalized.cpu()))[TransitionKey.ACTION]
        return done[0].float().numpy().astype(np.float64)

    def _step(self, pipeline: str, name: str, cls: type[Any]) -> Any:
        for entry in self._files.json_of(pipeline).get("steps", []):
            if entry.get("registry_name") == name:
                step = cls(**entry.get("config", {}))
                if state := entry.get("state_file"):
                    try:
                        step.load_state_dict(load_file(self._files.folder / state))
                    except Exception as error:
                        text = " ".join(str(error).split())[:200]
                        raise ParameterError(
                            f"{self._files.key}: the statistics {self._files.folder / state} cannot be read: {text}"
                        ) from None
                return step
        raise ParameterError(
            f"{self._files.key}: {self._files.folder / pipeline} has no {name}; it is no LeRobot policy"
        )


class Preprocessor:
    """The whole preprocessor of a checkpoint, for System 2.

    Args:
        files: the checkpoint.
        device: of the model.
        tokenizer: folder of the tokenizer; empty: as the checkpoint says.
        option: parameter that names the tokenizer, for error texts.
        overrides: of further steps, by their registered name.
    """

    def __init__(
        self,
        files: CheckpointFiles,
        device: str,
        tokenizer: str,
        option: str,
        overrides: Mapping[str, Mapping[str, object]] | None = None,
    ) -> None:
        names = [entry.get("registry_name") for entry in files.json_of(PREPROCESSOR).get("steps", [])]
        given: dict[str, Any] = {name: dict(values) for name, values in (overrides or {}).items()}
        if "device_processor" in names:
            given["device_processor"] = {"device": device}
        if tokenizer and "tokenizer_processor" in names:
            given["tokenizer_processor"] = {"tokenizer_name": tokenizer}
        try:
            self._pipeline: Any = PolicyProcessorPipeline.from_pretrained(
                str(files.folder), PREPROCESSOR, local_files_only=True, overrides=given
            )
        except Exception as error:
            text = " ".join(str(error).split())[:200]
            raise ParameterError(
                f"{files.key}: the preprocessor of {files.folder} cannot be made: {text}; where its tokenizer is not "
                f"there, name its folder in {option}"
            ) from None

    def __call__(self, images: Mapping[str, Image], state: Array | None, instruction: str) -> dict[str, Any]:
        """Return the batch that the model takes. images: input → (H, W, 3) uint8 rgb."""
        observation: dict[str, Any] = {
            name: torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255.0
            for name, image in images.items()
        }
        if state is not None:
            observation[STATE] = torch.from_numpy(np.asarray(state, np.float32))
        batch: dict[str, Any] = self._pipeline({**observation, "task": instruction})
        return batch
