"""The files of a checkpoint: which tensors there are and where, and a hash of them. Nothing is loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.weight_files import SINGLE, read_json, tensor_header, weight_faults

CONFIG = "config.json"
SAMPLES, SAMPLE_BYTES = 4, 64
"""So many pieces of each tensor go into the hash: its ends and two between."""
SMALL_FILES = ("*.json", "policy_preprocessor*.safetensors", "policy_postprocessor*.safetensors")
"""They decide what a checkpoint computes: configuration, processors and their statistics."""
NOT_HASHED = frozenset({"train_config.json", "trainer_state.json", f"{SINGLE}.index.json"})
"""They say how it was trained, or follow from the rest."""


@dataclass(frozen=True)
class TensorPlace:
    """Where a tensor stands.

    Attributes:
        file: the safetensors file. dtype: as the format names it. shape: of the tensor.
        begin, end: offsets in the file, bytes.
    """

    file: Path
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class CheckpointFiles:
    """A folder with `config.json` and one safetensors file, or several with their index.

    Args:
        folder: as given by the user.
        key: parameter that named it, for error texts.

    Raises:
        ParameterError: the folder, the configuration or a file is missing, or a file is not complete.
    """

    def __init__(self, folder: str | Path, key: str) -> None:
        self.folder, self.key = Path(folder).expanduser(), key
        if not str(folder) or str(folder) == ".":
            raise ParameterError(f"{key}: required and missing (folder of a checkpoint)")
        if not self.folder.is_dir():
            raise ParameterError(f"{key}: there is no folder {folder}; download the checkpoint, or name another one")
        if faults := weight_faults(self.folder):
            raise ParameterError(f"{key}: {faults[0]}")
        self.config: dict[str, Any] = self.json_of(CONFIG)

    def json_of(self, name: str) -> dict[str, Any]:
        """Return the content of a JSON file of the folder."""
        try:
            return read_json(self.folder / name)
        except ParameterError as error:
            raise ParameterError(f"{self.key}: {error}") from None

    @cached_property
    def tensors(self) -> Mapping[str, TensorPlace]:
        """Name → place of every tensor."""
        return {
            name: TensorPlace(path, *entry)
            for path in self._weight_files()
            for name, entry in tensor_header(path).items()
        }

    def identity(self, *options: object) -> str:
        """Return the sha256 of the checkpoint and of options that both halves must share.

        It covers the small files that decide what is computed, the header of every weight file, and samples of the bytes of
        every tensor, so that both halves know it in a fraction of a second: trained weights differ in every tensor. It does
        not find a change of a few bytes in the middle of a tensor.
        """
        digest = hashlib.sha256(json.dumps(options, sort_keys=True, default=str).encode())
        for path in sorted({path for pattern in SMALL_FILES for path in self.folder.glob(pattern)}):
            if path.name not in NOT_HASHED:
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
        by_file: dict[Path, list[tuple[str, TensorPlace]]] = {}
        for name, place in sorted(self.tensors.items()):
            by_file.setdefault(place.file, []).append((name, place))
        for path, places in sorted(by_file.items()):
            with path.open("rb") as file:
                for name, place in places:
                    digest.update(f"{name} {place.dtype} {place.shape}".encode())
                    room = max(place.end - place.begin - SAMPLE_BYTES, 0)
                    for sample in range(SAMPLES):
                        file.seek(place.begin + room * sample // (SAMPLES - 1))
                        digest.update(file.read(min(SAMPLE_BYTES, place.end - place.begin)))
        return digest.hexdigest()

    def _weight_files(self) -> list[Path]:
        if (self.folder / SINGLE).exists():
            return [self.folder / SINGLE]
        shards = self.json_of(f"{SINGLE}.index.json")["weight_map"].values()
        return [self.folder / name for name in sorted(set(map(str, shards)))]
