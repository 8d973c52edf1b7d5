"""Weights that are not whole are found before a model is built; the hash tells trainings apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from test.unit.policies.openvla.checkpoint_files import TENSORS, write
from vla_ros.parameters import ParameterError
from vla_ros.policies.openvla.weight_map import fingerprint, weight_map


def test_every_tensor_has_its_file(tmp_path: Path) -> None:
    found = weight_map(write(tmp_path))
    assert found.keys() == TENSORS.keys()
    assert {path.name for path in found.values()} == {f"model-0000{n}-of-00002.safetensors" for n in (1, 2)}


def test_one_file_needs_no_index(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "model.safetensors")
    assert weight_map(tmp_path) == dict.fromkeys(TENSORS, tmp_path / "model.safetensors")


@pytest.mark.parametrize("fault", ["absent", "empty", "short", "garbage", "pointer", "other"])
def test_a_broken_file_is_named(tmp_path: Path, fault: str) -> None:
    folder = write(tmp_path)
    shard = folder / "model-00002-of-00002.safetensors"
    whole = shard.read_bytes()
    contents = {
        "empty": b"",
        "short": whole[:-5],
        "garbage": b"x" * 99,
        "pointer": b"version https://git-lfs.github.com",
    }
    if fault == "absent":
        shard.unlink()
    elif fault == "other":
        save_file({"another.weight": np.zeros(3, np.float32)}, shard)
    else:
        shard.write_bytes(contents[fault])
    with pytest.raises(ParameterError, match=shard.name) as error:
        weight_map(folder)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("index", ["", "[]", "{}", '{"weight_map": {}}', "{"])
def test_a_broken_index_is_named(tmp_path: Path, index: str) -> None:
    folder = write(tmp_path)
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ParameterError, match="index.json"):
        weight_map(folder)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="model.safetensors"):
        weight_map(tmp_path)


def test_the_fingerprint_depends_on_length_begin_middle_and_end(tmp_path: Path) -> None:
    path, size = tmp_path / "file", 3_000_000
    content = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    path.write_bytes(content.tobytes())
    first = fingerprint(path)
    assert fingerprint(path) == first
    for place in (0, size // 15, size - 1):
        other = content.copy()
        other[place] ^= 1
        path.write_bytes(other.tobytes())
        assert fingerprint(path) != first
    path.write_bytes(content.tobytes() + b"0")
    assert fingerprint(path) != first
