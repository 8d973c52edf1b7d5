"""A data set that nothing is wrong with."""

from __future__ import annotations

from pathlib import Path

import pytest

from test.unit.data.recorded_episodes import episode
from vla_ros.data.writer import DatasetWriter


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "good"
    writer = DatasetWriter(folder)
    for seed in range(1_000_000, 1_000_022):
        writer.add(episode(seed))
    writer.close()
    return folder
