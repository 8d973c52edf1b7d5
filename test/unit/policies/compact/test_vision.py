# ruff: noqa: E402 what is imported below needs torch
"""Positions in images."""

import pytest

torch = pytest.importorskip("torch")

from test.unit.policies.compact.tiny import SIZES
from vla_ros.policies.compact.vision import Grounding, Vision


def test_a_query_that_is_the_key_of_a_cell_scores_highest_there():
    torch.manual_seed(0)
    vision, grounding = Vision(SIZES).eval(), Grounding(SIZES).eval()
    keys, fine, middle, coarse = vision(torch.rand(1, 3, 32, 32) * 2 - 1)
    assert keys.shape == (1, SIZES.key, 16, 16) and coarse.shape == (1, SIZES.channels[2], 4, 4)
    keys = torch.nn.functional.normalize(keys, dim=1)
    scores, height = grounding("front", keys, fine, middle, 100 * keys[:, :, 5, 7][:, None])
    assert int(scores[0, 0, :-1].argmax()) == 5 * 16 + 7
    assert scores.shape == (1, 1, 16 * 16 + 1) and height.shape == (1, 1)
