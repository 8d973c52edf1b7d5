"""Faults of a data set are found and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from test.unit.data.recorded_episodes import LENGTH, episode
from vla_ros.data.check import check_dataset
from vla_ros.data.demonstrations import QUALITY, RecordedEpisode
from vla_ros.data.features import SIZE
from vla_ros.data.writer import DATA_PATH, EPISODES_PATH, DatasetWriter
from vla_ros.parameters import ParameterError
from vla_ros.perception.jpeg import encode


def test_a_good_data_set_is_good(good: Path) -> None:
    report = check_dataset(good)
    assert report.good, report.text()
    assert report.about["share of recoveries"] == 0.5 and report.about["kinds"]["pick"] == 22


def changed(key: str, change: Callable[[np.ndarray], object]) -> Callable[[], RecordedEpisode]:
    """An episode one column of which is changed in place."""

    def make() -> RecordedEpisode:
        one = episode(1_000_001)
        one.columns[key] = one.columns[key].copy()
        change(one.columns[key])
        return one

    return make


def told(**about: object) -> Callable[[], RecordedEpisode]:
    """An episode of which something else is told."""

    def make() -> RecordedEpisode:
        one = episode(1_000_001)
        one.about.update(about)
        return one

    return make


def shown(camera: str, image: np.ndarray | None) -> Callable[[], RecordedEpisode]:
    """An episode that shows this image all the time, or its own first one."""

    def make() -> RecordedEpisode:
        one = episode(1_000_001)
        one.images[camera] = [one.images[camera][0] if image is None else encode(image, QUALITY)] * LENGTH
        return one

    return make


def amid(camera: str, jpeg: bytes | None) -> Callable[[], RecordedEpisode]:
    """An episode with another picture in one frame in its middle."""

    def make() -> RecordedEpisode:
        one = episode(1_000_001)
        one.images[camera] = [jpeg if row == 11 else image for row, image in enumerate(one.images[camera])]
        return one

    return make


BLACK = encode(np.zeros((SIZE, SIZE, 3), np.uint8), QUALITY)
RED_BALL = [{"name": "red ball", "shape": "ball", "colour": "red"}] * 12
FAULTS: dict[str, Callable[[], RecordedEpisode]] = {
    "joint3 is dead": changed("observation.state", lambda q: q.__setitem__(np.s_[:, 2], q[0, 2])),
    "a value is not finite": changed("observation.velocity", lambda dq: dq.fill(np.nan)),
    "joint4 is outside its limits": changed("observation.state", lambda q: q.__setitem__((3, 3), 0.5)),
    "joint1 is too fast": changed("action.path", lambda path: path.__setitem__((5, 0), path[5, 0] + 0.1)),
    "action is not the last step": changed("action", lambda action: action.__setitem__((5, 0), 0.0)),
    "label.pixels of front are off": changed("label.pixels", lambda pixels: pixels.__iadd__(3.0)),
    "label.done": changed("label.done", lambda done: done.fill(0)),
    "label.progress": changed("label.progress", lambda progress: progress.fill(1.5)),
    "label.waypoints leave": changed("label.waypoints", lambda goals: goals.fill(2.0)),
    "label.x or label.y names": changed("label.x", lambda x: x.fill(12)),
    "wrist: frame 0 is black": shown("wrist", np.zeros((SIZE, SIZE, 3), np.uint8)),
    "front: frame 11 is black": amid("front", BLACK),
    "wrist: frame 11 is no image": amid("wrist", b"no JPEG"),
    "front: frame 11 is no image": amid("front", b""),
    "frame 11 is no image": amid("wrist", None),
    "finger_joint is dead": changed("observation.state", lambda q: q.__setitem__(np.s_[:, 7], q[0, 7])),
    "joint2 is faster than it can be": changed("observation.velocity", lambda dq: dq.__setitem__((4, 1), 1e6)),
    "label.valid is neither": changed("label.valid", lambda valid: valid.fill(7)),
    "'trip' is no recovery": told(recovery="trip"),
    "front: the video is frozen": shown("front", None),
    "has the size": shown("front", np.full((64, 64, 3), 90, np.uint8)),
    "seed 1001 is kept for evaluation": told(seed=1001),
    "holds the red ball, which is held out": told(things=RED_BALL),
    "the phrasing 'please get hold of the red cube' is held out": told(instruction="please get hold of the red cube"),
    "not that of its seed": told(instruction="pick up the moon"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found_and_named(fault: str, tmp_path: Path) -> None:
    writer = DatasetWriter(tmp_path)
    writer.add(episode(1_000_000))
    writer.add(FAULTS[fault]())
    writer.close()
    report = check_dataset(tmp_path)
    assert list(report.bad) == [1], report.text()
    assert any(fault in reason for reason in report.bad[1]), report.bad
    assert "episode 1: " in report.text() and not report.good


def test_a_broken_clock_is_found(good: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(good, folder)
    path = folder / DATA_PATH.format(chunk_index=0, file_index=1)
    table = pq.read_table(path)
    late = (table["timestamp"].to_numpy() * 1.1).astype(np.float32)
    table = table.set_column(table.schema.get_field_index("timestamp"), table.schema.field("timestamp"), [late])
    pq.write_table(table, path, row_group_size=LENGTH)
    report = check_dataset(folder)
    assert set(report.bad) == {20, 21}
    assert "timestamps" in report.bad[20][0]


def test_what_cannot_be_read_is_named_with_its_episodes(good: Path, tmp_path: Path) -> None:
    cut, short, poor, wrong = (tmp_path / name for name in ("cut", "short", "poor", "wrong"))
    for folder in (cut, short, poor, wrong):
        shutil.copytree(good, folder)
    file = DATA_PATH.format(chunk_index=0, file_index=1)
    (cut / file).write_bytes((cut / file).read_bytes()[:-100])
    pq.write_table(pq.read_table(short / file)[:LENGTH], short / file, row_group_size=LENGTH)
    pq.write_table(pq.read_table(poor / file).drop_columns("action.path"), poor / file, row_group_size=LENGTH)
    for folder, bad in ((cut, {20, 21}), (short, {21}), (poor, {20, 21})):
        report = check_dataset(folder)
        assert set(report.bad) == bad
        assert all(file in reasons[0] and "cannot be read" in reasons[0] for reasons in report.bad.values())
    stats = json.loads((wrong / "meta/stats.json").read_text())
    stats["action"]["mean"][0] += 1.0
    (wrong / "meta/stats.json").write_text(json.dumps(stats))
    assert check_dataset(wrong).problems == ["meta/stats.json: mean or std of action is not that of the data"]
    episodes = wrong / EPISODES_PATH.format(chunk_index=0, file_index=0)
    pq.write_table(pq.read_table(episodes).drop_columns("about"), episodes)
    with pytest.raises(ParameterError, match="its meta folder is not one of vla-ros data generate: KeyError: 'about'"):
        check_dataset(wrong)


def test_few_recoveries_twins_and_wrong_numbers_are_problems(tmp_path: Path) -> None:
    writer = DatasetWriter(tmp_path)
    for seed in (1_000_001, 1_000_003, 1_000_003):
        writer.add(episode(seed))
    writer.close()
    info = tmp_path / "meta/info.json"
    info.write_text(info.read_text().replace('"total_frames": 72', '"total_frames": 71'))
    problems = "\n".join(check_dataset(tmp_path).problems)
    assert "only 0% of the episodes are recoveries" in problems
    assert "seed 1000003 stands in 2 episodes" in problems
    assert "total_frames is not what the data are (72)" in problems
