"""GR00T N1.7 of LeRobot in two halves.

System 2 runs images and words through the Qwen3-VL backbone and sends the features of its last layer. System 1 reads the
newest state and integrates the diffusion transformer over them, from flow time 0 to 1. Backbone and head are apart in the
class, too.

Source: LeRobot 0.6 `policies/groot/groot_n1_7.py`: `GR00TN17.get_action` is what both halves together compute; its loop
draws the noise inside and is written again here with the noise as an argument.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vla_ros.arrays import Array, Image
from vla_ros.parameters import ParameterError
from vla_ros.policies.contract import Plan
from vla_ros.policies.latents import NewArray
from vla_ros.policies.split.cache_tensors import to_numpy, to_tensor
from vla_ros.policies.split.flow_integration import UP, Velocity
from vla_ros.policies.split.half_weights import Half, cast_parameters, check_complete, load, without_memory
from vla_ros.policies.split.halves import Latents
from vla_ros.policies.split.lerobot_processing import STATE, opened
from vla_ros.policies.split.plan_tensors import IMAGE, VALID, checked_features
from vla_ros.policies.split.quantized_weights import BFLOAT16_BASED, quantize
from vla_ros.policies.split.remade_buffers import remake
from vla_ros.policies.split.split_parameters import GrootParameters

from lerobot.policies.groot.groot_n1_7 import GR00TN17, GR00TN17Config  # isort: skip
from lerobot.policies.groot.processor_groot import (  # isort: skip
    GrootN17PackInputsStep,
    make_groot_pre_post_processors_from_pretrained,
)
from lerobot.processor import TransitionKey, create_transition  # isort: skip
from transformers.feature_extraction_utils import BatchFeature  # isort: skip

WRAPPER = "_groot_model."
BACKBONE, HEAD = ("backbone.",), ("action_head.",)
OUTPUT_HEAD = "backbone.model.lm_head.weight"
EMBEDDING = "backbone.model.model.language_model.embed_tokens.weight"
BACKBONE_UNUSED = ("backbone.model.lm_head.", "backbone.model.model.language_model.norm.")
"""Features are those before the last norm, and no words are written."""
ENCODER = "groot_n1_7_vlm_encode_v1"
PACKER = "groot_n1_7_pack_inputs_v1"
BACKBONE_INPUTS = ("input_ids", "attention_mask", "pixel_values", "image_grid_thw", "mm_token_type_ids")
STEP_ROUNDING = 1e-6
"""Flow times are counted in whole buckets; a product of floats may lie a hair below one."""


class _Groot:
    """What both halves share: the class without memory, this half's weights in it, and the contract."""

    def __init__(self, parameters: GrootParameters, prefixes: Sequence[str], without: Sequence[str]) -> None:
        self.device = parameters.device
        self.files, self.contract, self.config = opened(parameters.checkpoint, "groot")
        shared = parameters.embodiment, parameters.embodiment_id, parameters.horizon
        self.checkpoint = self.files.identity("groot", *shared)
        if parameters.embodiment:
            self.config.embodiment_tag = parameters.embodiment
        self._given_id = parameters.embodiment_id
        self.model_config = self._model_config(parameters)
        self.pre, self.post = self._processors(parameters)
        with without_memory():
            self.model: Any = GR00TN17(self.model_config, load_backbone_weights=False)
        cast_parameters(self.model, self._dtype(parameters.weights))
        sources = {name.removeprefix(WRAPPER): name for name in self.files.tensors}
        # The two are one tensor, and a file holds it once.
        if EMBEDDING not in sources and OUTPUT_HEAD in sources:
            sources[EMBEDDING] = sources[OUTPUT_HEAD]
        half = Half(self.files, prefixes, without, sources, "GR00T N1.7 of LeRobot")
        load(self.model, half, self.device)
        remake(self.model, self.device, half.needs)
        check_complete(self.model, half)
        quantize(self.model, parameters.weights, half.needs, "groot.weights")

    def autocast(self) -> torch.autocast:
        """Return the context in which LeRobot calls the model."""
        device = torch.device(self.device).type
        return torch.autocast(device_type=device, dtype=torch.bfloat16, enabled=bool(self.config.use_bf16))

    @property
    def dtype(self) -> torch.dtype:
        """Type that floating inputs are given in."""
        return next(parameter.dtype for parameter in self.model.parameters() if parameter.is_floating_point())

    def _model_config(self, parameters: GrootParameters) -> Any:
        """Return the model's own configuration: of the base model's folder where it is at hand, else the published one."""
        base = Path(str(self.config.base_model_path)).expanduser()
        config = GR00TN17Config.from_pretrained(base) if (base / "config.json").is_file() else GR00TN17Config()
        if parameters.backbone and "nvidia/Cosmos-Reason2" not in str(config.model_name):
            config.model_name = parameters.backbone
        if self.config.num_inference_timesteps is not None:
            config.num_inference_timesteps = self.config.num_inference_timesteps
        return config

    def _dtype(self, weights: str) -> torch.dtype:
        if weights == "float32" or weights in BFLOAT16_BASED:
            return torch.float32 if weights == "float32" else torch.bfloat16
        if self.config.model_params_fp32:
            return torch.float32
        stored = str(self.model_config.dtype or "bfloat16").removeprefix("torch.")
        made: torch.dtype = getattr(torch, stored)
        return made

    def _processors(self, parameters: GrootParameters) -> tuple[Any, Any]:
        overrides: dict[str, Any] = {"device_processor": {"device": self.device}}
        encoder: dict[str, Any] = {"device": self.device}
        if parameters.backbone:
            encoder["model_name"] = parameters.backbone
        overrides[ENCODER] = encoder
        if parameters.embodiment:
            overrides[PACKER] = {"embodiment_tag": parameters.embodiment}
        try:
            return make_groot_pre_post_processors_from_pretrained(  # type: ignore[no-any-return]
                self.config, str(self.files.folder), preprocessor_overrides=overrides, postprocessor_overrides={}
            )
        except Exception as error:
            text = " ".join(str(error).split())[:200]
            raise ParameterError(
                f"groot.checkpoint: the processors of {self.files.folder} cannot be made: {text}"
            ) from None


class GrootBackbone(_Groot):
    """The vision-language half; see `halves.VisionLanguageHalf`."""

    sees_state = False

    def __init__(self, parameters: GrootParameters) -> None:
        super().__init__(parameters, BACKBONE, BACKBONE_UNUSED)
        self._wire_dtype = parameters.wire_dtype
        self.new_array: NewArray = np.empty
        language = self.model.backbone.model  # the class runs them, and nothing reads what they give
        language.lm_head, language.model.language_model.norm = nn.Identity(), nn.Identity()
        try:
            _ = next(step for step in self.pre.steps if hasattr(step, "proc")).proc
        except (OSError, ValueError) as error:
            text = " ".join(str(error).split())[:200]
            raise ParameterError(
                f"groot.backbone: name the folder with the language model's tokenizer and image processor: {text}"
            ) from None

    @torch.no_grad()
    def latents(self, images: Mapping[str, Image], state: Array | None, instruction: str) -> Latents:
        """Return the features of all tokens."""
        observation: dict[str, Any] = {
            name: torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255.0
            for name, image in images.items()
        }
        batch = self.pre({**observation, "task": instruction})
        given = {name: self._moved(batch[name]) for name in BACKBONE_INPUTS if name in batch}
        with self.autocast():
            out = self.model.backbone(BatchFeature(data=given))
        valid, image = (out[name][0].cpu().numpy() for name in ("backbone_attention_mask", "image_mask"))
        mask = (VALID * valid + IMAGE * image).astype(np.uint8)
        return Latents("features", to_numpy(out["backbone_features"][0], self._wire_dtype, self.new_array), mask)

    def _moved(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else None)


class GrootHead(_Groot):
    """The action half; see `halves.ExpertHalf`."""

    flow = UP

    def __init__(self, parameters: GrootParameters) -> None:
        super().__init__(parameters, HEAD, ())
        self.head: Any = self.model.action_head
        self.steps = self.head.num_inference_timesteps
        rows, self.noise_dtype = self.head.action_horizon, torch.float32
        self.noise_shape = (1, rows, self.head.action_dim)
        self.rows = min(rows, self.config.chunk_size, parameters.horizon or rows)
        self._add_batch = next(
            step for step in self.pre.steps if type(step).__name__ == "AddBatchDimensionProcessorStep"
        )
        self._packer: Any = next(step for step in self.pre.steps if isinstance(step, GrootN17PackInputsStep))
        self._q: Tensor | None = None

    @torch.no_grad()
    def context(self, plan: Plan) -> tuple[Any, Tensor]:
        """Return the backbone's output as the head takes it, and the features after the head's own self-attention."""
        valid, image = checked_features(plan, self.model_config.backbone_embedding_dim)
        features = to_tensor(plan.data)[None].to(self.device)
        if plan.data.dtype.name != "float32" and not self.config.use_bf16 and self.dtype == torch.float32:
            features = features.float()
        out = BatchFeature(
            data={
                "backbone_features": features,
                "backbone_attention_mask": torch.from_numpy(valid)[None].to(self.device),
                "image_mask": torch.from_numpy(image)[None].to(self.device),
            }
        )
        with self.autocast():
            attended = self.head.process_backbone_output(out).backbone_features
        self.noise_dtype = attended.dtype
        return out, attended

    @torch.no_grad()
    def velocity(self, context: tuple[Any, Tensor], state: Array | None) -> Velocity:
        """Return the flow."""
        masks, attended = context
        packed, embodiment = self._packed(state)
        with self.autocast():
            encoded = self.head.state_encoder(packed.view(1, 1, -1), embodiment)

        def velocity(x: Tensor, time: float, clean_rows: int) -> Tensor:
            bucket = int(time * self.head.num_timestep_buckets + STEP_ROUNDING)
            moment = torch.full((1,), bucket, device=self.device)
            with self.autocast():
                actions = self.head.action_encoder(x, moment, embodiment)
                if self.head.config.add_pos_embed:
                    rows = torch.arange(actions.shape[1], dtype=torch.long, device=self.device)
                    actions = actions + self.head.position_embedding(rows).unsqueeze(0)
                given = {"hidden_states": torch.cat((encoded, actions), dim=1), "timestep": moment}
                if self.head.config.use_alternate_vl_dit:
                    given |= {
                        "image_mask": masks.image_mask,
                        "backbone_attention_mask": masks.backbone_attention_mask,
                    }
                flowed = self.head.model(encoder_hidden_states=attended, **given)
                v: Tensor = self.head.action_decoder(flowed, embodiment)[:, -self.head.action_horizon :]
            if clean_rows:  # their flow is at its end
                v = torch.cat([torch.zeros_like(v[:, :clean_rows]), v[:, clean_rows:]], dim=1)
            return v

        return velocity

    def normalized(self, actions: Array) -> Tensor:
        """Return them normalised, with zeros in the flow's further columns; relative ones to the newest state."""
        given = torch.from_numpy(np.asarray(actions, np.float32))[None]
        assert self._q is not None
        transition = create_transition(observation={STATE: self._q}, action=given, complementary_data={"task": ""})
        done: Tensor = self._packer(transition)[TransitionKey.ACTION]
        return done[0, : len(actions)]

    def actions(self, flowed: Tensor) -> Array:
        """Return them in the checkpoint's units."""
        done: Tensor = self.post(flowed[:, : self.rows].float())
        return done[0].float().cpu().numpy().astype(np.float64)[:, : self.contract.action.width]

    def _packed(self, state: Array | None) -> tuple[Tensor, Tensor]:
        """Return the state (1, 1, width) as the head takes it, and the index of the embodiment's layers (1,)."""
        assert state is not None
        self._q = torch.from_numpy(np.asarray(state, np.float32))[None]
        packed = self._packer(create_transition(observation={STATE: self._q}, complementary_data={"task": ""}))
        embodiment = packed[TransitionKey.COMPLEMENTARY_DATA]["embodiment_id"]
        if self._given_id >= 0:
            embodiment = torch.full_like(embodiment, self._given_id)
        return packed[TransitionKey.OBSERVATION]["state"].to(self.device, self.dtype), embodiment.to(self.device)
