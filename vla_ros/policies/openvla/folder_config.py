"""`config.json` and `preprocessor_config.json` of an OpenVLA folder, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.weight_files import read_json
from vla_ros.policies.openvla.images import STRATEGIES, BackboneImage

MODEL_TYPE = "openvla"
LLAMA_DEFAULTS: Mapping[str, Any] = {
    "vocab_size": 32000,
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "hidden_act": "silu",
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "attention_bias": False,
    "mlp_bias": False,
    "tie_word_embeddings": False,
}
"""What a `text_config` that does not name them means: the published folders leave out what equals the defaults of
LlamaConfig in transformers 4.40.1, by which they were written."""
MEANS: Mapping[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "dinov2": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "siglip": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
"""Mean and standard deviation of the colours by vision backbone (timm's `pretrained_cfg`): ImageNet's, and one half."""


@dataclass(frozen=True)
class FolderConfig:
    """What an OpenVLA folder's configuration says.

    Attributes:
        backbones: timm's name of each vision backbone, in the order of the pixel channels: one, or DINOv2 and SigLIP.
        activations: of each backbone's MLPs, as timm names it.
        images: what each backbone is shown.
        strategy: how an image becomes a square; see `images.pixels`.
        language_model: `llm_backbone_id`.
        text: arguments of transformers' LlamaConfig.
        vocabulary: words of the tokenizer: the embedding's rows without those it was padded with.
        bins: edges of the action bins.
        statistics: by data set, as the file has them.
        statistics_file: where they stand.
    """

    backbones: tuple[str, ...]
    activations: tuple[str, ...]
    images: tuple[BackboneImage, ...]
    strategy: str
    language_model: str
    text: Mapping[str, Any]
    vocabulary: int
    bins: int
    statistics: Mapping[str, Any]
    statistics_file: Path


def folder_config(folder: Path) -> FolderConfig:
    """Read and check the configuration of a folder.

    Raises:
        ParameterError: it is no folder, no OpenVLA checkpoint, or half of one; the text names the file and what is wrong.
    """
    if not folder.is_dir():
        raise ParameterError(f"{folder}: no such folder; name the folder of an OpenVLA checkpoint (with config.json)")
    where = folder / "config.json"
    content = read_json(where)
    kind = content.get("model_type")
    if kind != MODEL_TYPE:
        raise ParameterError(
            f"{where}: model_type is {kind!r}, not {MODEL_TYPE!r}; another policy plays such a checkpoint"
        )
    backbones = _list(content, "timm_model_ids", str, where)
    fused = content.get("use_fused_vision_backbone", len(backbones) > 1)
    if len(backbones) not in (1, 2) or bool(fused) != (len(backbones) == 2):
        raise ParameterError(
            f"{where}: use_fused_vision_backbone is {fused}, but timm_model_ids names {len(backbones)}"
        )
    sizes = _list(content, "image_sizes", int, where)
    activations = content.get("timm_override_act_layers", [None] * len(backbones))
    if not isinstance(activations, list) or not len(sizes) == len(activations) == len(backbones) or len(set(sizes)) > 1:
        raise ParameterError(
            f"{where}: image_sizes, timm_override_act_layers: expected one for each of timm_model_ids, equal sizes"
        )
    text = {**LLAMA_DEFAULTS, **_llama(content, where)}
    text.setdefault("num_key_value_heads", text["num_attention_heads"])
    bins = _whole(content, "n_action_bins", 256, where)
    vocabulary = int(text["vocab_size"]) - _whole(content, "pad_to_multiple_of", 64, where)
    if not 2 <= bins < vocabulary:
        raise ParameterError(f"{where}: n_action_bins {bins} does not fit into a vocabulary of {vocabulary}")
    images, strategy = _images(folder, backbones, sizes, str(content.get("image_resize_strategy", "letterbox")))
    statistics, statistics_file = _statistics(folder, content, where)
    return FolderConfig(
        tuple(backbones),
        tuple(name or "gelu" for name in activations),  # timm's default when these were trained
        images,
        strategy,
        str(content.get("llm_backbone_id", "")),
        text,
        vocabulary,
        bins,
        statistics,
        statistics_file,
    )


def _llama(content: Mapping[str, Any], where: Path) -> dict[str, Any]:
    text = content.get("text_config")
    if not isinstance(text, Mapping):
        raise ParameterError(f"{where}: has no text_config")
    if text.get("model_type", "llama") != "llama":
        raise ParameterError(f"{where}: text_config.model_type is {text['model_type']!r}; only 'llama' is known")
    wanted = {*LLAMA_DEFAULTS, "num_key_value_heads", "head_dim", "pad_token_id", "rope_scaling"}
    given = {key: value for key, value in text.items() if key in wanted and value is not None}
    for key, default in LLAMA_DEFAULTS.items():
        value = given.get(key, default)
        number = isinstance(default, (int, float)) and not isinstance(default, bool)
        if number and (not isinstance(value, (int, float)) or isinstance(value, bool) or not value > 0):
            raise ParameterError(f"{where}: text_config.{key}: expected a positive number, got {value!r}")
    return given


def _images(
    folder: Path, backbones: list[str], sizes: list[int], strategy: str
) -> tuple[tuple[BackboneImage, ...], str]:
    """Return what `preprocessor_config.json` says; without one, what the names of the backbones imply."""
    path = folder / "preprocessor_config.json"
    if path.is_file():
        content = read_json(path)
        strategy = str(content.get("image_resize_strategy", strategy))
        try:
            colours = [
                (_triple(mean), _triple(std)) for mean, std in zip(content["means"], content["stds"], strict=True)
            ]
            ways = [str(way) for way in content.get("interpolations") or ["bicubic"] * len(colours)]
            given = [int(size[-1]) for size in content.get("input_sizes") or [[size] for size in sizes]]
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise ParameterError(
                f"{path}: expected means, stds, interpolations and input_sizes of each backbone"
            ) from None
        if given != sizes or not len(colours) == len(ways) == len(sizes):
            raise ParameterError(f"{path}: input_sizes are {given}, but config.json says image_sizes {sizes}")
        if unknown := [way for way in ways if way not in ("bicubic", "bilinear", "lanczos")]:
            raise ParameterError(f"{path}: interpolations: {unknown[0]!r} is not known")
    else:
        kinds = [next((kind for kind in MEANS if kind in name), "") for name in backbones]
        if not all(kinds):
            raise ParameterError(
                f"{path}: missing, and the colours of {backbones[kinds.index('')]} are not known without"
            )
        colours, ways = [MEANS[kind] for kind in kinds], ["bicubic"] * len(kinds)
    if strategy not in STRATEGIES:
        raise ParameterError(f"{folder}: image_resize_strategy {strategy!r} is none of {', '.join(STRATEGIES)}")
    shown = [BackboneImage(size, *colour, way) for size, colour, way in zip(sizes, colours, ways, strict=True)]
    return tuple(shown), strategy


def _statistics(folder: Path, content: Mapping[str, Any], where: Path) -> tuple[Mapping[str, Any], Path]:
    """Return the statistics of `dataset_statistics.json`, which a fine-tuned model has, else those of `config.json`."""
    path = folder / "dataset_statistics.json"
    statistics = read_json(path) if path.is_file() else content.get("norm_stats")
    source = path if path.is_file() else where
    if not isinstance(statistics, Mapping) or not statistics:
        raise ParameterError(
            f"{folder}: has no dataset_statistics.json and no norm_stats in config.json; actions cannot be un-normalised"
        )
    return statistics, source


def _list(content: Mapping[str, Any], key: str, kind: type, where: Path) -> list[Any]:
    value = content.get(key)
    if not isinstance(value, list) or not value or not all(type(entry) is kind for entry in value):
        raise ParameterError(f"{where}: {key}: expected a list of {kind.__name__}, got {value!r}")
    return value


def _whole(content: Mapping[str, Any], key: str, default: int, where: Path) -> int:
    value = content.get(key, default)
    if type(value) is not int or value < 0:
        raise ParameterError(f"{where}: {key}: expected a whole number, got {value!r}")
    return value


def _triple(values: Any) -> tuple[float, float, float]:
    red, green, blue = values
    return float(red), float(green), float(blue)
