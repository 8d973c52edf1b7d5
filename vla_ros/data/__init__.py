"""Demonstrations: made in the simulator, written as a LeRobotDataset v3.0, checked, and read for training.

`generate_dataset` fills a folder, `check_dataset` names what is wrong with one, `Dataset` reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names

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
__getattr__, __dir__ = lazy_names(
    __name__,
    {
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
    },
)
