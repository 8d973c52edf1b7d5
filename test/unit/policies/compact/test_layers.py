# ruff: noqa: E402 what is imported below needs torch
"""Layers of the network."""

import pytest

torch = pytest.importorskip("torch")

from vla_ros.policies.compact.layers import Attention, Block


def test_a_masked_key_has_no_influence():
    torch.manual_seed(0)
    attention, queries, keys = Attention(8, 2), torch.randn(1, 3, 8), torch.randn(1, 4, 8)
    bias = torch.tensor([0.0, 0.0, 0.0, -1e4])[None, None, None]
    other = keys.clone()
    other[:, 3] += 5.0
    torch.testing.assert_close(attention(queries, keys, bias), attention(queries, other, bias))
    assert not torch.allclose(attention(queries, keys), attention(queries, other))


def test_dropout_is_of_training_alone():
    torch.manual_seed(0)
    block, x = Block(8, 2, 0.5), torch.randn(1, 4, 8)
    assert not torch.equal(block(x), block(x))
    block.eval()
    assert torch.equal(block(x), block(x))
