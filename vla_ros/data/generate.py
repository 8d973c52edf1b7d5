"""Makes demonstrations, one seed after another, in one worker process or several."""

from __future__ import annotations

import itertools
import multiprocessing
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from vla_ros.data.demonstrations import ANY_TASK, RecordedEpisode, TaskFilter, demonstrate
from vla_ros.data.writer import DatasetWriter
from vla_ros.parameters import ParameterError
from vla_ros.sim.rendering import RenderProcess
from vla_ros.sim.simulation import Simulation
from vla_ros.tasks.seeds import TRAINING


def generate_dataset(
    folder: Path,
    episodes: int,
    seed: int,
    workers: int,
    told: Callable[[int, int], None],
    wanted: TaskFilter = ANY_TASK,
) -> tuple[int, int]:
    """Fill a data set until it holds `episodes`; what is there already counts.

    The data set depends on `seed` and `wanted` alone, not on the number of workers or on interruptions.

    Args:
        folder: of the data set. seed: of the first episode; each next try has the next one. workers: processes that make
            episodes; this one writes them.
        told: called with the number of episodes and of seeds tried, after each try.
        wanted: which tasks; seeds with other ones are passed over.

    Returns:
        episodes in the folder, seeds tried now.

    Raises:
        ParameterError: the seed belongs to evaluation, or the folder holds data from other seeds or tasks.
    """
    if seed < TRAINING:
        raise ParameterError(f"--seed {seed}: is kept for evaluation; training seeds begin at {TRAINING}")
    writer = DatasetWriter(folder)
    if writer.last_seed is not None:
        if writer.last_seed < seed:
            raise ParameterError(
                f"--seed {seed}: {folder} holds seeds up to {writer.last_seed}; give the one it began with"
            )
        if writer.last_wanted != str(wanted):
            raise ParameterError(
                f"--out {folder}: holds demonstrations of {writer.last_wanted}, not of {wanted}; choose another folder"
            )
        seed = writer.last_seed + 1
    tried, made = 0, writer.episodes
    try:
        if made < episodes:
            for episode in _episodes(seed, workers, wanted):
                tried += 1
                if episode is not None:
                    writer.add(episode)
                    made += 1
                told(made, tried)
                if made >= episodes:
                    break
    finally:
        writer.close()
    return made, tried


def _episodes(seed: int, workers: int, wanted: TaskFilter) -> Iterator[RecordedEpisode | None]:
    """Yield what becomes of each seed, in order. Drawing happens in the workers: mujoco reads MUJOCO_GL at import."""
    renderer = _renderer()
    kept = os.environ.get("MUJOCO_GL")
    os.environ["MUJOCO_GL"] = "disable" if renderer == "ray" else renderer
    os.environ["OMP_NUM_THREADS"] = os.environ["LP_NUM_THREADS"] = "1"  # also of OpenGL in software
    seeds = itertools.count(seed)
    try:
        with multiprocessing.get_context("spawn").Pool(workers) as pool:
            # Handed out a few at a time: the pool would take an endless iterator whole.
            waiting = [pool.apply_async(demonstrate, (next(seeds), renderer, wanted)) for _ in range(3 * workers)]
            while True:
                yield waiting.pop(0).get()
                waiting.append(pool.apply_async(demonstrate, (next(seeds), renderer, wanted)))
    finally:
        del os.environ["MUJOCO_GL"]
        if kept is not None:
            os.environ["MUJOCO_GL"] = kept


def _renderer() -> str:
    """Return the first renderer that works here; it is tried in a process of its own."""
    process = RenderProcess(Simulation(0).xml, 32)
    process.close()
    return process.backend
