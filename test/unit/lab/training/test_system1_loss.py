# ruff: noqa: E402 what is imported below needs torch
"""Loss of System 1."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from test.unit.lab.training.tiny import TINY
from vla_ros.lab.training import motions, system1_loss
from vla_ros.policies.compact.flow import Flow


@pytest.fixture(scope="module")
def examples():
    return motions.examples(np.random.default_rng(0), TINY, 40)


def test_the_statistics_are_equal_for_x_and_y_and_never_zero(examples):
    scale = system1_loss.statistics(examples)
    mean, std = np.array(scale["mean"]), np.array(scale["std"])
    np.testing.assert_array_equal(std[:, 0], std[:, 1])
    assert (std >= system1_loss.LEAST_STD).all() and not mean[:, :6].any()


def test_committed_rows_do_not_count(examples):
    torch.manual_seed(0)
    flow, scale, one = Flow(TINY), system1_loss.statistics(examples), examples[:1].copy()
    one["prefix_rows"] = 5
    other = one.copy()
    losses = []
    for batch in (one, other):
        torch.manual_seed(1)
        losses.append(float(system1_loss.flow_loss(flow, batch, scale, TINY, None, torch.device("cpu"))))
        other["rows"][:, 5:] += 0.1
    assert losses[0] != losses[1], "rows after the prefix count"
    assert np.isfinite(losses).all()
