"""A LeRobot policy folder as a `ChunkModel`: LeRobot's classes and processors load it and predict.

Offline: what is not in the folder, in `tokenizer` or in the local cache is refused, not fetched.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vla_ros.policies.process_child import OFFLINE

os.environ.update(OFFLINE)  # before anything of the hub is imported

import cv2
import numpy as np
import torch
from lerobot.policies.rtc import RTCConfig, reanchor_relative_rtc_prefix
from lerobot.policies.utils import prepare_observation_for_inference
from lerobot.processor import NormalizerProcessorStep, RelativeActionsProcessorStep

from vla_ros.arrays import Array, Image
from vla_ros.parameters import ParameterError
from vla_ros.policies.chunk_model import Observation
from vla_ros.policies.lerobot.folder import LeRobotFolder
from vla_ros.policies.lerobot.history import ObservationHistory
from vla_ros.policies.lerobot.loading import load_config, load_processors, weights_of
from vla_ros.policies.lerobot.temporal_ensemble import TemporalEnsemble
from vla_ros.time import NS_PER_S

ACTION, STATE, IMAGES, IMAGE = "action", "observation.state", "observation.images", "observation.image"
FIXED_SIZE = ("act", "diffusion", "multi_task_dit", "tdmpc", "vqbet")
"""Families that take images of the size that they were trained with; the others resize by themselves."""
TIME_FIRST = ("tdmpc",)
"""Families whose chunk is (T, 1, width); that of the others is (1, T, width)."""
STEPPED = ("lingbot_va",)
"""Families that want to see what became of each action, and predict the next chunk when the last one is played."""
PRECISION = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class LeRobotModel:
    """A policy folder, loaded.

    The noise that a chunk begins with is the same for each chunk, so that equal observations give equal chunks.

    Args:
        folder: that holds config.json.
        rate_hz: rows of a chunk per second.
        tokenizer, config, device, precision, seed, threads, real_time_chunking, execution_horizon: see `LeRobotParameters`.

    Attributes:
        checkpoint, contract: see `ChunkModel`.
        policy: LeRobot's object. preprocessor, postprocessor: its processors.
        guided: whether chunks are guided by the one before them.

    Raises:
        ParameterError: the folder is not whole, or does not load.
    """

    def __init__(
        self,
        folder: str,
        rate_hz: float,
        tokenizer: str = "",
        config: Sequence[str] = (),
        device: str = "auto",
        precision: str = "as_saved",
        seed: int = 0,
        threads: int = 1,
        real_time_chunking: bool = True,
        execution_horizon: int = 10,
    ) -> None:
        torch.set_num_threads(threads)
        read = LeRobotFolder(folder)
        read.require_sound()
        self.contract = read.contract()
        self.checkpoint = _hash(read.path, [tokenizer, *config, precision, str(seed)])
        loaded = load_config(read, config, _device(device), tokenizer)
        self.policy = weights_of(loaded, read.path)
        self.preprocessor, self.postprocessor = load_processors(loaded, read.path, tokenizer)
        self._config, self._family = self.policy.config, read.type
        self._device = torch.device(loaded.device)
        self._seed, self._rate_hz, self._precision = seed, rate_hz, precision
        self._relative = next(
            (
                step
                for step in self.preprocessor.steps
                if isinstance(step, RelativeActionsProcessorStep) and step.enabled
            ),
            None,
        )
        self.guided = real_time_chunking and _guide(self.policy, execution_horizon)
        images = list(self._config.image_features)
        if IMAGE in (getattr(self.policy, "_queues", None) or ()) and images[:1] != [IMAGE]:
            raise ParameterError(f"{read.path}: LeRobot's {read.type} reads {IMAGE} alone, and this one has {images}")
        self._history: ObservationHistory[dict[str, Any]] = ObservationHistory(
            int(getattr(self._config, "n_obs_steps", 1)), rate_hz
        )
        coefficient = getattr(self._config, "temporal_ensemble_coeff", None)
        self._ensemble = None if coefficient is None else TemporalEnsemble(coefficient, rate_hz)
        self._previous: tuple[int, Any, Any] | None = None  # stamp, chunk of the model, chunk in units
        self._step: tuple[int, Any] | None = None  # stamp and action of the last step of a policy that is STEPPED
        self.reset()

    def reset(self) -> None:
        """Forget observations and chunks; see `ChunkModel`."""
        self.policy.reset()
        self.preprocessor.reset()
        self.postprocessor.reset()
        self._history.clear()
        if self._ensemble is not None:
            self._ensemble.clear()
        self._previous = self._step = None

    def infer(self, observation: Observation) -> Array:
        """Return a chunk; see `ChunkModel`."""
        with torch.no_grad(), self._noise(), self._autocast():
            batch = self._remembered(self._preprocessed(observation), observation.stamp_ns)
            if self._family in STEPPED:
                chunk = self._stepped(batch, observation.stamp_ns)
            else:
                guidance = self._guidance(observation) if self.guided else {}
                chunk = self.policy.predict_action_chunk(batch, **guidance)
            if self._family in TIME_FIRST:  # each action of the plan is for several steps
                chunk = chunk.transpose(0, 1).repeat_interleave(self._config.n_action_repeats, dim=1)
            actions = self.postprocessor(chunk)
        self._previous = (observation.stamp_ns, chunk[0].float(), actions[0].float())
        rows = np.asarray(actions[0].float().cpu().numpy(), np.float64)
        return rows if self._ensemble is None else self._ensemble.add(observation.stamp_ns, rows)

    # What the policy sees.

    def _preprocessed(self, observation: Observation) -> dict[str, Any]:
        """Return the batch that LeRobot's preprocessor makes of an observation."""
        slots = {slot.name: slot for slot in self.contract.cameras}
        frame: dict[str, Any] = {
            name: self._sized(image, slots[name].height, slots[name].width)
            for name, image in observation.images.items()
        }
        if observation.state is not None:
            frame[STATE] = np.asarray(observation.state, np.float32)
        frame = prepare_observation_for_inference(frame, self._device, observation.instruction)
        frame["task"] = [observation.instruction]
        batch = dict(self.preprocessor(frame))
        batch.pop(ACTION, None)
        return batch

    def _sized(self, image: Image, height: int, width: int) -> Image:
        """Return the image as large as the policy wants it, C-contiguous."""
        if self._family in FIXED_SIZE and image.shape[:2] != (height, width):
            shrinks = height * width < image.shape[0] * image.shape[1]
            method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            return np.array(cv2.resize(image, (width, height), interpolation=method), np.uint8)
        return np.array(image, np.uint8, order="C")

    def _remembered(self, batch: dict[str, Any], stamp_ns: int) -> dict[str, Any]:
        """Put the observations that the policy wants to see into its queues, and return the newest one."""
        queues: Mapping[str, Any] | None = getattr(self.policy, "_queues", None)
        wanted = set(queues or ()) - {ACTION}
        if queues is None or not wanted:
            return batch
        names = list(self._config.image_features)
        if IMAGES in wanted and names:
            batch[IMAGES] = torch.stack([batch[name] for name in names], dim=-4)
        if IMAGE in wanted and names:
            batch[IMAGE] = batch[names[0]]
        seen = self._history.add(stamp_ns, {name: batch[name] for name in wanted if name in batch})
        for queue in queues.values():
            queue.clear()
        for past in seen:
            for name, value in past.items():
                queues[name].append(value)
        return batch

    def _guidance(self, observation: Observation) -> dict[str, Any]:
        """Return the arguments of real-time chunking: what is left of the chunk being played, and how much is committed."""
        if self._previous is None:
            return {}
        stamp_ns, chunk, actions = self._previous
        played = round((observation.stamp_ns - stamp_ns) / NS_PER_S * self._rate_hz)
        if not 0 <= played < len(chunk):
            return {}
        rest = chunk[played:]
        if self._relative is not None:  # the model's values are offsets from a state that is past
            normalizer = next((s for s in self.preprocessor.steps if isinstance(s, NormalizerProcessorStep)), None)
            state = self._relative.get_cached_state()
            rest = reanchor_relative_rtc_prefix(actions[played:], state, self._relative, normalizer, self._device)
        delay = math.ceil(observation.inference_delay_s * self._rate_hz)
        return {"inference_delay": min(delay, len(rest)), "prev_chunk_left_over": rest}

    def _stepped(self, batch: dict[str, Any], stamp_ns: int) -> Any:
        """Let the policy take as many of its own steps as rows have been played, and return what is left of its chunk."""
        queue = self.policy._action_queue
        due = 1 if self._step is None else round((stamp_ns - self._step[0]) / NS_PER_S * self._rate_hz)
        for _ in range(min(due, len(queue) + 1)):  # beyond its end the arm has waited for this one
            self._step = (stamp_ns, self.policy.select_action(dict(batch)))
        assert self._step is not None
        return torch.stack([self._step[1], *self.policy._action_queue], dim=1)

    # How it computes.

    @contextlib.contextmanager
    def _noise(self) -> Iterator[None]:
        """Let torch draw the same numbers each time."""
        if self._seed < 0:
            yield
            return
        devices = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices):
            torch.manual_seed(self._seed)
            yield

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self._precision in PRECISION:
            return torch.autocast(self._device.type, PRECISION[self._precision])
        return torch.autocast(self._device.type) if self._config.use_amp else contextlib.nullcontext()


def _device(name: str) -> str:
    """Return torch's name of a device.

    Raises:
        ParameterError: there is no such device here.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError, ValueError) as error:
        text = " ".join(str(error).split())[:200]
        raise ParameterError(f"lerobot.device: {name!r} cannot be used here ({text}); use auto or cpu") from None
    return name


def _guide(policy: Any, horizon: int) -> bool:
    """Switch real-time chunking on, and return whether the policy has it."""
    if not policy.supports_rtc():
        return False
    own = getattr(policy.config, "rtc_config", None) or RTCConfig()
    policy.config.rtc_config = dataclasses.replace(own, enabled=True, execution_horizon=horizon)
    if hasattr(policy, "init_rtc_processor"):  # GR00T does it by itself
        policy.init_rtc_processor()
    return True


def _hash(folder: Path, options: Sequence[str]) -> str:
    """Return sha256 of the files of a checkpoint and of options that change what it predicts."""
    digest = hashlib.sha256("\0".join(options).encode())
    for path in sorted([*folder.glob("*.json"), *folder.glob("*.safetensors")]):
        digest.update(path.name.encode() + b"\0")
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
