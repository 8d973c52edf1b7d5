"""vla-ros eval: how often a policy succeeds."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vla_ros.parameters import ParameterError

if TYPE_CHECKING:
    from vla_ros.evaluation.report import Outcome
    from vla_ros.evaluation.suites import Case

TEXT = "measure success in simulation; exit code 0 when it ran, whatever the success"
TASKS = "pick,place,push,stack,sequence"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--policy", default="classical")
    parser.add_argument("--suite", default="nominal", help="nominal, phrasing, pairs, long or robust")
    parser.add_argument("--checkpoint", default="", metavar="DIR", help="of a policy that has one")
    parser.add_argument("--config", default="", help="parameter file laid over config/sim.yaml")
    parser.add_argument("--tasks", default="", help=f"task kinds, in turn (default: the suite's; {TASKS})")
    parser.add_argument("--episodes", type=int, default=10, metavar="N", help="of each case of the suite")
    parser.add_argument("--seed", type=int, default=1000, metavar="S", help="episode i has seed S + i")
    parser.add_argument("--through-graph", action="store_true", help="real nodes, real DDS, real time")
    parser.add_argument("--instruction", default="", help="word the task yourself")
    parser.add_argument("--json", default="", metavar="FILE", help="write the results there")
    parser.add_argument("--markdown", default="", metavar="FILE", help="write a report there")


def run(args: argparse.Namespace) -> int:
    """Run the episodes and show what came of them."""
    from rich.console import Console
    from rich.progress import Progress

    from vla_ros.evaluation.report import Report
    from vla_ros.evaluation.suites import suite
    from vla_ros.policies.registry import policy
    from vla_ros.sim.tasks import KINDS

    tasks = tuple(task for task in args.tasks.split(",") if task)
    unknown = [task for task in tasks if task not in KINDS]
    if unknown or args.episodes < 1:
        raise ParameterError(f"--tasks {args.tasks} --episodes {args.episodes}: task kinds are {', '.join(KINDS)}")
    if not 0 <= args.seed < 1_000_000 - args.episodes:
        raise ParameterError(f"--seed {args.seed}: seeds of evaluation are 0 to 999999")
    if args.through_graph and args.suite != "nominal":
        raise ParameterError(f"--suite {args.suite}: only nominal runs through the graph")
    policy(args.policy)
    cases = suite(args.suite)
    report = Report(args.policy, args.suite, args.seed)
    console = Console(stderr=True)
    try:
        with Progress(console=console) as progress:
            bar = progress.add_task(args.policy, total=args.episodes * len(cases))
            for outcome in _through_graph(args, tasks, report) if args.through_graph else _offline(args, cases, tasks):
                report.outcomes.append(outcome)
                good = sum(entry.success for entry in report.outcomes)
                progress.update(bar, advance=1, description=f"{args.policy}: {good} of {len(report.outcomes)}")
                if not outcome.success:
                    words = f"{outcome.case} seed {outcome.seed} {outcome.task}: {outcome.instruction}: {outcome.said}"
                    progress.print(words)
    except RuntimeError as error:
        raise ParameterError(str(error)) from None
    Console().print(report.table())
    if args.json:
        Path(args.json).write_text(json.dumps(report.json(), indent=2, default=str) + "\n")
    if args.markdown:
        Path(args.markdown).write_text(report.markdown())
    return 0


def _through_graph(args: argparse.Namespace, tasks: tuple[str, ...], report: Any) -> Iterator[Outcome]:
    from vla_ros.nodes.through_graph import Graph

    chosen = tasks or tuple(TASKS.split(","))
    with Graph(args.policy, args.config) as graph:
        for i in range(args.episodes):
            yield graph.episode(args.seed + i, chosen[i % len(chosen)], args.instruction, lambda line: None)
        report.rates = graph.rates()


def _offline(args: argparse.Namespace, cases: tuple[Case, ...], tasks: tuple[str, ...]) -> Iterator[Outcome]:
    """Episodes without ROS, with filter and policy configured as the graph would."""
    os.environ.setdefault("MUJOCO_GL", "egl")
    from vla_ros.evaluation.offline import CAMERA_SIZE, run_episode
    from vla_ros.evaluation.report import Outcome
    from vla_ros.graph import bringup
    from vla_ros.parameters import from_mapping, nested
    from vla_ros.safety.parameters import SafetyFilterParameters
    from vla_ros.sim.rendering import RenderProcess
    from vla_ros.sim.simulation import Simulation

    processes = {process.name: process.parameters for process in bringup(policy=args.policy, config=args.config)}
    safety = from_mapping(SafetyFilterParameters, nested(processes["safety_filter"]))
    options = dict(nested(processes["planner"]).get(args.policy, {}))
    if args.checkpoint:
        options["checkpoint"] = args.checkpoint
    cameras = RenderProcess(Simulation(0).xml, CAMERA_SIZE)
    try:
        for case in cases:
            kinds = tasks or case.kinds
            for i in range(args.episodes):
                kind, seed = kinds[i % len(kinds)], args.seed + i
                end = run_episode(
                    args.policy,
                    kind,
                    seed,
                    safety,
                    options=options,
                    instruction=args.instruction,
                    case=case,
                    cameras=cameras,
                )
                said = f"{end.state.name.lower()}: {end.said}"
                yield Outcome(
                    kind,
                    seed,
                    end.instruction,
                    end.success,
                    said,
                    round(end.seconds, 2),
                    end.measures,
                    case.name,
                    end.interventions,
                )
    finally:
        cameras.close()
