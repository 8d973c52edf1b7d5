"""Folders of checkpoints: whole or refused, and known by a hash."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from vla_ros.parameters import ParameterError
from vla_ros.policies.split.checkpoint_files import CheckpointFiles


def write_tensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    header, offset = {}, 0
    for name, tensor in tensors.items():
        end = offset + tensor.nbytes
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(tensor.tobytes() for tensor in tensors.values()))


def folder(tmp_path: Path, value: float = 1.0, shards: int = 1) -> Path:
    tmp_path.mkdir(parents=True, exist_ok=True)
    (tmp_path / "config.json").write_text('{"type": "smolvla"}')
    tensors = {f"layer{i}.weight": np.full((8, 100), value + i, np.float32) for i in range(4)}
    if shards == 1:
        write_tensors(tmp_path / "model.safetensors", tensors)
        return tmp_path
    names = list(tensors)
    places = {name: f"model-{1 + i % shards:05d}-of-{shards:05d}.safetensors" for i, name in enumerate(names)}
    for shard in set(places.values()):
        write_tensors(tmp_path / shard, {name: tensors[name] for name in names if places[name] == shard})
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return tmp_path


@pytest.mark.parametrize("shards", [1, 2])
def test_tensors_are_found_where_they_stand(shards: int, tmp_path: Path) -> None:
    files = CheckpointFiles(str(folder(tmp_path, shards=shards)), "smolvla.checkpoint")
    place = files.tensors["layer2.weight"]
    assert place.shape == (8, 100)
    raw = place.file.read_bytes()[place.begin : place.end]
    assert (np.frombuffer(raw, np.float32) == 3.0).all()


def test_the_hash_knows_weights_configuration_and_options(tmp_path: Path) -> None:
    def identity(path: Path, *options: object) -> str:
        return CheckpointFiles(str(path), "smolvla.checkpoint").identity(*options)

    one = identity(folder(tmp_path / "a"), "smolvla", False)
    assert identity(folder(tmp_path / "b"), "smolvla", False) == one
    assert identity(folder(tmp_path / "a"), "smolvla", True) != one
    assert identity(folder(tmp_path / "c", value=1.5), "smolvla", False) != one
    (tmp_path / "b" / "config.json").write_text('{"type": "smolvla", "num_steps": 4}')
    assert identity(tmp_path / "b", "smolvla", False) != one
    (tmp_path / "a" / "train_config.json").write_text("{}")
    assert identity(tmp_path / "a", "smolvla", False) == one


@pytest.mark.parametrize(
    ("break_it", "text"),
    [
        (lambda path: (path / "config.json").unlink(), "config.json: No such file"),
        (lambda path: (path / "config.json").write_text("{"), "no JSON"),
        (lambda path: (path / "config.json").write_text("[]"), "expected an object"),
        (lambda path: (path / "model.safetensors").unlink(), "absent"),
        (lambda path: (path / "model.safetensors").write_bytes(b""), "hold no tensors"),
        (lambda path: (path / "model.safetensors").write_bytes(b"x" * 100), "no safetensors"),
    ],
)
def test_what_is_not_whole_is_one_line(break_it: object, text: str, tmp_path: Path) -> None:
    path = folder(tmp_path / "bad")
    break_it(path)  # type: ignore[operator]
    with pytest.raises(ParameterError) as error:
        CheckpointFiles(str(path), "smolvla.checkpoint")
    assert str(error.value).startswith("smolvla.checkpoint: ")
    assert text in str(error.value)


def test_a_truncated_and_a_missing_shard_are_named(tmp_path: Path) -> None:
    path = folder(tmp_path / "cut", shards=2)
    shard = path / "model-00002-of-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-4])
    with pytest.raises(ParameterError, match="model-00002-of-00002.safetensors: truncated"):
        CheckpointFiles(str(path), "pi0.checkpoint")
    shard.unlink()
    with pytest.raises(ParameterError, match="model-00002-of-00002.safetensors: absent"):
        CheckpointFiles(str(path), "pi0.checkpoint")


def test_no_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="required and missing"):
        CheckpointFiles("", "pi0.checkpoint")
    with pytest.raises(ParameterError, match="there is no folder"):
        CheckpointFiles(str(tmp_path / "nowhere"), "pi0.checkpoint")
