"""Many episodes: in this process or in several, always in the same order and with the same results."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from typing import Any

from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.lab.evaluation.loop import Conditions
from vla_ros.lab.evaluation.offline import CAMERA_SIZE, run_episode
from vla_ros.lab.evaluation.report import Outcome
from vla_ros.lab.evaluation.suites import EvaluationCase
from vla_ros.policies.vlm.vlm_parameters import VlmParameters
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.scheduling import ONE_THREAD
from vla_ros.sim.rendering import RenderProcess
from vla_ros.sim.simulation import Simulation

_cameras: RenderProcess | None = None  # of a worker process


@dataclass(frozen=True)
class EvaluationSetup:
    """What is evaluated: see `run_episode`. film: keep the images. planner: None: as config/sim.yaml has it."""

    policy: str
    safety: SafetyFilterParameters
    options: Mapping[str, Any] = field(default_factory=dict)
    conditions: Conditions = field(default_factory=Conditions)
    instruction: str = ""
    film: bool = False
    planner: PlannerParameters | None = None
    vlm: VlmParameters | None = None

    def run(self, case: EvaluationCase, kind: str, seed: int, cameras: RenderProcess) -> Outcome:
        """Run one episode."""
        return run_episode(
            self.policy,
            kind,
            seed,
            self.safety,
            options=self.options,
            instruction=self.instruction,
            case=case,
            planner=self.planner,
            conditions=self.conditions,
            cameras=cameras,
            film=self.film,
            vlm=self.vlm,
        )


def run_episodes(
    setup: EvaluationSetup, tasks: Sequence[tuple[EvaluationCase, str, int]], jobs: int
) -> Iterator[Outcome]:
    """Yield what comes of each task (case, kind, seed), in order.

    Args:
        jobs: processes that work at the same time; 1: this one.

    Raises:
        RuntimeError: a process has ended by itself.
    """
    if jobs == 1:
        cameras = _open()
        try:
            for task in tasks:
                yield setup.run(*task, cameras)
        finally:
            cameras.close()
        return
    os.environ.update(ONE_THREAD)
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(tasks)), context, _begin)
    try:
        for result in [pool.submit(_run, setup, *task) for task in tasks]:
            yield result.result()
    except BrokenProcessPool:
        raise RuntimeError("a process that ran episodes has ended by itself; try --jobs 1") from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _open() -> RenderProcess:
    return RenderProcess(Simulation(0).xml, CAMERA_SIZE)


def _begin() -> None:
    global _cameras  # noqa: PLW0603 - a process of a pool has no other place for what it keeps
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once, without a word
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _cameras = _open()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _run(setup: EvaluationSetup, case: EvaluationCase, kind: str, seed: int) -> Outcome:
    assert _cameras is not None
    return setup.run(case, kind, seed, _cameras)
