"""Reads demonstrations for training: columns as arrays in memory, images decoded when they are asked for.

    data = Dataset("/path/to/folder")
    data["observation.state"]             # (frames, 8) float32, all episodes one after another
    data["action.path"]                   # (frames, 5, 8) float32: the setpoints until the next frame
    data["label.waypoints"]               # (frames, 4, 6): x y z yaw gripper speed, base frame, nearest first
    data["label.things"]                  # (frames, 12, 4): x y z yaw of each thing, base frame
    data["label.pixels"]                  # (frames, 2, 12, 3): camera (front, wrist), thing, (u, v, visible share)
    data["label.phase"]                   # (frames,) index into vla_ros.sim.phases.PHASES
    data.image("front", row)              # (128, 128, 3) uint8 rgb
    data.images("wrist", rows)            # (n, 128, 128, 3)
    data.episodes[k].first, .length       # rows first..first + length are episode k
    data.episodes[k].about["things"]      # name, shape, colour of row i of label.things
    data.episodes[k].about["steps"]       # kind, x, y of each step;  .about["instruction"], .about["kind"]
    data.instruction(row), data.subtask(row)

`vla_ros.data.features.FEATURES` says what every column holds, with unit and frame. Frames come at 10 Hz; the arm is
commanded at 50 Hz: `action.path` of row i holds what it is told for 0.02, 0.04 ... 0.10 s after the frame, `action` the
last of these. So data["action.path"][i : i + n].reshape(-1, 8), within an episode, is a chunk of 5 n setpoints. Rows with
label.valid == 0 are mistakes made on purpose: their labels are right, their action is not to be learned. A folder may be
read while `vla-ros data generate` writes to it: what is finished is seen, 20 episodes at a time.
"""

from __future__ import annotations

import bisect
import json
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vla_ros.data.features import CAMERAS, FEATURES, GOAL, PATH_STEPS, SIZE, THINGS, WAYPOINTS
from vla_ros.data.writer import DATA_PATH, VERSION, episode_table
from vla_ros.parameters import ParameterError
from vla_ros.perception.jpeg import decode
from vla_ros.sim.arm_description import JOINT_NAMES

COLUMN_SHAPES = {
    "action.path": (PATH_STEPS, len(JOINT_NAMES)),
    "label.waypoints": (WAYPOINTS, len(GOAL)),
    "label.things": (THINGS, 4),
    "label.pixels": (len(CAMERAS), THINGS, 3),
}


@dataclass(frozen=True)
class DatasetEpisode:
    """Where an episode lies.

    Attributes:
        index: its number.
        first, length: its rows.
        instruction: the words.
        about: see `vla_ros.data.writer`.
        file, group: parquet file, and row group in it.
    """

    index: int
    first: int
    length: int
    instruction: str
    about: dict[str, Any]
    file: str
    group: int


class Dataset:
    """A folder as `vla_ros.data.writer.DatasetWriter` leaves it.

    Args:
        folder: of the data set.
        packed: keep the JPEG bytes of all images in memory (about 9 kB per frame) instead of reading them when asked for.

    Raises:
        ParameterError: there is no data set, or its version is another.
    """

    def __init__(self, folder: str | Path, packed: bool = True) -> None:
        self.folder = Path(folder)
        info = self.folder / "meta/info.json"
        if not info.exists():
            raise ParameterError(f"data set {self.folder}: there is no meta/info.json; see vla-ros data generate")
        try:
            self.info: dict[str, Any] = json.loads(info.read_text())
        except ValueError as error:
            raise ParameterError(f"data set {self.folder}: meta/info.json cannot be read: {error}") from None
        if self.info.get("codebase_version") != VERSION:
            raise ParameterError(
                f"data set {self.folder}: is version {self.info.get('codebase_version')}, not {VERSION}"
            )
        try:
            self.episodes = list(_episodes(self.folder))
            if not self.episodes:
                raise ParameterError(f"data set {self.folder}: holds no finished episode yet")
            subtasks = pq.read_table(self.folder / "meta/subtasks.parquet").to_pydict()
            self.subtasks: list[str] = [
                text for _, text in sorted(zip(subtasks["subtask_index"], subtasks["subtask"], strict=True))
            ]
        except ParameterError:
            raise
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ParameterError(
                f"data set {self.folder}: its meta folder is not one of vla-ros data generate: "
                f"{type(error).__name__}: {error}"
            ) from None
        self._firsts = [episode.first for episode in self.episodes]
        self._columns: dict[str, NDArray[Any]] = {}
        self._packed: dict[str, list[bytes]] = {}
        self._recent: OrderedDict[tuple[int, str], list[bytes]] = OrderedDict()
        self._keep = packed

    def __len__(self) -> int:
        """Number of frames."""
        return self.episodes[-1].first + self.episodes[-1].length

    def __getitem__(self, key: str) -> NDArray[Any]:
        """Return a column of all frames: (frames, ...), or (frames,) for single numbers."""
        if key not in self._columns:
            parts = [self._read(file, [key])[key].combine_chunks() for file in self._files()]
            feature = FEATURES.get(key)
            shape = COLUMN_SHAPES.get(key, feature.shape if feature and feature.shape != (1,) else ())
            flat = [(part.flatten() if feature and feature.shape != (1,) else part).to_numpy() for part in parts]
            column = np.concatenate(flat).reshape(-1, *shape)[: len(self)]
            self._columns[key] = column
        return self._columns[key]

    def episode_of(self, row: int) -> DatasetEpisode:
        """Return the episode that a frame belongs to."""
        return self.episodes[bisect.bisect_right(self._firsts, row) - 1]

    def instruction(self, row: int) -> str:
        """The words of a frame's episode."""
        return self.episode_of(row).instruction

    def subtask(self, row: int) -> str:
        """What the expert is doing in a frame, in words."""
        return self.subtasks[int(self["subtask_index"][row])]

    def image(self, camera: str, row: int) -> NDArray[np.uint8]:
        """Return (SIZE, SIZE, 3) uint8 rgb."""
        return decode(self.jpeg(camera, row))

    def images(self, camera: str, rows: Sequence[int] | NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
        """Return (n, SIZE, SIZE, 3) uint8 rgb."""
        found = np.empty((len(rows), SIZE, SIZE, 3), np.uint8)
        for image, row in zip(found, rows, strict=True):
            image[:] = self.image(camera, int(row))
        return found

    def jpeg(self, camera: str, row: int) -> bytes:
        """Return the bytes of an image as they are stored."""
        key = f"observation.images.{camera}"
        if self._keep:
            if key not in self._packed:
                self._packed[key] = [data for file in self._files() for data in _bytes(self._read(file, [key])[key])]
            return self._packed[key][row]
        episode = self.episode_of(row)
        if (episode.index, key) not in self._recent:
            group = pq.ParquetFile(self.folder / episode.file).read_row_group(episode.group, [key])
            self._recent[episode.index, key] = _bytes(group[key])
            if len(self._recent) > 64:
                self._recent.popitem(last=False)
        return self._recent[episode.index, key][row - episode.first]

    def _files(self) -> list[str]:
        return list(dict.fromkeys(episode.file for episode in self.episodes))

    def _read(self, file: str, columns: list[str]) -> Any:
        return pq.read_table(self.folder / file, columns=columns)


def _bytes(column: Any) -> list[bytes]:
    return [data for part in column.chunks for data in part.field("bytes").to_pylist()]


def _episodes(folder: Path) -> Iterator[DatasetEpisode]:
    """Yield what meta/episodes says of each episode."""
    groups: dict[str, int] = {}
    for row in episode_table(folder):
        file = DATA_PATH.format(chunk_index=row["data/chunk_index"], file_index=row["data/file_index"])
        group = groups[file] = groups.get(file, -1) + 1
        about = json.loads(row["about"])
        yield DatasetEpisode(
            row["episode_index"], row["dataset_from_index"], row["length"], row["tasks"][0], about, file, group
        )
