"""Demonstrations: made in the simulator, written as a LeRobotDataset v3.0, checked, and read for training.

`generate_dataset` fills a folder, `check_dataset` names what is wrong with one, `Dataset` reads it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vla_ros.data.check import DatasetReport, check_dataset
    from vla_ros.data.dataset import Dataset, DatasetEpisode
    from vla_ros.data.demonstrations import RecordedEpisode, demonstrate
    from vla_ros.data.features import FEATURES, Feature
    from vla_ros.data.generate import generate_dataset
    from vla_ros.data.writer import DatasetWriter

__all__ = [
    "FEATURES",
    "Dataset",
    "DatasetEpisode",
    "DatasetReport",
    "DatasetWriter",
    "Feature",
    "RecordedEpisode",
    "check_dataset",
    "demonstrate",
    "generate_dataset",
]
_NAMES = {
    "check": (
        "DatasetReport",
        "check_dataset",
    ),
    "dataset": (
        "Dataset",
        "DatasetEpisode",
    ),
    "demonstrations": (
        "RecordedEpisode",
        "demonstrate",
    ),
    "features": (
        "FEATURES",
        "Feature",
    ),
    "generate": ("generate_dataset",),
    "writer": ("DatasetWriter",),
}


def __getattr__(name: str) -> object:
    """Import a public name when it is asked for: what is behind it is slow to load."""
    for module, names in _NAMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
