# ruff: noqa: E402 what is imported below needs torch
"""Crops for the refiner, and its loss."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from test.unit.lab.training.tiny import TINY
from vla_ros.lab.training import refiner_loss, scene_images


def test_a_crop_comes_with_its_position():
    record = np.zeros(1, scene_images.layout(TINY))
    record["crop_centres"] = 30, 34
    middle = scene_images.STORED_CROP // 2  # of the kept patch: the pixel that centres names
    record["crops"][0, 0, 1, middle + 2, middle - 1] = 255  # a bright pixel two below and one to the left of it
    for seed in range(20):
        patches, spots, middles = refiner_loss.crops(record, 0, np.array([[1]]), TINY, np.random.default_rng(seed))
        row, column = np.unravel_index(patches[0, 0, ..., 0].argmax(), patches.shape[2:4])
        side = TINY.crop // 2
        assert (middles[0, 0] + (column - side, row - side)).tolist() == [29, 36]
        np.testing.assert_allclose(spots[0, 0], (middles[0, 0] + 0.5) / 32 - 1)


def test_a_right_output_of_the_refiner_costs_less():
    cells, objects = torch.tensor([[[5.0, 6.0, 1.0]]]), torch.tensor([[[0.5, 0.1, 0.02, 1.0, 0.0]]])
    middles = refiner_loss.upscaled(cells[..., :2]) - 4.0
    right = torch.tensor([[[0.5, 0.5, 0.2, 1.0, 0.0, 0.0, 4.0]]])
    wrong = torch.tensor([[[0.5, -0.5, 0.2, 1.0, 0.0, 0.0, -4.0]]])
    one, none = torch.ones(1, 1), torch.zeros(1, 1)
    told, lied = (refiner_loss.losses(known, middles, cells, objects, one, none) for known in (right, wrong))
    assert float(told["refined"]) == pytest.approx(0.0, abs=1e-6) and float(lied["refined"]) > 0.4
    assert float(told["refined_std"]) < float(lied["refined_std"])
    assert float(told["match"]) < 0.1 and float(lied["match"]) > 1.0
    assert float(refiner_loss.losses(wrong, middles, cells, objects, none, one)["match"]) < 0.1, "it is another thing"
    nothing = refiner_loss.losses(wrong, middles, cells, objects, none, none)
    assert float(nothing["refined"]) == float(nothing["match"]) == 0.0
