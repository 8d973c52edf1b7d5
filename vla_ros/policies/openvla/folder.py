"""The folder of an OpenVLA or OpenVLA-OFT checkpoint, as its authors publish it: what is in it, and whether it is whole.

    config.json                                 sizes, names of the vision backbones, statistics of the pretraining data
    dataset_statistics.json                     statistics of the fine-tuning data; wins over those of config.json
    preprocessor_config.json                    colours and resizing of the images
    tokenizer.json                              Llama's tokenizer
    model-0000i-of-0000n.safetensors, …index.json   the weights
    action_head--*_checkpoint.pt                OFT: two-layer head that reads actions off the hidden states
    proprio_projector--*_checkpoint.pt          OFT: puts the robot's state into the prompt
    vision_backbone--*_checkpoint.pt            OFT with FiLM: vision that the instruction modulates

This file needs no torch: the process of System 1 and `vla-ros check` read it, too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.checkpoint_contract import CameraSlot, CheckpointContract, VectorSpec
from vla_ros.policies.binding.weight_files import read_json
from vla_ros.policies.openvla.dataset_statistics import VectorStatistics, chosen, vector
from vla_ros.policies.openvla.folder_config import FolderConfig, folder_config
from vla_ros.policies.openvla.weight_map import INDEX, fingerprint, weight_map

COMPONENTS = ("action_head", "proprio_projector", "vision_backbone", "noisy_action_projector")
"""Parts that OFT keeps in files of their own."""
TOKENIZER = "tokenizer.json"
IMAGE = "full_image"
IMAGES: Mapping[int, tuple[str, ...]] = {
    7: (IMAGE, "wrist_image"),
    14: (IMAGE, "left_wrist_image", "right_wrist_image"),
}
"""OFT: width of an action (LIBERO's single arm, ALOHA's two) → its images, in their order in the prompt."""
CHUNKS: Mapping[int, int] = {7: 8, 14: 25}
NORMALIZATIONS: Mapping[int, str] = {7: "quantiles", 14: "min_max"}
"""OFT: width of an action → rows of a chunk, and how values are normalised. No file of the folder says either.

Source: moojink/openvla-oft (213c5ff), prismatic/vla/constants.py, LIBERO_CONSTANTS and ALOHA_CONSTANTS."""
LIBERO_STATE = ("tool.x", "tool.y", "tool.z", "tool.rx", "tool.ry", "tool.rz", "finger_left", "finger_right")
"""Source: the same, experiments/robot/libero/run_libero_eval.py (`prepare_observation`)."""
LIBERO_FINGERS_M: Mapping[int, float] = {6: 0.04, 7: -0.04}
"""Of that state: index of a finger → its position where it is open; closed, both are at 0.

The contract wants the opening instead, 0 to 1, as actions have it: then any gripper can be bound to both.
Source: robosuite's Panda gripper, whose finger joints go from 0 to 0.04 m and from -0.04 m to 0."""


@dataclass(frozen=True)
class OftLayout:
    """What no file of an OFT folder says. Empty, 0 and "auto": as published for actions of that width.

    Attributes:
        images: names of the images, in their order in the prompt.
        chunk_size: rows of a chunk.
        normalization: "quantiles", "min_max" or "auto".
        head: "l1": the folder's action head; "tokens": action tokens.
    """

    images: tuple[str, ...] = ()
    chunk_size: int = 0
    normalization: str = "auto"
    head: str = "l1"


class OpenVlaFolder:
    """A checkpoint on disk.

    Args:
        path: the folder.
        option: prefix of the parameters in error texts, e.g. "openvla.".

    Attributes:
        path: the folder.
        config: what its configuration says.
        weights: tensor name → file.
        components: of COMPONENTS, those that are there → file.

    Raises:
        ParameterError: it is none, not whole, or of another architecture.
    """

    def __init__(self, path: str, option: str = "openvla.") -> None:
        if not path:
            raise ParameterError(f"{option}checkpoint: name the folder of a checkpoint, e.g. openvla-7b")
        self.path = Path(path).expanduser()
        self.option = option
        self.config: FolderConfig = folder_config(self.path)
        read_json(self.path / TOKENIZER)
        self.weights = weight_map(self.path)
        self.components = _components(self.path)

    @property
    def is_oft(self) -> bool:
        """Whether it has a part that OFT alone has."""
        return bool(self.components)

    def key(self, unnorm_key: str = "") -> str:
        """Return the data set whose statistics un-normalise actions; see `dataset_statistics.chosen`."""
        return chosen(self.config.statistics, unnorm_key, f"{self.option}unnorm_key", str(self.config.statistics_file))

    def statistics(self, which: str, unnorm_key: str = "") -> VectorStatistics:
        """Return the statistics of "action" or "proprio". Raises ParameterError: they are missing or broken."""
        key = self.key(unnorm_key)
        of_key = self.config.statistics[key]
        where = f"{self.config.statistics_file}: {key}.{which}"
        if not isinstance(of_key, Mapping) or which not in of_key:
            raise ParameterError(f"{where}: missing")
        return vector(of_key[which], where)

    def contract(self, unnorm_key: str = "") -> CheckpointContract:
        """Return what OpenVLA wants of a robot: one image, a step of the tool; no state.

        Raises:
            ParameterError: no data set or several may be meant, its statistics are broken, or the folder is one of OFT.
        """
        if self.is_oft:
            raise ParameterError(
                f"{self.path}: has {', '.join(sorted(path.name for path in self.components.values()))}, which policy "
                "openvla_oft reads and openvla does not; choose policy openvla_oft"
            )
        action = self.statistics("action", unnorm_key)
        action.normalizer("quantiles")
        slots = (CameraSlot(IMAGE, 0, 0),)
        return CheckpointContract("openvla", str(self.path), slots, None, _spec(action, ()), 1, {"action": "quantiles"})

    def oft_contract(self, unnorm_key: str = "", layout: OftLayout | None = None) -> CheckpointContract:
        """Return what OFT wants of a robot.

        Raises:
            ParameterError: as `contract`; or the layout must be said, because no published folder has actions of that width.
        """
        if "noisy_action_projector" in self.components:
            raise ParameterError(
                f"{self.path}: has a diffusion head; only OFT's L1 head and its action tokens are played"
            )
        layout = layout or OftLayout()
        if layout.head == "l1" and "action_head" not in self.components:
            raise ParameterError(
                f"{self.path}: has no action_head--*_checkpoint.pt; policy openvla plays OpenVLA, and {self.option}head: "
                "tokens plays an OFT model that was trained without that head"
            )
        action = self.statistics("action", unnorm_key)
        width = action.width
        images = layout.images or IMAGES.get(width, ())
        chunk_size = layout.chunk_size or CHUNKS.get(width, 0)
        by_width = layout.normalization == "auto"
        normalization = NORMALIZATIONS.get(width, "") if by_width else layout.normalization
        for name, value in (("images", images), ("chunk_size", chunk_size), ("normalization", normalization)):
            if not value:
                raise ParameterError(
                    f"{self.option}{name}: actions have {width} values, and no file of the folder says it; say it"
                )
        action.normalizer(normalization)
        if len(images) > 1 and len(self.config.backbones) == 1:
            raise ParameterError(f"{self.option}images: {len(images)} images need the fused vision backbone")
        state = None
        if "proprio_projector" in self.components:
            proprio = self.statistics("proprio", unnorm_key)
            proprio.normalizer(normalization)
            libero = (width, proprio.width) == (7, 8)
            state = _libero_state(proprio) if libero else _spec(proprio, ())
        return CheckpointContract(
            "openvla_oft",
            str(self.path),
            tuple(CameraSlot(name, 0, 0) for name in images),
            state,
            _spec(action, ()),
            chunk_size,
            {"action": normalization, **({"state": normalization} if state is not None else {})},
        )

    def checkpoint(self, options: Mapping[str, Any]) -> str:
        """Return the hash of the weights, the configuration and `options`, by which System 1 knows its System 2's plans."""
        digest = hashlib.sha256(json.dumps(options, sort_keys=True, default=str).encode())
        small = [self.path / name for name in ("config.json", "dataset_statistics.json", TOKENIZER, INDEX)]
        small.append(self.path / "preprocessor_config.json")
        for path in sorted(filter(Path.is_file, small)):
            digest.update(path.name.encode() + path.read_bytes())
        for path in sorted({*self.weights.values(), *self.components.values()}):
            digest.update(fingerprint(path).encode())
        return digest.hexdigest()


def _spec(statistics: VectorStatistics, names: tuple[str, ...]) -> VectorSpec:
    return VectorSpec(names, statistics.width, dict(statistics.values))


def state_scale(spec: VectorSpec) -> Array:
    """Return (width,) what a value of the contract's state is multiplied with to be one of the statistics."""
    scale = np.ones(spec.width)
    if spec.names == LIBERO_STATE:
        scale[list(LIBERO_FINGERS_M)] = list(LIBERO_FINGERS_M.values())
    return scale


def _libero_state(statistics: VectorStatistics) -> VectorSpec:
    """Return the state of LIBERO with the fingers' openings; dividing by a negative number swaps lower and upper ends."""
    scale = state_scale(VectorSpec(LIBERO_STATE, statistics.width))
    values = {name: value / scale for name, value in statistics.values.items()}
    for low, high in (("min", "max"), ("q01", "q99")):
        if low in values and high in values:
            ends = np.sort([values[low], values[high]], axis=0)
            values[low], values[high] = ends[0], ends[1]
    if "std" in values:
        values["std"] = np.abs(values["std"])
    return VectorSpec(LIBERO_STATE, statistics.width, values)


def _components(folder: Path) -> dict[str, Path]:
    """Return the OFT parts of a folder. Raises ParameterError: there are two of one kind, or one is empty."""
    found: dict[str, Path] = {}
    for name in COMPONENTS:
        files = sorted(folder.glob(f"{name}--*checkpoint.pt"))
        if len(files) > 1:
            raise ParameterError(
                f"{folder}: has {', '.join(file.name for file in files)}; leave the one that belongs to the weights"
            )
        if files and not files[0].stat().st_size:
            raise ParameterError(f"{files[0]}: empty; download the checkpoint again")
        if files:
            found[name] = files[0]
    return found
