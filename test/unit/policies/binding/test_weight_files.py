"""Weights that are absent, empty, truncated, or of another format are told by their headers alone."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from vla_ros.parameters import ParameterError
from vla_ros.policies.binding.weight_files import read_tensors, tensor_header, weight_faults

TENSORS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([1, 2], np.int64)}


def sharded(folder: Path) -> Path:
    """Write two shards and their index; return the folder."""
    save_file({"a": TENSORS["a"]}, folder / "model-00001-of-00002.safetensors")
    save_file({"b": TENSORS["b"]}, folder / "model-00002-of-00002.safetensors")
    weight_map = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return folder


def raw(path: Path, header: object, data: bytes = b"") -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def test_tensors_are_read(tmp_path: Path) -> None:
    save_file(TENSORS, tmp_path / "model.safetensors")
    found = read_tensors(tmp_path / "model.safetensors")
    assert {name: values.tolist() for name, values in found.items()} == {n: v.tolist() for n, v in TENSORS.items()}
    assert tensor_header(tmp_path / "model.safetensors")["a"][:2] == ("F32", (2, 3))
    assert weight_faults(tmp_path) == []


def test_bfloat16_is_read_as_float32(tmp_path: Path) -> None:
    values = np.array([1.0, -2.5], np.float32)
    upper = (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()
    path = raw(tmp_path / "s.safetensors", {"x": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}}, upper)
    assert read_tensors(path)["x"].tolist() == values.tolist()


def test_whole_shards_have_no_fault(tmp_path: Path) -> None:
    assert weight_faults(sharded(tmp_path)) == []


def test_a_shard_that_is_absent_empty_truncated_or_another_is_named(tmp_path: Path) -> None:
    second = sharded(tmp_path) / "model-00002-of-00002.safetensors"
    whole = second.read_bytes()
    for content, text in [
        (None, "absent; download the folder again"),
        (b"", "0 bytes hold no tensors"),
        (whole[:-3], "truncated"),
        (whole[:20], "truncated, or no safetensors"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    ]:
        second.unlink(missing_ok=True)
        if content is not None:
            second.write_bytes(content)
        (fault,) = weight_faults(tmp_path)
        assert fault.startswith(str(second)) and text in fault
    save_file({"c": np.zeros(2)}, second)
    assert "without b and 0 others that the index places there" in weight_faults(tmp_path)[0]


@pytest.mark.parametrize("index", ["", "[]", "{}", '{"weight_map": {}}', '{"weight_map": 3}'])
def test_an_index_that_names_nothing_is_a_fault(tmp_path: Path, index: str) -> None:
    (tmp_path / "model.safetensors.index.json").write_text(index)
    (fault,) = weight_faults(tmp_path)
    assert fault.startswith(str(tmp_path / "model.safetensors.index.json"))


def test_a_shard_outside_the_folder_is_looked_for_inside(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../../etc/passwd"}}')
    assert weight_faults(tmp_path) == [f"{tmp_path}/passwd: absent; download the folder again"]


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ([], "its header has no tensors"),
        ({"a": 3}, "its header has no tensors"),
        ({"a": {"dtype": "F32", "shape": [2]}}, "its header has no tensors"),
        ({"a": {"dtype": "F32", "shape": ["x"], "data_offsets": [0, 8]}}, "its header has no tensors"),
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 80]}}, "truncated"),
        ({"a": {"dtype": "F7", "shape": [2], "data_offsets": [0, 8]}}, "a is of type F7"),
        ({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, "a has 8 bytes for shape (3,) of F32"),
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}}, "the offsets of a are none"),
        ({"a": {"dtype": "F32", "shape": [2], "data_offsets": [-900, -892]}}, "the offsets of a are none"),
    ],
)
def test_a_header_that_is_wrong_is_one_line(tmp_path: Path, header: object, text: str) -> None:
    path = raw(tmp_path / "s.safetensors", header, bytes(8))
    with pytest.raises(ParameterError) as error:
        read_tensors(path)
    assert text in str(error.value) and str(error.value).startswith(str(path)) and "\n" not in str(error.value)


@settings(deadline=None)
@given(content=st.binary(max_size=200))
def test_no_bytes_raise_anything_else(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("bytes") / "s.safetensors"
    path.write_bytes(content)
    with pytest.raises(ParameterError):
        read_tensors(path)


def test_a_file_that_holds_nothing_is_a_fault(tmp_path: Path) -> None:
    raw(tmp_path / "model.safetensors", {})
    assert "it holds no tensor" in weight_faults(tmp_path)[0]
