"""The command `vla-ros train`: from nothing to a checkpoint."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeRemainingColumn

    os.environ.setdefault("MUJOCO_GL", "egl")  # read when mujoco is imported
    try:
        from vla_ros.lab.training.trainer import Trainer
        from vla_ros.policies.compact import graphs
    except ImportError as error:
        raise ParameterError(f"train: {error.name} is not installed: make setup MODELS=1") from None
    unknown = [phase for phase in phases if phase not in PHASES]
    if unknown:
        raise ParameterError(f"train: --phases: there is no {unknown[0]!r}; there are {', '.join(PHASES)}")
    console = Console(stderr=True)
    trainer = Trainer(chosen, Path(args.out), args.resume, console.print)
    trainer.prepare()
    columns = (*Progress.get_default_columns()[:3], TimeRemainingColumn(), TextColumn("{task.fields[text]}"))
    with Progress(*columns, console=console) as progress:
        for phase in phases:
            bar = progress.add_task(phase, total=getattr(chosen, phase).steps, text="")

            def tick(done: int, total: int, text: str, bar: Any = bar) -> None:
                progress.update(bar, completed=done, total=total, text=text)

            trainer.phase(phase, tick)
    trainer.measure()
    graphs.make(Path(args.out) / "checkpoint")
    console.print(f"checkpoint: {Path(args.out) / 'checkpoint'}")
    return 0
