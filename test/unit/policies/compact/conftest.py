"""A tiny checkpoint of random weights that obeys: every instruction makes sense, everything is in view. It needs torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from test.unit.policies.compact.tiny import ROBOT, SIZES, VOCABULARY
from vla_ros.lab.training.train_parameters import TrainParameters
from vla_ros.parameters import from_mapping
from vla_ros.policies.compact.model_config import ACTION_DIM, as_mapping
from vla_ros.policies.contract import System1, System2
from vla_ros.policies.registry import system1, system2


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from vla_ros.lab.training import checkpoint as writing
    from vla_ros.policies.compact.model import CompactConfig, CompactModel

    torch.manual_seed(0)
    model = CompactModel(CompactConfig(**as_mapping(SIZES)))
    with torch.no_grad():
        model.language.understood.bias += 10.0  # every instruction makes sense
        model.language.verb.bias[1] += 10.0  # and asks to pick up
        for table in (model.language.lexicon["colour"], model.language.lexicon_default["colour"]):
            table[..., 1] += 10.0  # something red
        model.grounding.nowhere["front"].bias -= 20.0  # which is in view,
        model.refiner.head.down.bias[6] += 10.0  # also for the refiner
        model.fusion.subtask.bias[0] += 10.0
    scale = {
        "mean": np.zeros((SIZES.rows, ACTION_DIM)).tolist(),
        "std": np.full((SIZES.rows, ACTION_DIM), 0.02).tolist(),
    }
    made = tmp_path_factory.mktemp("compact")
    parameters = from_mapping(TrainParameters, {})
    writing.write(
        made,
        model,
        model.state_dict(),
        VOCABULARY,
        scale,
        writing.provenance(parameters, {"stills": "none"}),
        {"observation.state": {"q01": [0.0] * 8, "q99": list(range(8))}},
    )
    return made


@pytest.fixture(scope="session")
def halves(folder: Path) -> tuple[System2, System1]:
    options = {"checkpoint": str(folder)}
    return system2("compact", ROBOT, options), system1("compact", ROBOT, options)
