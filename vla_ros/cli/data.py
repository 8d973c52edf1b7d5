"""The command `vla-ros data`: make demonstrations, check them."""

from __future__ import annotations

import argparse
import os
import signal
import time
from pathlib import Path

from vla_ros.lab.json_output import add_json_option, write_json
from vla_ros.tasks.seeds import TRAINING

TEXT = "make demonstrations in the simulator, or check a folder of them"


def arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    make = actions.add_parser("generate", help="write a LeRobotDataset v3; goes on where it was interrupted")
    make.add_argument("--out", required=True, metavar="DIR")
    make.add_argument("--episodes", type=int, default=2000, metavar="N", help="in the folder at the end (default 2000)")
    make.add_argument("--seed", type=int, default=TRAINING, metavar="S", help=f"of the first one, at least {TRAINING}")
    make.add_argument("--workers", type=int, default=0, metavar="W", help="processes (default: one for each core)")
    make.add_argument("--tasks", default="", help="task kinds (default: pick,place,push,stack,sequence)")
    make.add_argument("--object", default="", metavar="NAME", help='that the first step moves, e.g. "red cube"')
    make.add_argument(
        "--scenes",
        default="varied",
        metavar="NAME",
        help="varied (default): light, colours, cameras; plain: none of them",
    )
    look = actions.add_parser("check", help="exit code 0: nothing bad, 1: bad episodes (named), 2: not readable")
    look.add_argument("folder", metavar="DIR")
    add_json_option(look, "the findings")


def run(chosen: argparse.Namespace) -> int:
    """Make or check demonstrations; return the exit code."""
    return {"generate": _generate, "check": _check}[chosen.action](chosen)


def _generate(chosen: argparse.Namespace) -> int:
    from vla_ros.data.demonstrations import TaskFilter
    from vla_ros.data.generate import generate_dataset
    from vla_ros.parameters import ParameterError
    from vla_ros.progress_line import ProgressLine

    if chosen.episodes < 1 or not 0 <= chosen.workers <= 64:
        raise ParameterError(
            f"--episodes {chosen.episodes} --workers {chosen.workers}: at least one of each, 64 workers at most"
        )
    wanted = TaskFilter(tuple(kind for kind in chosen.tasks.split(",") if kind), chosen.object, chosen.scenes)
    workers = chosen.workers or len(os.sched_getaffinity(0))
    began_s = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)  # what is made so far is written in either case
    try:
        with ProgressLine("episodes", chosen.episodes) as progress:

            def on_progress(made: int, tried: int) -> None:
                progress.update(made, f"{tried} seeds tried")

            made, tried = generate_dataset(Path(chosen.out), chosen.episodes, chosen.seed, workers, on_progress, wanted)
    except RuntimeError as error:  # nothing can draw here
        raise ParameterError(str(error)) from None
    print(f"{chosen.out}: {made} episodes; {tried} seeds tried in {time.monotonic() - began_s:.0f} s")
    return 0


def _check(chosen: argparse.Namespace) -> int:
    from vla_ros.data.check import check_dataset

    report = check_dataset(Path(chosen.folder))
    write_json(chosen.json, report.json())
    print(report.text())
    return 0 if report.good else 1
