"""The data set is written as LeRobot v3.0, and resumed after any interruption."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from test.unit.data.recorded_episodes import LENGTH, episode
from vla_ros.data import check as checker
from vla_ros.data import writer as writing
from vla_ros.data.check import check_dataset
from vla_ros.data.dataset import Dataset
from vla_ros.data.features import FPS
from vla_ros.data.writer import EPISODES_PATH, DatasetWriter
from vla_ros.parameters import ParameterError


def test_the_layout_is_lerobots(good: Path) -> None:
    info = json.loads((good / "meta/info.json").read_text())
    assert {
        "codebase_version": "v3.0",
        "fps": FPS,
        "total_episodes": 22,
        "total_frames": 22 * LENGTH,
        "total_tasks": len({episode(seed).about["instruction"] for seed in range(1_000_000, 1_000_022)}),
        "chunks_size": 1000,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "robot_type": "sim_arm",
        "splits": {"train": "0:22"},
        "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
        "video_path": None,
    } == {key: value for key, value in info.items() if key != "features"}
    assert all(set(feature) == {"dtype", "shape", "names"} for feature in info["features"].values())
    data = pq.ParquetFile(good / "data/chunk-000/file-000.parquet")
    assert set(data.schema_arrow.names) == set(info["features"])
    assert data.num_row_groups == 20 and data.metadata.row_group(0).num_rows == LENGTH
    types = {field.name: str(field.type) for field in data.schema_arrow}
    assert types["observation.state"] == "fixed_size_list<element: float>[8]"
    assert types["timestamp"] == "float" and types["index"] == types["task_index"] == "int64"
    assert types["observation.images.front"] == "struct<bytes: binary, path: string>"
    assert data.metadata.row_group(0).column(0).compression == "SNAPPY"


def test_episodes_tasks_and_statistics_are_lerobots(good: Path) -> None:
    (row, *_) = pq.read_table(good / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    wanted = {"episode_index", "tasks", "length", "data/chunk_index", "data/file_index"}
    wanted |= {"dataset_from_index", "dataset_to_index", "meta/episodes/chunk_index", "meta/episodes/file_index"}
    assert wanted <= set(row)
    names = {"min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"}
    features = json.loads((good / "meta/info.json").read_text())["features"]
    assert {f"stats/{key}/{name}" for key in features for name in names} <= set(row)
    statistics = json.loads((good / "meta/stats.json").read_text())
    assert set(statistics) == set(features)
    assert np.shape(statistics["observation.images.front"]["mean"]) == (3, 1, 1)
    assert 0 < np.min(statistics["observation.images.front"]["mean"]) < 1
    state = Dataset(good)["observation.state"]
    assert np.allclose(statistics["observation.state"]["std"], state.std(0), atol=1e-4)
    tasks = pq.read_table(good / "meta/tasks.parquet")
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["task"]
    assert tasks.column("task_index").to_pylist() == list(range(len(tasks)))


def test_an_interrupted_writer_goes_on(tmp_path: Path, good: Path) -> None:
    writer = DatasetWriter(tmp_path)
    for seed in range(1_000_000, 1_000_020):
        writer.add(episode(seed))
    assert writer.episodes == 20
    again = DatasetWriter(tmp_path)
    assert again.last_seed == 1_000_019
    for seed in range(1_000_020, 1_000_022):
        again.add(episode(seed))
    again.close()
    for path in good.rglob("*.parquet"):
        assert pq.read_table(path).equals(pq.read_table(tmp_path / path.relative_to(good))), path
    found, wanted = (json.loads((folder / "meta/stats.json").read_text()) for folder in (tmp_path, good))
    assert all(np.allclose(found[key]["mean"], wanted[key]["mean"]) for key in wanted)


# Two files of one episode each: meta/info.json, then twice data, tasks, subtasks, episodes, statistics, meta/info.json.
@pytest.mark.parametrize("number", range(13))
@pytest.mark.parametrize("named", (False, True))
def test_an_interruption_at_any_file_loses_no_episode_and_doubles_none(
    number: int, named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C right before or after a file gets its name; `kill -9` leaves the same, as `close` then adds nothing."""
    monkeypatch.setattr(writing, "EPISODES_PER_FILE", 1)
    replace, left = os.replace, number

    def write() -> None:
        writer = DatasetWriter(tmp_path)
        try:
            for seed in range(max(1_000_000, (writer.last_seed or 0) + 1), 1_000_002):
                writer.add(episode(seed))
        finally:
            writer.close()

    def interrupted(beside: Path, path: Path) -> None:
        nonlocal left
        assert left >= 0, "it was told to stop"
        left -= 1
        if named or left >= 0:
            replace(beside, path)
        if left < 0:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write()
    monkeypatch.setattr(os, "replace", replace)
    write()
    report = check_dataset(tmp_path)
    assert not report.bad and report.about["episodes"] == 2, report.text()
    assert not [problem for problem in report.problems if "meta/" in problem], report.problems


def test_another_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(ParameterError, match="is not empty"):
        DatasetWriter(tmp_path)
    with pytest.raises(ParameterError, match="no meta/info.json"):
        Dataset(tmp_path)


def test_files_are_counted_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "EPISODES_PER_FILE", 1)
    writer = DatasetWriter(tmp_path)
    for seed in (1_000_000, 1_000_001):
        writer.add(episode(seed))
    assert (tmp_path / EPISODES_PATH.format(chunk_index=0, file_index=1)).exists()
    assert len(Dataset(tmp_path)) == 2 * LENGTH
    assert checker.check_dataset(tmp_path).about["episodes"] == 2
