"""Which file holds which tensor of a checkpoint, and a hash of such files. No weight is read, and no torch is needed."""

from __future__ import annotations

import hashlib
from pathlib import Path

from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.weight_files import SINGLE, read_json, tensor_header, weight_faults

INDEX = f"{SINGLE}.index.json"
SAMPLES, SAMPLE_BYTES = 16, 65536


def weight_map(folder: Path) -> dict[str, Path]:
    """Return tensor name → the file that holds it.

    Raises:
        ParameterError: there are no weights; or a file is absent, empty, cut off, or holds other tensors than the index says.
    """
    if faults := weight_faults(folder):
        more = f" ({len(faults) - 1} more such files)" if len(faults) > 1 else ""
        raise ParameterError(faults[0] + more)
    if (folder / SINGLE).exists():
        return dict.fromkeys(tensor_header(folder / SINGLE), folder / SINGLE)
    return {tensor: folder / Path(shard).name for tensor, shard in read_json(folder / INDEX)["weight_map"].items()}


def fingerprint(path: Path) -> str:
    """Return sha256 of a file's length and of SAMPLES samples of it, the first and the last bytes among them.

    Fifteen gigabytes are hashed in milliseconds. Two trainings differ in nearly every weight, so in every sample.
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        for sample in range(SAMPLES):
            file.seek(max(size - SAMPLE_BYTES, 0) * sample // (SAMPLES - 1))
            digest.update(file.read(SAMPLE_BYTES))
    return digest.hexdigest()
