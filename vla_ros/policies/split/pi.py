"""pi0 and pi0.5 of LeRobot in two halves.

System 2 runs images and words through PaliGemma and sends the keys and values; pi0.5 has the state in its words. System 1
integrates the Gemma expert over them, from flow time 1 to 0; pi0 reads the newest state there.

Source: LeRobot 0.6 `policies/pi0` and `policies/pi05`: `sample_actions` is what both halves together compute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vla_ros.arrays import Array, Image
from vla_ros.parameters import ParameterError
from vla_ros.policies.contract import Plan
from vla_ros.policies.latents import NewArray
from vla_ros.policies.split.cache_tensors import Cache, cache_array, cache_of
from vla_ros.policies.split.flow_integration import DOWN, Velocity
from vla_ros.policies.split.half_weights import Half, check_complete, load, without_memory
from vla_ros.policies.split.halves import Latents
from vla_ros.policies.split.lerobot_processing import (
    STATE,
    Normalization,
    Preprocessor,
    opened,
)
from vla_ros.policies.split.quantized_weights import BFLOAT16_BASED, quantize
from vla_ros.policies.split.remade_buffers import remake
from vla_ros.policies.split.split_parameters import Pi0Parameters, Pi05Parameters

from lerobot.policies.common.vla_utils import make_att_2d_masks, prepare_attention_masks_4d  # isort: skip
from transformers import DynamicCache  # isort: skip

VLM = "model.paligemma_with_expert.paligemma."
EXPERT = "model.paligemma_with_expert.gemma_expert."
ACTIONS = ("model.action_", "model.state_proj.", "model.time_mlp_")
VLM_UNUSED, EXPERT_UNUSED = (VLM + "lm_head.",), (EXPERT + "lm_head.",)
"""Inference writes no words."""
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model")


class _Name(str):
    """A name in the place of a tensor: LeRobot's own renaming of checkpoints moves it."""

    def clone(self) -> _Name:
        return self


class _Pi:
    """What both halves share: the class without memory, this half's weights in it, and the contract."""

    def __init__(
        self, family: str, parameters: Pi0Parameters | Pi05Parameters, prefixes: Sequence[str], without: Sequence[str]
    ) -> None:
        self.family, self.device = family, parameters.device
        self.files, self.contract, self.config = opened(parameters.checkpoint, family)
        relative = parameters.binding.action_kind == "relative"
        if bool(self.config.use_relative_actions) != relative:
            kind = "relative" if self.config.use_relative_actions else "absolute"
            raise ParameterError(
                f"{family}.binding.action_kind: the actions of {self.files.folder} are {kind}, as its config.json says; "
                f"write {kind}"
            )
        self.checkpoint = self.files.identity(family, "lerobot")
        self.normalization = Normalization(self.files)
        self.policy = self._built(parameters.weights)
        self.model: nn.Module = self.policy
        self.flow_model: Any = self.policy.model
        half = Half(self.files, prefixes, without, self._sources(), f"{family} of LeRobot")
        load(self.policy, half, self.device)
        remake(self.policy, self.device, half.needs)
        check_complete(self.policy, half)
        quantize(self.policy, parameters.weights, half.needs, f"{family}.weights")

    def _built(self, weights: str) -> Any:
        if weights == "float32" or weights in BFLOAT16_BASED:
            self.config.dtype = "float32" if weights == "float32" else "bfloat16"
        self.config.compile_model, self.config.gradient_checkpointing = False, False
        self.config.rtc_config, self.config.device = None, "meta"
        with without_memory():
            return _policy_class(self.family)(self.config)

    def _sources(self) -> dict[str, str]:
        names = self.policy._fix_pytorch_state_dict_keys(
            {name: _Name(name) for name in self.files.tensors}, self.config
        )
        return {name if name.startswith("model.") else f"model.{name}": str(source) for name, source in names.items()}


class PiVision(_Pi):
    """The vision-language half; see `halves.VisionLanguageHalf`."""

    def __init__(self, family: str, parameters: Pi0Parameters | Pi05Parameters) -> None:
        super().__init__(family, parameters, (VLM,), VLM_UNUSED)
        self._wire_dtype = parameters.wire_dtype
        self.new_array: NewArray = np.empty
        # LeRobot takes the device of the first parameter, which would be this one's, and it is not loaded.
        self.flow_model.paligemma_with_expert.paligemma.lm_head = None
        self.sees_state = family == "pi05"
        own = any((self.files.folder / name).is_file() for name in TOKENIZER_FILES)
        tokenizer = parameters.tokenizer or (str(self.files.folder) if own else "")
        self._preprocessor = Preprocessor(self.files, self.device, tokenizer, f"{family}.tokenizer")

    @torch.no_grad()
    def latents(self, images: Mapping[str, Image], state: Array | None, instruction: str) -> Latents:
        """Return the key-value cache."""
        batch = self._preprocessor(images, state, instruction)
        pixels, seen = self.policy._preprocess_images(batch)
        words, word_mask = batch["observation.language.tokens"], batch["observation.language.attention_mask"]
        embedded, mask, attention = self.flow_model.embed_prefix(pixels, seen, words, word_mask)
        both = self.flow_model.paligemma_with_expert
        both.paligemma.model.language_model.config._attn_implementation = "eager"
        _, cache = both.forward(
            attention_mask=prepare_attention_masks_4d(make_att_2d_masks(mask, attention)),
            position_ids=torch.cumsum(mask, dim=1) - 1,
            past_key_values=None,
            inputs_embeds=[embedded, None],
            use_cache=True,
        )
        data = cache_array(
            [(layer.keys, layer.values) for layer in cache.layers], mask[0], self._wire_dtype, self.new_array
        )
        return Latents("kv_cache", data, mask[0].cpu().numpy().astype("uint8"))


class PiExpert(_Pi):
    """The action half; see `halves.ExpertHalf`."""

    flow, noise_dtype = DOWN, torch.float32

    def __init__(self, family: str, parameters: Pi0Parameters | Pi05Parameters) -> None:
        super().__init__(family, parameters, (EXPERT, *ACTIONS), EXPERT_UNUSED)
        self.steps = self.config.num_inference_steps
        self.rows = self.config.chunk_size
        self.noise_shape = (1, self.config.chunk_size, self.config.max_action_dim)
        gemma = self.flow_model.paligemma_with_expert.gemma_expert.config
        self._shape = (gemma.num_hidden_layers, gemma.num_key_value_heads, gemma.head_dim)
        self._dtype = torch.bfloat16 if self.config.dtype == "bfloat16" else torch.float32
        self._embed_suffix: Callable[..., Any] = self.flow_model.embed_suffix
        self._clean_rows = 0
        if family == "pi0":
            self.flow_model.embed_suffix = self._embedded

    def context(self, plan: Plan) -> tuple[Any, Tensor]:
        """Return cache and mask (1, tokens)."""
        layers, mask = cache_of(plan, *self._shape, self._dtype, self.device)
        cache = DynamicCache()
        for number, (keys, values) in enumerate(layers):
            cache.update(keys, values, number)
        return cache, mask

    def velocity(self, context: tuple[Cache, Tensor], state: Array | None) -> Velocity:
        """Return the flow; LeRobot copies the cache in each step."""
        cache, mask = context
        given: dict[str, Tensor] = {}
        if self.family == "pi0":
            assert state is not None
            given["state"] = self.policy.prepare_state({STATE: self.normalization.state(state).to(self.device)})

        def velocity(x: Tensor, time: float, clean_rows: int) -> Tensor:
            self._clean_rows = clean_rows
            moment = torch.tensor(time, dtype=torch.float32, device=self.device).expand(1)
            v: Tensor = self.flow_model.denoise_step(
                prefix_pad_masks=mask, past_key_values=cache, x_t=x, timestep=moment, **given
            )
            return v

        return velocity

    def normalized(self, actions: Array) -> Tensor:
        """Return them normalised, with zeros in the flow's further columns, as in training."""
        return nn.functional.pad(self.normalization.normalized(actions), (0, self.noise_shape[2] - actions.shape[1]))

    def actions(self, flowed: Tensor) -> Array:
        """Return them in the checkpoint's units."""
        return self.normalization.actions(flowed[:, :, : self.contract.action.width])

    def _embedded(self, state: Tensor, noisy: Tensor, time: Tensor) -> Any:
        """Embed state, actions and time, with the clean rows at flow time 0. The state is the first token."""
        embedded, *others = self._embed_suffix(state, noisy, time)
        if self._clean_rows:
            clean = self._embed_suffix(state, noisy, torch.zeros_like(time))[0]
            last = 1 + self._clean_rows
            embedded = torch.cat([clean[:, :last], embedded[:, last:]], dim=1)
        return embedded, *others


def _policy_class(family: str) -> Any:
    if family == "pi0":
        from lerobot.policies.pi0.modeling_pi0 import PI0Policy

        return PI0Policy
    from lerobot.policies.pi05.modeling_pi05 import PI05Policy

    return PI05Policy
