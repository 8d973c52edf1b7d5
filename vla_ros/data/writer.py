"""Writes demonstrations as a LeRobotDataset v3.0: parquet files of some tens of episodes, JPEG images in them.

The layout is that of huggingface/lerobot (`src/lerobot/datasets/`, v3.0). Images are a feature of dtype "image": each
cell holds {bytes, path}, as `datasets.Image` reads them. Beside LeRobot's columns, meta/episodes has one more: `about`,
JSON with the seed, the kind of task, the steps, the things on the table and the kind of recovery.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vla_ros.data.demonstrations import ANY_TASK, RecordedEpisode
from vla_ros.data.features import CAMERAS, FEATURES, FPS, IMAGE_KEYS, SIZE
from vla_ros.parameters import ParameterError
from vla_ros.perception.jpeg import decode

VERSION = "v3.0"
DATA_PATH = "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
EPISODES_PATH = "meta/episodes/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"
PART = ".part"  # suffix of a file that is being written
FILES_PER_CHUNK = 1000
EPISODES_PER_FILE = 20
SAMPLED_IMAGES = 12  # of an episode and camera, for statistics
PIXEL_STEP = 11  # every so many pixels of them
QUANTILES = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
INDEX_COLUMNS = ("timestamp", "frame_index", "episode_index", "index", "task_index")
IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


class DatasetWriter:
    """Appends episodes to a folder; goes on where an earlier one stopped.

    A file counts once its episodes stand in meta/episodes, which is written after it; what was not so far is written
    again. Everything is written beside and then renamed, so that a reader never sees half a file. A writer that was
    interrupted while it wrote writes no more: the next one begins with what counts.

    Args:
        folder: new, empty, or written by this class.

    Raises:
        ParameterError: the folder holds another kind of data set.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        info = folder / "meta/info.json"
        if info.exists():
            try:
                told = json.loads(info.read_text())
            except ValueError as error:
                raise ParameterError(f"--out {folder}: meta/info.json cannot be read: {error}") from None
            if told.get("codebase_version") != VERSION or told.get("features") != features():
                raise ParameterError(f"--out {folder}: holds a data set with other features; choose another folder")
        elif any(not path.is_dir() and path.suffix != PART for path in folder.rglob("*")):
            raise ParameterError(f"--out {folder}: is not empty and holds no data set; choose another folder")
        known = episode_table(folder)
        self.episodes = len(known)
        self.frames = int(known[-1]["dataset_to_index"]) if known else 0
        about = json.loads(known[-1]["about"]) if known else {}
        self.last_seed: int | None = about.get("seed")
        self.last_wanted: str = about.get("wanted", str(ANY_TASK))
        self._files = (
            int(known[-1]["data/file_index"] + FILES_PER_CHUNK * known[-1]["data/chunk_index"]) + 1 if known else 0
        )
        self._tasks = _texts(folder / "meta/tasks.parquet", "task")
        self._subtasks = _texts(folder / "meta/subtasks.parquet", "subtask")
        self._statistics = [_episode_statistics(row) for row in known]
        self._waiting: list[RecordedEpisode] = []
        self._interrupted = False
        self._summarise()  # so that a folder tells from the start whose it is, and nothing older than its episodes

    def add(self, episode: RecordedEpisode) -> None:
        """Take an episode; it is on disk after `EPISODES_PER_FILE` of them or `close`."""
        self._waiting.append(episode)
        if len(self._waiting) == EPISODES_PER_FILE:
            self._flush()

    def close(self) -> None:
        """Write what waits."""
        if self._waiting and not self._interrupted:
            self._flush()

    def _flush(self) -> None:
        self._interrupted = True
        chunk, file = divmod(self._files, FILES_PER_CHUNK)
        place = {"chunk_index": chunk, "file_index": file}
        path = self.folder / DATA_PATH.format(**place)
        path.parent.mkdir(parents=True, exist_ok=True)
        rows, described, index, number = [], [], self.frames, self.episodes
        beside = path.with_suffix(PART)
        with pq.ParquetWriter(beside, _schema(), compression="snappy") as writer:
            for episode in self._waiting:
                table = self._table(episode, number, index)
                writer.write_table(table, row_group_size=len(table))
                statistics = _statistics(episode, table)
                described.append(statistics)
                rows.append(
                    {
                        "episode_index": number,
                        "tasks": [episode.about["instruction"]],
                        "length": len(table),
                        "data/chunk_index": chunk,
                        "data/file_index": file,
                        "dataset_from_index": index,
                        "dataset_to_index": index + len(table),
                        "meta/episodes/chunk_index": chunk,
                        "meta/episodes/file_index": file,
                        "about": json.dumps(episode.about),
                        **{
                            f"stats/{key}/{name}": value for key, of in statistics.items() for name, value in of.items()
                        },
                    }
                )
                number, index = number + 1, index + len(table)
        os.replace(beside, path)
        _write_texts(self.folder / "meta/tasks.parquet", "task", self._tasks)
        _write_texts(self.folder / "meta/subtasks.parquet", "subtask", self._subtasks)
        path = self.folder / EPISODES_PATH.format(**place)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), beside := path.with_suffix(PART), compression="snappy")
        os.replace(beside, path)
        self.episodes, self.frames, self._files = number, index, self._files + 1
        self._statistics += described
        self._waiting = []
        self._summarise()
        self._interrupted = False

    def _summarise(self) -> None:
        """Write what stands in the data set as a whole."""
        if self._statistics:
            _write_json(self.folder / "meta/stats.json", _aggregate(self._statistics))
        _write_json(self.folder / "meta/info.json", self._info())

    def _table(self, episode: RecordedEpisode, number: int, index: int) -> pa.Table:
        length = len(episode.subtasks)
        task = self._tasks.setdefault(episode.about["instruction"], len(self._tasks))
        columns: dict[str, Any] = {}
        for key, jpegs in zip(IMAGE_KEYS, (episode.images[camera] for camera in CAMERAS), strict=True):
            name = key + "-{:06d}.jpg"
            cells = [{"bytes": data, "path": name.format(index + row)} for row, data in enumerate(jpegs)]
            columns[key] = pa.array(cells, IMAGE_TYPE)
        subtasks = [self._subtasks.setdefault(text, len(self._subtasks)) for text in episode.subtasks]
        values = {**episode.columns, "subtask_index": np.array(subtasks).reshape(-1, 1)}
        for key, feature in FEATURES.items():
            columns[key] = _array(values[key], feature.dtype, feature.shape)
        frame = np.arange(length)
        columns["timestamp"] = pa.array((frame / FPS).astype(np.float32))
        columns["frame_index"] = pa.array(frame)
        columns["episode_index"] = pa.array(np.full(length, number))
        columns["index"] = pa.array(frame + index)
        columns["task_index"] = pa.array(np.full(length, task))
        return pa.table(columns, schema=_schema())

    def _info(self) -> dict[str, Any]:
        return {
            "codebase_version": VERSION,
            "robot_type": "sim_arm",
            "total_episodes": self.episodes,
            "total_frames": self.frames,
            "total_tasks": len(self._tasks),
            "chunks_size": FILES_PER_CHUNK,
            "data_files_size_in_mb": 100,
            "video_files_size_in_mb": 200,
            "fps": FPS,
            "splits": {"train": f"0:{self.episodes}"},
            "data_path": DATA_PATH,
            "video_path": None,
            "features": features(),
        }


def features() -> dict[str, dict[str, Any]]:
    """Return `features` of info.json."""
    own: dict[str, dict[str, Any]] = {
        key: {"dtype": "image", "shape": [SIZE, SIZE, 3], "names": ["height", "width", "channels"]}
        for key in IMAGE_KEYS
    }
    for key, feature in FEATURES.items():
        own[key] = {"dtype": feature.dtype, "shape": list(feature.shape), "names": list(feature.names)}
    for key in INDEX_COLUMNS:
        own[key] = {"dtype": "float32" if key == "timestamp" else "int64", "shape": [1], "names": None}
    return own


def episode_table(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of meta/episodes, in order; none where there is no data set yet."""
    rows: list[dict[str, Any]] = []
    for path in sorted((folder / "meta/episodes").glob("chunk-*/file-*.parquet")):
        rows += pq.read_table(path).to_pylist()
    return rows


def _schema() -> pa.Schema:
    fields = [pa.field(key, IMAGE_TYPE) for key in IMAGE_KEYS]
    hub: dict[str, Any] = {key: {"_type": "Image"} for key in IMAGE_KEYS}
    for key, feature in FEATURES.items():
        scalar = pa.float32() if feature.dtype == "float32" else pa.int64()
        value = {"dtype": feature.dtype, "_type": "Value"}
        if feature.shape == (1,):
            fields.append(pa.field(key, scalar))
            hub[key] = value
        else:
            fields.append(pa.field(key, pa.list_(scalar, feature.shape[0])))
            hub[key] = {"feature": value, "length": feature.shape[0], "_type": "Sequence"}
    for key in INDEX_COLUMNS:
        kind = "float32" if key == "timestamp" else "int64"
        fields.append(pa.field(key, pa.float32() if key == "timestamp" else pa.int64()))
        hub[key] = {"dtype": kind, "_type": "Value"}
    return pa.schema(fields, metadata={"huggingface": json.dumps({"info": {"features": hub}})})


def _array(values: NDArray[Any], dtype: str, shape: tuple[int, ...]) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(values, dtype).reshape(-1))
    return flat if shape == (1,) else pa.FixedSizeListArray.from_arrays(flat, shape[0])


def _statistics(episode: RecordedEpisode, table: pa.Table) -> dict[str, dict[str, Any]]:
    """Statistics of every feature as LeRobot keeps them: of images per channel in 0..1, shape (3, 1, 1)."""
    statistics = {}
    for key, jpegs in zip(IMAGE_KEYS, (episode.images[camera] for camera in CAMERAS), strict=True):
        some = np.unique(np.linspace(0, len(jpegs) - 1, SAMPLED_IMAGES).astype(int))
        pixels = np.stack([decode(jpegs[row]) for row in some]).reshape(-1, 3)[::PIXEL_STEP] / 255.0
        statistics[key] = {
            name: value.reshape(3, 1, 1).tolist() if name != "count" else [len(some)]
            for name, value in _describe(pixels).items()
        }
    for key in (*FEATURES, *INDEX_COLUMNS):
        column = table[key].combine_chunks()
        values = column.flatten() if pa.types.is_fixed_size_list(column.type) else column
        flat = np.asarray(values.to_numpy(zero_copy_only=False), np.float64).reshape(len(table), -1)
        statistics[key] = {name: value.tolist() for name, value in _describe(flat).items()}
    return statistics


def _describe(values: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """values: (n, k)."""
    found = {
        "min": values.min(0),
        "max": values.max(0),
        "mean": values.mean(0),
        "std": values.std(0),
        "count": np.array([len(values)]),
    }
    quantiles = np.quantile(values, list(QUANTILES.values()), axis=0)
    return {**found, **dict(zip(QUANTILES, quantiles, strict=True))}


def _episode_statistics(row: dict[str, Any]) -> dict[str, dict[str, Any]]:
    statistics: dict[str, dict[str, Any]] = {}
    for key, value in row.items():
        if key.startswith("stats/"):
            _, feature, name = key.split("/")
            statistics.setdefault(feature, {})[name] = value
    return statistics


def _aggregate(episodes: list[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Statistics over all episodes, from those of each: quantiles are means weighted by count, as LeRobot has them."""
    total = {}
    for key in episodes[0]:
        of = {name: np.array([episode[key][name] for episode in episodes], np.float64) for name in episodes[0][key]}
        count = of["count"].reshape(-1, *[1] * (of["mean"].ndim - 1))
        share = count / count.sum()
        mean = (share * of["mean"]).sum(0)
        variance = (share * (of["std"] ** 2 + (of["mean"] - mean) ** 2)).sum(0)
        found = {"min": of["min"].min(0), "max": of["max"].max(0), "mean": mean, "std": np.sqrt(variance)}
        found |= {name: (share * of[name]).sum(0) for name in QUANTILES}
        total[key] = {name: value.tolist() for name, value in found.items()} | {"count": [int(count.sum())]}
    return total


def _texts(path: Path, column: str) -> dict[str, int]:
    if not path.exists():
        return {}
    table = pq.read_table(path).to_pydict()
    return dict(zip(table[column], table[f"{column}_index"], strict=True))


def _write_texts(path: Path, column: str, texts: dict[str, int]) -> None:
    """A table whose index, in pandas' eyes, is the text: so LeRobot looks it up."""
    table = pa.table({f"{column}_index": pa.array(list(texts.values()), pa.int64()), column: list(texts)})
    number = {"name": f"{column}_index", "field_name": f"{column}_index", "pandas_type": "int64", "numpy_type": "int64"}
    text = {"name": column, "field_name": column, "pandas_type": "unicode", "numpy_type": "object"}
    about = {
        "index_columns": [column],
        "column_indexes": [],
        "columns": [{**number, "metadata": None}, {**text, "metadata": None}],
        "creator": {"library": "pyarrow", "version": pa.__version__},
        "pandas_version": "2.2.0",
    }
    beside = path.with_suffix(PART)
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(about)}), beside, compression="snappy")
    os.replace(beside, path)


def _write_json(path: Path, value: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(PART)
    beside.write_text(json.dumps(value, indent=2) + "\n")
    os.replace(beside, path)
