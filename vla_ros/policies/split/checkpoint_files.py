"""The files of a checkpoint: which tensors there are and where, whether they are complete, and a hash of them.

Nothing is loaded and no library is needed: a safetensors file begins with the length of a JSON header, the header gives
type, shape and place of each tensor, then come the bytes.

Source: https://github.com/huggingface/safetensors ("Format").
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vla_ros.parameters import ParameterError

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
CONFIG = "config.json"
ITEM_BYTES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}  # fmt: skip
MAX_HEADER_BYTES = 100_000_000
"""The library refuses larger ones, too."""
SAMPLES, SAMPLE_BYTES = 4, 64
"""So many pieces of each tensor go into the hash: its ends and two between."""
STATISTICS = ("*.json", "policy_preprocessor_*.safetensors", "policy_postprocessor_*.safetensors")
"""Small files that decide what a checkpoint computes: configuration, processors and their statistics."""
NOT_HASHED = frozenset({"train_config.json", "trainer_state.json", INDEX})
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

    def __init__(self, folder: str, key: str) -> None:
        self.folder, self.key = Path(folder).expanduser(), key
        if not folder:
            raise ParameterError(f"{key}: required and missing (folder of a checkpoint)")
        if not self.folder.is_dir():
            raise ParameterError(f"{key}: there is no folder {folder}; download the checkpoint, or name another one")
        self.config: dict[str, Any] = self.json_of(CONFIG)

    def json_of(self, name: str) -> dict[str, Any]:
        """Return the content of a JSON file of the folder."""
        path = self.folder / name
        try:
            content = json.loads(path.read_text())
        except OSError:
            raise ParameterError(
                f"{self.key}: {self.folder} has no {name}; it is no checkpoint, or was not downloaded to the end"
            ) from None
        except ValueError as error:
            raise ParameterError(f"{self.key}: {path} is not JSON: {error}; download it again") from None
        if not isinstance(content, dict):
            raise ParameterError(f"{self.key}: {path} holds no JSON object; download it again")
        return content

    @cached_property
    def tensors(self) -> Mapping[str, TensorPlace]:
        """Name → place of every tensor."""
        places: dict[str, TensorPlace] = {}
        for path in self._weight_files():
            places.update(_places(path, self.key))
        if not places:
            raise ParameterError(f"{self.key}: the files of {self.folder} hold no tensors; download them again")
        return places

    def identity(self, *options: object) -> str:
        """Return the sha256 of the checkpoint and of options that both halves must share.

        It covers the small files that decide what is computed, the header of every weight file, and samples of the bytes of
        every tensor, so that both halves know it in a fraction of a second: trained weights differ in every tensor. It does
        not find a change of a few bytes in the middle of a tensor.
        """
        digest = hashlib.sha256(json.dumps(options, sort_keys=True, default=str).encode())
        for path in sorted({path for pattern in STATISTICS for path in self.folder.glob(pattern)}):
            if path.name not in NOT_HASHED:
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
        by_file: dict[Path, list[tuple[str, TensorPlace]]] = {}
        for name, place in sorted(self.tensors.items()):
            by_file.setdefault(place.file, []).append((name, place))
        for path, places in sorted(by_file.items()):
            with path.open("rb") as file:
                for name, place in places:
                    digest.update(f"{name} {place.dtype} {place.shape}".encode())
                    for sample in range(SAMPLES):
                        room = max(place.end - place.begin - SAMPLE_BYTES, 0)
                        file.seek(place.begin + room * sample // (SAMPLES - 1))
                        digest.update(file.read(min(SAMPLE_BYTES, place.end - place.begin)))
        return digest.hexdigest()

    def _weight_files(self) -> list[Path]:
        if (self.folder / INDEX).is_file():
            named = self.json_of(INDEX).get("weight_map")
            if not isinstance(named, dict) or not all(isinstance(name, str) for name in named.values()):
                raise ParameterError(f"{self.key}: {self.folder / INDEX} has no weight_map; download it again")
            files = [self.folder / name for name in sorted(set(named.values()))]
            if missing := [path.name for path in files if not path.is_file()]:
                raise ParameterError(
                    f"{self.key}: {self.folder} lacks {', '.join(missing)}, which {INDEX} names; the download is not complete"
                )
            return files
        if not (self.folder / SINGLE).is_file():
            raise ParameterError(
                f"{self.key}: {self.folder} has neither {SINGLE} nor {INDEX}; the download is not complete"
            )
        return [self.folder / SINGLE]


def _places(path: Path, key: str) -> dict[str, TensorPlace]:
    """Return the tensors of a safetensors file after checking that all of their bytes are there."""

    def broken(why: str) -> ParameterError:
        return ParameterError(f"{key}: {path} {why}; download it again")

    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8:
            raise broken(f"is cut off: it has {size} bytes")
        if length > MAX_HEADER_BYTES:
            raise broken("is no safetensors file")
        text = file.read(length)
    if len(text) < length:
        raise broken(f"is cut off inside its header: it has {size} bytes")
    try:
        header = json.loads(text)
        header.pop("__metadata__", None)
        places = {
            name: TensorPlace(
                path,
                entry["dtype"],
                tuple(entry["shape"]),
                8 + length + entry["data_offsets"][0],
                8 + length + entry["data_offsets"][1],
            )
            for name, entry in header.items()
        }
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise broken("has a header that is no safetensors header") from None
    for name, place in places.items():
        expected = ITEM_BYTES.get(place.dtype, 0) * math.prod(place.shape)
        if place.dtype in ITEM_BYTES and place.end - place.begin != expected:
            raise broken(f"gives {name} {place.end - place.begin} bytes, but its shape takes {expected}")
    if (end := max((place.end for place in places.values()), default=0)) > size:
        raise broken(f"is cut off: it has {size} bytes of {end}")
    return places
