"""What was written is read, by us and by LeRobot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from test.unit.data.recorded_episodes import LENGTH, episode
from vla_ros.data.dataset import Dataset
from vla_ros.data.features import CAMERAS, FPS


def test_what_is_written_is_read(good: Path) -> None:
    data = Dataset(good)
    assert len(data) == 22 * LENGTH and len(data.episodes) == 22
    one = episode(1_000_021)
    first = data.episodes[21].first
    for key in ("observation.state", "label.things", "label.phase"):
        read = data[key][first : first + LENGTH].reshape(LENGTH, -1)
        assert (read == one.columns[key].reshape(LENGTH, -1)).all(), key
    assert data["label.pixels"].shape == (22 * LENGTH, 2, 12, 3)
    assert data["action.path"].shape == (22 * LENGTH, 5, 8)
    assert data.jpeg("wrist", first + 5) == one.images["wrist"][5]
    assert (data.image("front", first) == Dataset(good, packed=False).images("front", [first])[0]).all()
    assert data.instruction(first) == one.about["instruction"] and data.subtask(first + LENGTH - 1) == "done"
    assert data.episode_of(first - 1).index == 20


def test_lerobot_reads_what_we_read(good: Path) -> None:
    lerobot = pytest.importorskip("lerobot.datasets.lerobot_dataset")
    theirs, ours = lerobot.LeRobotDataset("vla_ros/good", root=good), Dataset(good)
    assert (theirs.num_episodes, len(theirs), theirs.fps) == (22, len(ours), FPS)
    for row in range(0, len(ours), 11):
        frame = theirs[row]
        for key in ("observation.state", "action", "action.path", "label.pixels", "label.phase"):
            assert (np.asarray(frame[key]).reshape(-1) == ours[key][row].reshape(-1)).all(), key
        assert (frame["task"], frame["subtask"]) == (ours.instruction(row), ours.subtask(row))
        for camera in CAMERAS:
            image = 255 * np.moveaxis(np.asarray(frame[f"observation.images.{camera}"]), 0, -1)
            assert np.abs(image - ours.image(camera, row)).max() <= 3, "two decoders of JPEG"
