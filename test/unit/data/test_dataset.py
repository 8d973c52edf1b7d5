"""The data set: written as LeRobot v3.0, read as written, resumed, and its faults found."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from vla_ros.data import check as checker
from vla_ros.data import writer as writing
from vla_ros.data.check import check_dataset
from vla_ros.data.dataset import Dataset
from vla_ros.data.demonstrations import QUALITY, RecordedEpisode
from vla_ros.data.features import CAMERAS, FEATURES, FPS, SIZE
from vla_ros.data.generate import generate_dataset
from vla_ros.data.writer import DATA_PATH, EPISODES_PATH, DatasetWriter
from vla_ros.parameters import ParameterError
from vla_ros.perception.jpeg import encode
from vla_ros.sim.arm_description import HOME
from vla_ros.sim.model import intrinsics
from vla_ros.sim.variation import TRAINING, sample_varied
from vla_ros.transforms import matrix

LENGTH = 24
FRONT = np.array([1.25, 0.0, 0.8, 0.650693, 0.650693, -0.276749, -0.276749])


def episode(seed: int) -> RecordedEpisode:
    """An episode that nothing is wrong with, of an arm that swings to and fro; no simulator."""
    scene, task = sample_varied(seed, "pick", TRAINING)
    rng = np.random.default_rng(seed)
    columns = {key: np.zeros((LENGTH, *feature.shape), feature.dtype) for key, feature in FEATURES.items()}
    columns.pop("subtask_index")
    fine = np.arange(LENGTH * 5 + 1) / 5
    way = np.array([0.2] * 7 + [-0.01])
    swing = HOME - (0, 0, 0, 0, 0, 0, 0, 0.02) + np.sin(0.3 * fine)[:, None] * way
    columns["observation.state"] = swing[:-1:5].astype(np.float32)
    columns["action.path"] = swing[1:].reshape(LENGTH, -1).astype(np.float32)
    columns["action"] = columns["action.path"][:, -8:]
    columns["label.waypoints"][:] = np.tile([0.5, 0.0, 0.1, 0.0, 0.04, 0.3], 4)
    columns["label.camera_front"][:] = columns["label.camera_wrist"][:] = FRONT
    things, pixels = np.zeros((12, 4)), np.zeros((2, 12, 3))
    T = matrix(FRONT[:3], FRONT[3:])
    for row, thing in enumerate(scene.objects):
        things[row, :3] = thing.x, thing.y, thing.height / 2
        for index, camera in enumerate(CAMERAS):
            ray = intrinsics(camera, SIZE, SIZE) @ ((things[row, :3] - T[:3, 3]) @ T[:3, :3])
            pixels[index, row] = *(ray[:2] / ray[2]), 1.0
    columns["label.things"][:], columns["label.pixels"][:] = things.reshape(-1), pixels.reshape(-1)
    columns["label.x"][:] = [thing.name for thing in scene.objects].index(task.steps[0].x)
    columns["label.y"][:] = -1
    columns["label.done"][-3:] = 1
    columns["label.progress"][:] = np.linspace(0, 1, LENGTH)[:, None]
    noise = rng.integers(60, 200, (LENGTH, SIZE // 8, SIZE // 8, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    about = {
        "seed": seed,
        "kind": "pick",
        "instruction": task.instruction,
        "steps": [{"kind": step.kind, "x": step.x, "y": step.y} for step in task.steps],
        "things": [{"name": t.name, "shape": t.shape, "colour": t.colour} for t in scene.objects],
        "recovery": "none" if seed % 2 else "moved",
    }
    images = {camera: [encode(image, QUALITY) for image in noise] for camera in CAMERAS}
    return RecordedEpisode(columns, images, ["reach for it"] * (LENGTH - 3) + ["done"] * 3, about)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "good"
    writer = DatasetWriter(folder)
    for seed in range(1_000_000, 1_000_022):
        writer.add(episode(seed))
    writer.close()
    return folder


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


def test_seeds_of_evaluation_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="kept for evaluation"):
        generate_dataset(tmp_path, 1, 5000, 1, lambda made, tried: None)


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


def test_files_are_counted_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "EPISODES_PER_FILE", 1)
    writer = DatasetWriter(tmp_path)
    for seed in (1_000_000, 1_000_001):
        writer.add(episode(seed))
    assert (tmp_path / EPISODES_PATH.format(chunk_index=0, file_index=1)).exists()
    assert len(Dataset(tmp_path)) == 2 * LENGTH
    assert checker.check_dataset(tmp_path).about["episodes"] == 2
