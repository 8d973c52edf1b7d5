# ruff: noqa: E402 what is imported below needs torch
"""The refiner is told by its query which object is asked for."""

import pytest

torch = pytest.importorskip("torch")

from test.unit.policies.compact.tiny import SIZES
from vla_ros.policies.compact.projection import REFINED_DIM
from vla_ros.policies.compact.refiner import Refiner


def test_another_query_gives_another_result_on_the_same_crop():
    torch.manual_seed(0)
    refiner = Refiner(SIZES).eval()
    crop = torch.randint(0, 255, (1, SIZES.crop, SIZES.crop, 3), dtype=torch.uint8).expand(2, -1, -1, -1)
    result = refiner(crop, torch.randn(2, SIZES.key), torch.zeros(2, 3))
    assert result.shape == (2, REFINED_DIM)
    assert not torch.allclose(result[0], result[1])
