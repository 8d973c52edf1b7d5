# ruff: noqa: E402 what is imported below needs torch
"""The network as a transformers model, with the tensors of the checkpoint that ships."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
from safetensors.torch import load_file
from transformers import AutoModel

from vla_ros.policies.compact.checkpoint import WEIGHTS, stored_name
from vla_ros.policies.compact.model import CompactModel
from vla_ros.policies.compact.model_config import read

SHIPPED = Path(__file__).parents[4] / "checkpoints" / "compact"


def test_transformers_finds_the_network_by_itself_with_every_tensor_of_the_file():
    model = AutoModel.from_pretrained(str(SHIPPED), local_files_only=True, dtype=torch.float16)
    assert isinstance(model, CompactModel) and model.config.sizes == read(SHIPPED)
    stored, state = load_file(SHIPPED / WEIGHTS), model.state_dict()
    assert {stored_name(name) for name in state} == set(stored)
    assert all(torch.equal(value, stored[stored_name(name)]) for name, value in state.items())
