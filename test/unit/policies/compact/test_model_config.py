"""Sizes of the network and their keys in config.json."""

import json
from pathlib import Path

import pytest

from vla_ros.parameters import ParameterError
from vla_ros.policies.compact.model_config import FOLDS, IS_PUSH, SUBTASKS, Sizes, as_mapping, read, sizes_of


def test_sizes_are_read_as_they_were_written():
    sizes = Sizes(image=64, crop=16, dim=32)
    stored = as_mapping(sizes)
    assert stored["fovea"] == 16 and "crop" not in stored, "the key of the checkpoint that ships"
    assert sizes_of({**stored, "torch_dtype": "float32"}) == sizes


@pytest.mark.parametrize("values", [{"image": 100}, {"crop": 12}, {"dim": 30}])
def test_sizes_that_do_not_divide_are_refused(values):
    with pytest.raises(ParameterError, match=r"config\.json: image .* multiple of 16"):
        Sizes(**values)


def test_a_network_of_another_kind_is_refused_with_its_kind(tmp_path: Path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(ParameterError, match="llama"):
        read(tmp_path)


def test_every_subtask_has_words_and_pushes_are_known():
    assert len(set(SUBTASKS)) == len(SUBTASKS) == len(FOLDS)
    pushes = [subtask for subtask, is_push in zip(SUBTASKS, IS_PUSH, strict=True) if is_push]
    assert pushes == ["reach behind {x}", "go down behind {x}", "push {x}", "leave {x} there"]
