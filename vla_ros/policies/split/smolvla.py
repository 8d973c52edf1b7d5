"""SmolVLA of LeRobot in two halves.

System 2 runs images, words and, without `fresh_state`, the state through vision encoder and text layers, and sends their
keys and values. System 1 integrates the action expert over them, from flow time 1 to 0. With `fresh_state` System 1 runs
the token of the newest state through the text layers itself: nothing of the prompt attends to it, so the rest of the cache
is the same.

Source: LeRobot 0.6 `policies/smolvla`: `VLAFlowMatching.sample_actions` is what both halves together compute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from vla_ros.policies.split.half_weights import Half, check_complete, load, same_names, without_memory
from vla_ros.policies.split.halves import Latents
from vla_ros.policies.split.lerobot_processing import (
    STATE,
    Normalization,
    Preprocessor,
    opened,
)
from vla_ros.policies.split.quantized_weights import BFLOAT16_BASED, quantize
from vla_ros.policies.split.remade_buffers import remake
from vla_ros.policies.split.split_parameters import SmolVLAParameters

from lerobot.policies.common.vla_utils import make_att_2d_masks  # isort: skip  # after HF_HUB_OFFLINE is set
from lerobot.policies.smolvla.modeling_smolvla import SmolVLAPolicy  # isort: skip
from lerobot.policies.smolvla.smolvlm_with_expert import apply_rope  # isort: skip
from transformers import DynamicCache  # isort: skip

VLM, EXPERT = "model.vlm_with_expert.vlm.", "model.vlm_with_expert.lm_expert."
TEXT = VLM + "model.text_model."
STATE_PROJECTION = "model.state_proj."
ACTIONS = ("model.action_in_proj.", "model.action_out_proj.", "model.action_time_mlp_")
UNUSED = (VLM + "lm_head.",)
"""Inference writes no words."""


class _SmolVLA:
    """What both halves share: the class without memory, this half's weights in it, and the contract."""

    def __init__(self, parameters: SmolVLAParameters, prefixes: Sequence[str], without: Sequence[str]) -> None:
        self.files, self.contract, self.config = opened(parameters.checkpoint, "smolvla")
        self._check_options(parameters)
        self.checkpoint = self.files.identity("smolvla", parameters.fresh_state)
        self.normalization = Normalization(self.files)
        self.device, self.fresh_state = parameters.device, parameters.fresh_state
        self.policy = self._built(parameters)
        self.model: nn.Module = self.policy
        self.flow_model: Any = self.policy.model
        half = Half(self.files, prefixes, without, same_names(self.files), "SmolVLA of LeRobot")
        load(self.policy, half, self.device)
        remake(self.policy, self.device, half.needs)
        check_complete(self.policy, half)
        quantize(self.policy, parameters.weights, half.needs, "smolvla.weights")

    def _check_options(self, parameters: SmolVLAParameters) -> None:
        if self.config.adapt_to_pi_aloha:
            raise ParameterError(
                f"smolvla.checkpoint: {self.files.folder} has adapt_to_pi_aloha, whose gripper angles are not offered split; "
                "play it with policy lerobot"
            )
        if parameters.fresh_state and self.config.prefix_length > 0:
            raise ParameterError(
                "smolvla.fresh_state: not offered with the prefix_length of this checkpoint; write fresh_state: false"
            )

    def _built(self, parameters: SmolVLAParameters) -> Any:
        self.config.load_vlm_weights, self.config.compile_model = False, False
        self.config.rtc_config, self.config.device = None, "meta"
        self.config.vlm_model_name = vlm = parameters.vlm or self.config.vlm_model_name
        try:
            with without_memory():
                policy = SmolVLAPolicy(self.config)
        except OSError:
            raise ParameterError(
                f"smolvla.vlm: there is no {vlm} on this machine; name the folder with its config.json and tokenizer"
            ) from None
        if parameters.weights in BFLOAT16_BASED:
            policy.model.vlm_with_expert.to(torch.bfloat16)  # as LeRobot loads the language model
        policy.model.global_image_start_token = torch.tensor(
            [policy.model.fake_image_token, policy.model.global_image_token]
        )
        policy.model.image_end_token = torch.tensor([policy.model.fake_image_token])
        return policy


class SmolVLAVision(_SmolVLA):
    """The vision-language half; see `halves.VisionLanguageHalf`."""

    def __init__(self, parameters: SmolVLAParameters) -> None:
        super().__init__(parameters, (VLM, STATE_PROJECTION), UNUSED)
        self._wire_dtype = parameters.wire_dtype
        self.new_array: NewArray = np.empty
        self.sees_state = not parameters.fresh_state
        self._preprocessor = Preprocessor(
            self.files, self.device, parameters.vlm or self.config.vlm_model_name, "smolvla.vlm"
        )

    @torch.no_grad()
    def latents(self, images: Mapping[str, Image], state: Array | None, instruction: str) -> Latents:
        """Return the key-value cache."""
        batch = self._preprocessor(images, state, instruction)
        if state is None:
            batch[STATE] = torch.zeros(1, self.config.max_state_dim, device=self.device)
        pixels, seen = self.policy.prepare_images(batch)
        words, word_mask = batch["observation.language.tokens"], batch["observation.language.attention_mask"]
        embedded, mask, attention = self.flow_model.embed_prefix(
            pixels, seen, words, word_mask, state=self.policy.prepare_state(batch)
        )
        if self.fresh_state:  # the state is the last token
            embedded, mask, attention = embedded[:, :-1], mask[:, :-1], attention[:, :-1]
        _, cache = self.flow_model.vlm_with_expert.forward(
            attention_mask=make_att_2d_masks(mask, attention),
            position_ids=torch.cumsum(mask, dim=1) - 1,
            past_key_values=None,
            inputs_embeds=[embedded, None],
            use_cache=True,
        )
        data = cache_array(
            [(layer.keys, layer.values) for layer in cache.layers], mask[0], self._wire_dtype, self.new_array
        )
        return Latents("kv_cache", data, mask[0].cpu().numpy().astype("uint8"))


class SmolVLAExpert(_SmolVLA):
    """The action half; see `halves.ExpertHalf`."""

    flow, noise_dtype = DOWN, torch.float32

    def __init__(self, parameters: SmolVLAParameters) -> None:
        read_state = (TEXT, STATE_PROJECTION) if parameters.fresh_state else ()
        super().__init__(parameters, (EXPERT, *ACTIONS, *read_state), (TEXT + "embed_tokens.", TEXT + "norm."))
        expert = self.flow_model.vlm_with_expert
        text = expert.config.text_config
        self.steps = self.config.num_steps
        self.rows = self.config.chunk_size
        self.noise_shape = (1, self.config.chunk_size, self.config.max_action_dim)
        self._shape = (expert.num_vlm_layers, text.num_key_value_heads, text.head_dim)
        self._dtype = torch.bfloat16 if parameters.weights in BFLOAT16_BASED else torch.float32
        self._embed_suffix = self.flow_model.embed_suffix
        self._clean_rows = 0
        self.flow_model.embed_suffix = self._embedded

    def context(self, plan: Plan) -> tuple[Cache, Tensor]:
        """Return cache and mask (1, tokens)."""
        return cache_of(plan, *self._shape, self._dtype, self.device)

    @torch.no_grad()
    def velocity(self, context: tuple[Cache, Tensor], state: Array | None) -> Velocity:
        """Return the flow; with `fresh_state` after running the state's token over the cache."""
        layers, mask = context
        if self.fresh_state:
            assert state is not None
            layers, mask = self._with_state(layers, mask, state)
        cache = DynamicCache()
        for number, (keys, values) in enumerate(layers):
            cache.update(keys, values, number)
        stored = [(layer.keys, layer.values) for layer in cache.layers]

        def velocity(x: Tensor, time: float, clean_rows: int) -> Tensor:
            self._clean_rows = clean_rows
            moment = torch.tensor(time, dtype=torch.float32, device=self.device).expand(1)
            v: Tensor = self.flow_model.denoise_step(
                prefix_pad_masks=mask, past_key_values=cache, x_t=x, timestep=moment
            )
            for layer, (keys, values) in zip(cache.layers, stored, strict=True):
                layer.keys, layer.values = keys, values
            return v

        return velocity

    def normalized(self, actions: Array) -> Tensor:
        """Return them normalised; the flow's further columns stay free of a prefix: they are zeros in training."""
        return nn.functional.pad(self.normalization.normalized(actions), (0, self.noise_shape[2] - actions.shape[1]))

    def actions(self, flowed: Tensor) -> Array:
        """Return them in the checkpoint's units."""
        return self.normalization.actions(flowed[:, :, : self.contract.action.width])

    def _embedded(self, noisy: Tensor, time: Tensor) -> Any:
        """Embed actions and time, with the clean rows at flow time 0."""
        embedded, *masks = self._embed_suffix(noisy, time)
        if self._clean_rows:
            clean = self._embed_suffix(noisy, torch.zeros_like(time))[0]
            embedded = torch.cat([clean[:, : self._clean_rows], embedded[:, self._clean_rows :]], dim=1)
        return embedded, *masks

    def _with_state(self, layers: Cache, mask: Tensor, state: Array) -> tuple[Cache, Tensor]:
        """Return cache and mask with the state as one more token, which attends to all before and to itself."""
        model = self.flow_model.vlm_with_expert
        full = torch.cat([mask, torch.ones_like(mask[:, :1])], dim=1)
        position = full.sum(dim=1, keepdim=True) - 1
        normalized = self.normalization.state(state).to(self.device)
        hidden = self.flow_model.state_proj(self.policy.prepare_state({STATE: normalized}))[:, None]
        out: Cache = []
        for layer, (before_keys, before_values) in zip(model.get_vlm_model().text_model.layers, layers, strict=True):
            attention = layer.self_attn
            shape = (1, 1, -1, attention.head_dim)
            normed = layer.input_layernorm(hidden).to(attention.q_proj.weight.dtype)
            query, key = (
                apply_rope(projection(normed).view(shape), position)
                for projection in (attention.q_proj, attention.k_proj)
            )
            keys = torch.cat([before_keys, key.transpose(1, 2)], dim=2)
            values = torch.cat([before_values, attention.v_proj(normed).view(shape).transpose(1, 2)], dim=2)
            out.append((keys, values))
            attended = model.eager_attention_forward(
                full[:, None], 1, attention.head_dim, query, keys.transpose(1, 2), values.transpose(1, 2)
            )
            hidden = attention.o_proj(attended.to(attention.o_proj.weight.dtype)) + hidden
            hidden = layer.mlp(layer.post_attention_layernorm(hidden)) + hidden
        return out, full
