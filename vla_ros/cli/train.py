"""The command `vla-ros train`: from nothing to a checkpoint."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from vla_ros.lab.training.train_parameters import PHASES, TrainParameters
from vla_ros.parameters import ParameterError, from_mapping, yaml_of

TEXT = "train the compact policy from nothing: draws its data, trains both systems, writes a checkpoint"


def arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    command.add_argument("--config", default="", metavar="FILE", help="values other than the standard ones")
    command.add_argument("--out", default="train", metavar="DIR", help="folder of the run (default train)")
    command.add_argument("--resume", action="store_true", help="go on with the run in --out")
    command.add_argument("--phases", default=",".join(PHASES), help="which, in order")


def parameters(path: str) -> TrainParameters:
    """Read the configuration of a run.

    Raises:
        ParameterError: with the key, or the file.
    """
    values = (yaml_of(Path(path), f"train: {path}") or {}) if path else {}
    if not isinstance(values, Mapping):
        raise ParameterError(f"train: {path}: expected `key: value`")
    return from_mapping(TrainParameters, values, "train.")


def run(args: argparse.Namespace) -> int:
    """Train and measure; return the exit code."""
    chosen = parameters(args.config)
    phases = [phase for phase in args.phases.split(",") if phase]
    from vla_ros.progress_line import ProgressLine

    os.environ.setdefault("MUJOCO_GL", "egl")  # read when mujoco is imported
    try:
        from vla_ros.lab.training.trainer import Trainer
        from vla_ros.policies.compact import graphs
    except ImportError as error:
        raise ParameterError(f"train: {error.name} is not installed: make setup MODELS=1") from None
    unknown = [phase for phase in phases if phase not in PHASES]
    if unknown:
        raise ParameterError(f"train: --phases: there is no {unknown[0]!r}; there are {', '.join(PHASES)}")
    shown: list[ProgressLine] = []

    def report(line: str) -> None:
        if shown:
            shown[-1].print(line)
        else:
            print(line, file=sys.stderr, flush=True)

    trainer = Trainer(chosen, Path(args.out), args.resume, report)
    trainer.prepare()
    for phase in phases:
        with ProgressLine(phase, getattr(chosen, phase).steps) as progress:
            shown.append(progress)

            def tick(done: int, total: int, text: str, progress: ProgressLine = progress) -> None:
                progress.total = total
                progress.update(done, text)

            trainer.phase(phase, tick)
            shown.pop()
    trainer.measure()
    graphs.make(Path(args.out) / "checkpoint")
    report(f"checkpoint: {Path(args.out) / 'checkpoint'}")
    return 0
