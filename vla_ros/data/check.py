"""Looks for what is wrong with a data set, and says what is in it."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.data.dataset import COLUMN_SHAPES, Dataset, DatasetEpisode
from vla_ros.data.features import CAMERAS, FEATURES, FPS, KINDS_OF_RECOVERY, PATH_HZ, SIZE
from vla_ros.data.writer import INDEX_COLUMNS, features
from vla_ros.perception.jpeg import decode
from vla_ros.sim.arm_description import JOINT_NAMES, POSITION_LOWER, POSITION_UPPER, VELOCITY_LIMIT
from vla_ros.sim.model import intrinsics
from vla_ros.sim.phases import PHASES
from vla_ros.sim.variation import TRAINING, X_RANGE, Y_RANGE, sample_varied
from vla_ros.tasks import phrasings, seeds
from vla_ros.tasks.task import KINDS
from vla_ros.transforms import matrix

Columns = dict[str, NDArray[Any]]

BEYOND = np.array([0.01] * 7 + [0.003])  # that a measured or commanded joint may be outside its range, rad (m)
BEHIND = 0.12  # that the arm may be behind its command, rad; fingers are, by as much as what they hold is wide
DEAD_COMMANDED = np.array([0.1] * 7 + [0.01])  # a joint that is told to move so far
DEAD_MOVED = np.array([0.01] * 7 + [0.001])  # and moves less is dead, rad (m)
FASTEST = 3.0  # velocity limits; a kick makes the arm faster than one
BLACK = 10.0  # mean of an image, of 255
FROZEN_ROWS = 3  # as many identical images in a row while the arm moves
MOVING = 0.02  # rad per frame, of any joint
PIXELS_OFF = 0.75
CELLS = (4, 8)  # of the workspace, in x and y
LEAST_COVERED = 0.9  # share of the cells, once there are 10 episodes for each
LEAST_RECOVERIES = 0.15
COUNTED = ("observation.state", "observation.velocity", "action")  # whose statistics are computed again


@dataclass
class DatasetReport:
    """What was found.

    Attributes:
        folder: of the data set.
        bad: what is wrong with an episode, by its index.
        problems: of the whole.
        about: counts and shares.
    """

    folder: str
    bad: dict[int, list[str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Nothing is wrong."""
        return not self.bad and not self.problems

    def json(self) -> dict[str, Any]:
        """The report as plain data."""
        return {"folder": self.folder, "bad": self.bad, "problems": self.problems, **self.about}

    def text(self) -> str:
        """The report for people."""
        lines = [f"{key}: {_said(value)}" for key, value in self.about.items()]
        lines += [f"episode {index}: {reason}" for index, reasons in self.bad.items() for reason in reasons]
        lines += self.problems
        return "\n".join([*lines, f"{self.folder}: {'good' if self.good else f'{len(self.bad)} bad episodes'}"])


def check_dataset(folder: Path) -> DatasetReport:
    """Read all of a data set.

    Raises:
        ParameterError: it cannot be read.
    """
    data = Dataset(folder, packed=False)
    report = DatasetReport(str(folder))
    report.problems += _information(data)
    moved = np.zeros(len(JOINT_NAMES))
    cells = np.zeros(CELLS, int)
    sums = {key: np.zeros((2, len(JOINT_NAMES))) for key in COUNTED}
    end = 0
    for episode in data.episodes:
        reasons = []
        if episode.first != end:
            reasons.append(f"begins at frame {episode.first}, the one before ends at {end}")
        end = episode.first + episode.length
        try:
            columns, images = _read(data, episode)
        except (OSError, ValueError, LookupError, TypeError) as error:
            report.bad[episode.index] = [*reasons, f"{episode.file} cannot be read: {type(error).__name__}: {error}"]
            continue
        if len(columns["index"]) != episode.length:
            reasons.append(f"has {len(columns['index'])} frames, meta/episodes says {episode.length}")
        else:
            reasons += [*_times(data, episode, columns), *_values(columns), *_motion(columns)]
            reasons += [*_labels(episode, columns), *_pictures(columns, images), *_origin(episode)]
        moved = np.maximum(moved, np.ptp(columns["observation.state"], axis=0))
        for key in COUNTED:
            values = columns[key].astype(np.float64)
            sums[key] += values.sum(0), (values**2).sum(0)
        if reasons:
            report.bad[episode.index] = reasons
            continue
        x, y = columns["label.things"][0, columns["label.x"][0], :2]
        cell = [
            int(np.clip((v - low) / (high - low) * n, 0, n - 1))
            for v, (low, high), n in zip((x, y), (X_RANGE, Y_RANGE), CELLS, strict=True)
        ]
        cells[cell[0], cell[1]] += 1
    report.problems += [
        f"{joint} never moves" for joint, way, least in zip(JOINT_NAMES, moved, DEAD_MOVED, strict=True) if way < least
    ]
    report.problems += _statistics(data, sums)
    _summary(data, report, cells)
    return report


def _read(data: Dataset, episode: DatasetEpisode) -> tuple[Columns, dict[str, list[bytes]]]:
    """Return the columns of an episode, shaped as in `Dataset`, and its JPEG images.

    Raises:
        OSError, ValueError, LookupError, TypeError: they are not there, or are something else.
    """
    table = pq.ParquetFile(data.folder / episode.file).read_row_group(episode.group)
    columns: Columns = {}
    for key in (*FEATURES, *INDEX_COLUMNS):
        column = table[key].combine_chunks()
        flat = column.flatten() if pa.types.is_fixed_size_list(column.type) else column
        shape = FEATURES[key].shape if key in FEATURES else (1,)
        values = flat.to_numpy(zero_copy_only=False)
        columns[key] = values if shape == (1,) else values.reshape(-1, *COLUMN_SHAPES.get(key, shape))
    images = {}
    for camera in CAMERAS:
        cells = table[f"observation.images.{camera}"].combine_chunks()
        images[camera] = cells.field("bytes").to_pylist()
    return columns, images


def _information(data: Dataset) -> list[str]:
    info, found = data.info, []
    wanted = {"fps": FPS, "features": features(), "total_episodes": len(data.episodes), "total_frames": len(data)}
    for key, value in wanted.items():
        if info.get(key) != value:
            found.append(
                f"meta/info.json: {key} is not what the data are" + ("" if key == "features" else f" ({value})")
            )
    return found


def _times(data: Dataset, episode: DatasetEpisode, columns: Columns) -> list[str]:
    rows = np.arange(episode.length)
    found = []
    if np.abs(columns["timestamp"] - rows / data.info["fps"]).max() > 1e-3:
        found.append("timestamps are not frame_index / fps")
    if (columns["frame_index"] != rows).any() or (columns["index"] != rows + episode.first).any():
        found.append("frame_index or index is not counted up one by one")
    if (columns["episode_index"] != episode.index).any() or len(set(columns["task_index"])) != 1:
        found.append("episode_index or task_index is not the same in all frames")
    return found


def _values(columns: Columns) -> list[str]:
    return [
        f"{key}: a value is not finite"
        for key, values in columns.items()
        if values.dtype.kind == "f" and not np.isfinite(values).all()
    ]


def _motion(columns: Columns) -> list[str]:
    found = []
    state, path = columns["observation.state"], columns["action.path"].reshape(-1, len(JOINT_NAMES))
    for name, values in (("observation.state", state), ("action.path", path)):
        for joint in np.flatnonzero(((values < POSITION_LOWER - BEYOND) | (values > POSITION_UPPER + BEYOND)).any(0)):
            found.append(f"{name}: {JOINT_NAMES[joint]} is outside its limits")
    speed = np.abs(np.diff(path, axis=0)).max(0) * PATH_HZ
    found += [f"action: {JOINT_NAMES[joint]} is too fast" for joint in np.flatnonzero(speed > VELOCITY_LIMIT)]
    told = np.abs(columns["observation.velocity"]).max(0)
    found += [
        f"observation.velocity: {JOINT_NAMES[joint]} is faster than it can be"
        for joint in np.flatnonzero(told > FASTEST * VELOCITY_LIMIT)
    ]
    if np.abs(columns["action.path"][:, -1] - columns["action"]).max() > 0:
        found.append("action is not the last step of action.path")
    late = np.abs(state[1:] - columns["action"][:-1])[:, :7].max(0)
    found += [f"{JOINT_NAMES[joint]} does not follow its command" for joint in np.flatnonzero(late > BEHIND)]
    dead = (np.ptp(path, axis=0) > DEAD_COMMANDED) & (np.ptp(state, axis=0) < DEAD_MOVED)
    return found + [f"{JOINT_NAMES[joint]} is dead" for joint in np.flatnonzero(dead)]


def _labels(episode: DatasetEpisode, columns: Columns) -> list[str]:
    found = []
    things = len(episode.about["things"])
    progress, done = columns["label.progress"], columns["label.done"]
    if not ((progress >= 0) & (progress <= 1)).all() or not np.isin(columns["label.phase"], range(len(PHASES))).all():
        found.append("label.progress or label.phase is out of range")
    if not np.isin(columns["label.valid"], (0, 1)).all():
        found.append("label.valid is neither 0 nor 1")
    if done[-1] != 1 or done[0] != 0:
        found.append("label.done: the end is not done, or the start is")
    if not ((columns["label.x"] >= 0) & (columns["label.x"] < things)).all() or (columns["label.y"] >= things).any():
        found.append("label.x or label.y names a thing that there is not")
    goals = columns["label.waypoints"]
    if np.abs(goals[..., :3] - (0.45, 0.0, 0.25)).max() > 0.5 or (goals[..., 5] <= 0).any():
        found.append("label.waypoints leave the workspace, or have no speed")
    for index, camera in enumerate(CAMERAS):
        pixels, seen = columns["label.pixels"][:, index, :things, :2], columns["label.pixels"][:, index, :things, 2]
        k = intrinsics(camera, SIZE, SIZE)
        for row in range(0, episode.length, 10):
            pose = columns[f"label.camera_{camera}"][row].astype(np.float64)
            T_base_camera = matrix(pose[:3], pose[3:])
            local = (columns["label.things"][row, :things, :3] - T_base_camera[:3, 3]) @ T_base_camera[:3, :3] @ k.T
            ahead = (local[:, 2] > 0.05) & (seen[row] > 0)
            off = np.abs(local[ahead, :2] / local[ahead, 2:] - pixels[row][ahead])
            if off.size and off.max() > PIXELS_OFF:
                found.append(f"label.pixels of {camera} are off by {off.max():.1f} pixels in frame {row}")
                break
    return found


def _pictures(columns: Columns, images: dict[str, list[bytes]]) -> list[str]:
    found = []
    moving = np.abs(np.diff(columns["observation.state"][:, :7], axis=0)).max(1) > MOVING
    for camera, jpegs in images.items():
        same, longest = 0, 0
        for row in range(1, len(jpegs)):
            same = same + 1 if jpegs[row] == jpegs[row - 1] and moving[row - 1] else 0
            longest = max(longest, same)
        if longest >= FROZEN_ROWS:
            found.append(f"{camera}: the video is frozen while the arm moves")
        for row, jpeg in enumerate(jpegs):
            try:
                image = decode(jpeg)
            except ValueError:
                found.append(f"{camera}: frame {row} is no image")
                break
            if image.shape != (SIZE, SIZE, 3):
                found.append(f"{camera}: frame {row} has the size {image.shape}")
                break
            if image.mean() < BLACK:
                found.append(f"{camera}: frame {row} is black")
                break
    return found


def _origin(episode: DatasetEpisode) -> list[str]:
    """Nothing of what evaluation uses has come in."""
    about, found = episode.about, []
    if about["seed"] < seeds.TRAINING:
        return [f"seed {about['seed']} is kept for evaluation"]
    if about["recovery"] not in KINDS_OF_RECOVERY:
        found.append(f"{about['recovery']!r} is no recovery: there are {', '.join(KINDS_OF_RECOVERY)}")
    colours = {thing["name"]: thing["colour"] for thing in about["things"]}
    shapes = {thing["name"]: thing["shape"] for thing in about["things"]}
    for thing in about["things"]:
        if (thing["colour"], thing["shape"]) in phrasings.HELD_OUT_OBJECTS:
            found.append(f"holds the {thing['name']}, which is held out")
    for step in about["steps"]:
        if not phrasings.is_trained_target(colours.get(step["x"], ""), shapes.get(step["y"], step["y"])):
            found.append(f"{step['x']} to {step['y']} is held out")
    if phrasings.is_held_out(about["instruction"], len(about["steps"]) > 1):
        found.append(f"the phrasing {about['instruction']!r} is held out")
    if sample_varied(about["seed"], about["kind"], TRAINING)[1].instruction != about["instruction"]:
        found.append("the instruction is not that of its seed")
    return found


def _statistics(data: Dataset, sums: dict[str, Array]) -> list[str]:
    try:
        told = json.loads((data.folder / "meta/stats.json").read_text())
        found = []
        for key, (total, squares) in sums.items():
            count = told[key]["count"][0]
            if count != len(data):
                return [f"meta/stats.json: is about {count} frames, not {len(data)} (is the data set being written?)"]
            mean = total / len(data)
            std = np.sqrt(np.maximum(squares / len(data) - mean**2, 0.0))
            if not all(np.allclose(told[key][name], of, atol=1e-3) for name, of in (("mean", mean), ("std", std))):
                found.append(f"meta/stats.json: mean or std of {key} is not that of the data")
        return found
    except (OSError, ValueError, LookupError, TypeError) as error:
        return [f"meta/stats.json: cannot be read: {type(error).__name__}: {error}"]


def _summary(data: Dataset, report: DatasetReport, cells: NDArray[np.int_]) -> None:
    abouts = [episode.about for episode in data.episodes]
    seeds = Counter(about["seed"] for about in abouts)
    for seed, times in seeds.items():
        if times > 1:
            report.problems.append(f"seed {seed} stands in {times} episodes")
    kinds, recoveries = Counter(a["kind"] for a in abouts), Counter(a["recovery"] for a in abouts)
    share = 1 - recoveries["none"] / len(abouts)
    covered = float((cells > 0).mean())
    report.about = {
        "episodes": len(data.episodes),
        "frames": len(data),
        "hours": round(len(data) / FPS / 3600, 2),
        "kinds": {kind: kinds[kind] for kind in KINDS},
        "recoveries": {kind: recoveries[kind] for kind in KINDS_OF_RECOVERY},
        "share of recoveries": round(share, 3),
        "workspace covered": round(covered, 3),
        "fewest and most in a cell": [int(cells.min()), int(cells.max())],
        "different instructions": len({about["instruction"] for about in abouts}),
        "bad episodes": len(report.bad),
    }
    if share < LEAST_RECOVERIES:
        report.problems.append(f"only {share:.0%} of the episodes are recoveries, {LEAST_RECOVERIES:.0%} are wanted")
    if covered < LEAST_COVERED and len(abouts) >= 10 * cells.size:
        report.problems.append(f"only {covered:.0%} of the workspace is covered")


def _said(value: Any) -> str:
    return ", ".join(f"{key} {of}" for key, of in value.items()) if isinstance(value, dict) else str(value)
