"""pi0 of transformers in two halves: no LeRobot is needed, and any Python from 3.11 on does.

System 2 runs images and words through PaliGemma and sends the keys and values. System 1 reads the newest state and integrates
the expert ("dit") over them, from flow time 1 to 0.

Source: transformers `models/pi0`: `PI0ForConditionalGeneration.sample_actions` is what both halves together compute.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vla_ros.arrays import Array, Image
from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.checkpoint_contract import CameraSlot, CheckpointContract, VectorSpec
from vla_ros.policies.contract import Plan
from vla_ros.policies.latents import NewArray
from vla_ros.policies.split.cache_tensors import Cache, cache_array, cache_of
from vla_ros.policies.split.checkpoint_files import CheckpointFiles
from vla_ros.policies.split.flow_integration import DOWN, Velocity
from vla_ros.policies.split.half_weights import Half, cast_parameters, check_complete, load, without_memory
from vla_ros.policies.split.halves import Latents
from vla_ros.policies.split.quantized_weights import BFLOAT16_BASED, quantize
from vla_ros.policies.split.remade_buffers import remake
from vla_ros.policies.split.split_parameters import Pi0Parameters

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before transformers is imported

from transformers import AutoProcessor, DynamicCache, PI0Config, PI0ForConditionalGeneration
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import WeightConverter, rename_source_key

VLM, EXPERT = ("model.vlm.",), ("model.dit.", "embed_action_time.", "action_out_proj.")
EXPERT_UNUSED = ("model.dit.embed_tokens.",)
PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json")
EPSILON = 1e-8
"""Source: `PI0Processor`."""
CACHE = "cache" if "cache" in inspect.signature(PI0ForConditionalGeneration.forward).parameters else "past_key_values"
"""Later versions of transformers call the key-value cache so."""
TOKEN_TYPES = "token_type_ids" in inspect.unwrap(PI0ForConditionalGeneration.sample_actions).__code__.co_varnames
"""Later versions let the prompt's tokens see each other in both directions when they sample, as in training; 5.5 does so in
training alone. Each version is followed as it is."""


class _Pi0:
    """What both halves share: the class without memory, this half's weights in it, and the contract."""

    def __init__(self, parameters: Pi0Parameters, prefixes: Sequence[str], without: Sequence[str]) -> None:
        self.device = parameters.device
        self.files = CheckpointFiles(parameters.checkpoint, "pi0.checkpoint")
        if self.files.config.get("model_type") != "pi0":
            model = self.files.config.get("type") or self.files.config.get("model_type")
            raise ParameterError(
                f"pi0.checkpoint: {self.files.folder} is of {model}, expected model_type pi0 of transformers"
            )
        self.checkpoint = self.files.identity("pi0", "transformers", parameters.cameras)
        self.config = PI0Config.from_pretrained(self.files.folder)
        self.statistics = _statistics(self.files)
        self.contract = self._contract(parameters.cameras)
        stored = str(self.config.dtype or torch.float32).removeprefix("torch.")
        chosen = "bfloat16" if parameters.weights in BFLOAT16_BASED else parameters.weights
        self.dtype = getattr(torch, chosen if chosen in ("float32", "bfloat16") else stored)
        with without_memory():
            self.model: Any = PI0ForConditionalGeneration(self.config)
            cast_parameters(self.model, self.dtype)
        half = Half(self.files, prefixes, without, self._sources(), "pi0 of transformers")
        load(self.model, half, self.device)
        remake(self.model, self.device, half.needs)
        check_complete(self.model, half)
        quantize(self.model, parameters.weights, half.needs, "pi0.weights")

    def _sources(self) -> dict[str, str]:
        """Return name in the model → name in the checkpoint, as transformers itself renames."""
        transforms = get_model_conversion_mapping(self.model)
        converters = [transform for transform in transforms if isinstance(transform, WeightConverter)]
        renamings = [transform for transform in transforms if not isinstance(transform, WeightConverter)]
        known = self.model.state_dict()
        sources = {}
        for source in self.files.tensors:
            name, _ = rename_source_key(source, renamings, converters)
            sources[source if name not in known and source in known else name] = source
        return sources

    def _contract(self, cameras: Sequence[str]) -> CheckpointContract:
        if not cameras:
            raise ParameterError(
                "pi0.cameras: required for a checkpoint of transformers, which does not name its images: the names of its "
                "image slots in its order, e.g. [base, wrist]"
            )
        slots = tuple(CameraSlot(name, 0, 0) for name in cameras)
        state, action = (
            VectorSpec((), len(self.statistics[f"{name}_mean"]), {
                "mean": self.statistics[f"{name}_mean"], "std": self.statistics[f"{name}_std"]
            })
            for name in ("state", "actions")
        )  # fmt: skip
        return CheckpointContract(
            family="pi0",
            source=str(self.files.folder),
            cameras=slots,
            state=state,
            action=action,
            chunk_size=self.config.chunk_size,
            normalization={"state": "mean_std", "action": "mean_std"},
        )


class Pi0TransformersVision(_Pi0):
    """The vision-language half; see `halves.VisionLanguageHalf`."""

    sees_state = False

    def __init__(self, parameters: Pi0Parameters) -> None:
        super().__init__(parameters, VLM, ())
        self._wire_dtype = parameters.wire_dtype
        self.new_array: NewArray = np.empty
        folder = parameters.tokenizer or str(self.files.folder)
        try:
            self._processor: Any = AutoProcessor.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError) as error:
            text = " ".join(str(error).split())[:200]
            raise ParameterError(f"pi0.tokenizer: {folder} has no processor of pi0: {text}") from None

    @torch.no_grad()
    def latents(self, images: Mapping[str, Image], state: Array | None, instruction: str) -> Latents:
        """Return the key-value cache."""
        pictures = [images[slot.name] for slot in self.contract.cameras if slot.name in images]
        given = self._processor(images=[pictures], text=[instruction], return_tensors="pt").to(self.device)
        mask = given["attention_mask"]
        pixels = given["pixel_values"].to(self.dtype)
        embedded = self.model.model.embed_prefix(given["input_ids"], pixels, given["pixel_attention_mask"])
        kinds = {"token_type_ids": torch.zeros_like(embedded)[:, :, 0]} if TOKEN_TYPES else {}
        out = self.model.model.vlm(
            inputs_embeds=embedded,
            attention_mask=mask,
            position_ids=mask.cumsum(-1) - 1,
            use_cache=True,
            return_dict=True,
            **kinds,
        )
        cache = getattr(out, CACHE)
        data = cache_array(
            [(layer.keys, layer.values) for layer in cache.layers], mask[0].bool(), self._wire_dtype, self.new_array
        )
        return Latents("kv_cache", data, mask[0].cpu().numpy().astype("uint8"))


class Pi0TransformersExpert(_Pi0):
    """The action half; see `halves.ExpertHalf`."""

    flow = DOWN

    def __init__(self, parameters: Pi0Parameters) -> None:
        super().__init__(parameters, EXPERT, EXPERT_UNUSED)
        self.steps = self.config.num_inference_steps
        self.rows = self.config.chunk_size
        self.noise_shape = (1, self.config.chunk_size, self.config.max_action_dim)
        self.noise_dtype = self.dtype
        dit = self.config.dit_config
        self._shape = (dit.num_hidden_layers, dit.num_key_value_heads, dit.head_dim)
        self._embed: Any = self.model.embed_action_time.forward
        self._clean_rows = 0
        self.model.embed_action_time.forward = self._embedded

    def context(self, plan: Plan) -> tuple[Cache, Tensor]:
        """Return cache and mask (1, tokens)."""
        return cache_of(plan, *self._shape, self.dtype, self.device)

    def velocity(self, context: tuple[Cache, Tensor], state: Array | None) -> Velocity:
        """Return the flow."""
        layers, mask = context
        assert state is not None
        normalized = self._normalized(torch.from_numpy(np.asarray(state, np.float32)), "state")
        padded = nn.functional.pad(normalized, (0, self.config.max_state_dim - len(state)))[None]
        padded = padded.to(self.device, self.dtype)
        cache = DynamicCache()
        for number, (keys, values) in enumerate(layers):
            cache.update(keys, values, number)
        stored = [(layer.keys, layer.values) for layer in cache.layers]
        attention = mask.long()

        def velocity(x: Tensor, time: float, clean_rows: int) -> Tensor:
            self._clean_rows = clean_rows
            moment = torch.tensor(time, dtype=torch.float32, device=self.device).expand(1)
            out = self.model(state=padded, noise=x, timestep=moment, attention_mask=attention, **{CACHE: cache})
            for layer, (keys, values) in zip(cache.layers, stored, strict=True):
                layer.keys, layer.values = keys, values
            v: Tensor = out.logits
            return v

        return velocity

    def normalized(self, actions: Array) -> Tensor:
        """Return them normalised, with zeros in the flow's further columns, as in training."""
        given = self._normalized(torch.from_numpy(np.asarray(actions, np.float32)), "actions")
        return nn.functional.pad(given, (0, self.noise_shape[2] - actions.shape[1]))

    def actions(self, flowed: Tensor) -> Array:
        """Return them in the checkpoint's units."""
        mean, std = self.statistics["actions_mean"], self.statistics["actions_std"]
        normalized = flowed[0, :, : len(mean)].float().cpu().numpy().astype(np.float64)
        return normalized * (std + EPSILON) + mean

    def _normalized(self, values: Tensor, feature: str) -> Tensor:
        mean, std = (
            torch.tensor(self.statistics[f"{feature}_{kind}"], dtype=torch.float32) for kind in ("mean", "std")
        )
        return (values - mean) / (std + EPSILON)

    def _embedded(self, state: Tensor, noise: Tensor, timestep: Tensor) -> Tensor:
        """Embed state, actions and time, with the clean rows at flow time 0. The state is the first token."""
        embedded: Tensor = self._embed(state, noise, timestep)
        if self._clean_rows:
            clean = self._embed(state, noise, torch.zeros_like(timestep))
            last = 1 + self._clean_rows
            embedded = torch.cat([clean[:, :last], embedded[:, last:]], dim=1)
        return embedded


def _statistics(files: CheckpointFiles) -> dict[str, Array]:
    """Return mean and std of state and actions, from the processor's configuration or from openpi's norm_stats.json."""
    found: dict[str, Any] = {}
    for name in PROCESSOR_FILES:
        if (files.folder / name).is_file():
            found |= {key: value for key, value in files.json_of(name).items() if key.endswith(("_mean", "_std"))}
    if (files.folder / "norm_stats.json").is_file():
        stats = files.json_of("norm_stats.json")
        stats = stats.get("norm_stats", stats)
        found |= {f"{key}_{kind}": stats[key][kind] for key in stats for kind in ("mean", "std") if kind in stats[key]}
    wanted = [f"{feature}_{kind}" for feature in ("state", "actions") for kind in ("mean", "std")]
    if missing := [name for name in wanted if not found.get(name)]:
        raise ParameterError(
            f"pi0.checkpoint: {files.folder} has no {', '.join(missing)} in {PROCESSOR_FILES[0]} or norm_stats.json; without "
            "the statistics of its training its numbers mean nothing"
        )
    return {name: np.asarray(found[name], np.float64) for name in wanted}
