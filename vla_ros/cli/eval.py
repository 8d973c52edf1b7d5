"""vla-ros eval: how often a policy succeeds."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vla_ros.lab import outputs
from vla_ros.parameters import ParameterError

if TYPE_CHECKING:
    from vla_ros.lab.evaluation.report import Outcome, Report
    from vla_ros.lab.evaluation.suites import Case

TEXT = "measure success in simulation; exit code 0 when it ran, whatever the success"
TASKS = "pick,place,push,stack,sequence"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--policy", default="classical")
    parser.add_argument(
        "--suite", default="nominal", help="nominal, phrasing, pairs, long, robust, shapes, push_to or unknown"
    )
    parser.add_argument("--checkpoint", default="", metavar="DIR", help="of a policy that has one")
    parser.add_argument("--config", default="", help="parameter file laid over config/sim.yaml")
    parser.add_argument("--tasks", default="", help=f"task kinds, in turn (default: the suite's; {TASKS})")
    parser.add_argument("--episodes", type=int, default=10, metavar="N", help="of each case of the suite")
    parser.add_argument("--seed", type=int, default=1000, metavar="S", help="episode i has seed S + i")
    parser.add_argument("--through-graph", action="store_true", help="real nodes, real DDS, real time")
    parser.add_argument("--instruction", default="", help="word the task yourself")
    parser.add_argument(
        "--splicing", default="", help="of chunks: real_time, naive or ensemble (default: as configured)"
    )
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="processes (default: one for each core)")
    parser.add_argument("--json", type=outputs.file, default="", metavar="FILE", help="write the results there")
    parser.add_argument(
        "--report", type=outputs.folder, default="", metavar="DIR", help="write a page with pictures and films there"
    )


def run(args: argparse.Namespace) -> int:
    """Run the episodes and show what came of them."""
    from rich.console import Console
    from rich.progress import Progress

    from vla_ros.control.chunk_player import SPLICINGS
    from vla_ros.lab.evaluation.report import Report
    from vla_ros.lab.evaluation.suites import suite
    from vla_ros.policies.registry import policy
    from vla_ros.sim.tasks import KINDS
    from vla_ros.tasks.seeds import TRAINING

    tasks = tuple(task for task in args.tasks.split(",") if task)
    unknown = [task for task in tasks if task not in KINDS]
    if unknown or args.episodes < 1:
        raise ParameterError(f"--tasks {args.tasks} --episodes {args.episodes}: task kinds are {', '.join(KINDS)}")
    if not 0 <= args.seed < TRAINING - args.episodes:
        raise ParameterError(f"--seed {args.seed}: seeds of evaluation are 0 to 999999")
    if args.through_graph and args.suite != "nominal":
        raise ParameterError(f"--suite {args.suite}: only nominal runs through the graph")
    if args.splicing and args.splicing not in SPLICINGS:
        raise ParameterError(f"--splicing {args.splicing}: there are {', '.join(SPLICINGS)}")
    if args.jobs < 0:
        raise ParameterError(f"--jobs {args.jobs}: at least 1; 0 is one for each core")
    policy(args.policy)
    cases = suite(args.suite)
    report = Report(args.policy, args.suite, args.seed)
    outcomes = _through_graph(args, tasks, report) if args.through_graph else _offline(args, cases, tasks, report)
    total = args.episodes * (1 if args.through_graph else len(cases))
    broken = ""
    try:
        with Progress(console=Console(stderr=True)) as progress:
            bar = progress.add_task(args.policy, total=total)
            for outcome in outcomes:
                report.add(outcome)
                good = sum(entry.success for entry in report.outcomes)
                progress.update(bar, advance=1, description=f"{args.policy}: {good} of {len(report.outcomes)}")
                if not outcome.success:
                    where = f"{outcome.case} seed {outcome.seed} {outcome.task}".strip()
                    why = " | ".join(part for part in (outcome.reason, outcome.ended) if part)
                    progress.print(f"{where}: {outcome.instruction}: {why}", markup=False)
    except (RuntimeError, KeyboardInterrupt) as error:
        broken = str(error) or "interrupted"
        if not report.outcomes:
            raise ParameterError(broken) from None
    Console().print(report.table())
    if args.json:
        Path(args.json).write_text(json.dumps(report.json(), indent=2, default=str) + "\n")
    if args.report:
        from vla_ros.lab.evaluation.pages import write

        Console().print(f"report: {write(report, Path(args.report))}")
    if broken:
        raise ParameterError(f"after {len(report.outcomes)} of {total} episodes, which are told above: {broken}")
    return 0


def _through_graph(args: argparse.Namespace, tasks: tuple[str, ...], report: Report) -> Iterator[Outcome]:
    from vla_ros.bringup.node_parameters import parameters_with_policy
    from vla_ros.lab.evaluation.through_graph import Graph
    from vla_ros.parameters import from_mapping

    splicing: str = from_mapping(
        parameters_with_policy(args.policy)["action_expert"], _nodes(args)["action_expert"]
    ).splicing
    chosen = tasks or tuple(TASKS.split(","))
    with Graph(args.policy, args.config, overrides=_overrides(args)) as graph:
        for i in range(args.episodes):
            yield graph.episode(args.seed + i, chosen[i % len(chosen)], args.instruction, lambda line: None)
            report.about = {"checkpoint": graph.checkpoint[:12], "splicing": splicing}
        report.rates = graph.rates()


def _offline(
    args: argparse.Namespace, cases: tuple[Case, ...], tasks: tuple[str, ...], report: Report
) -> Iterator[Outcome]:
    """Episodes without ROS, with filter and policy configured as the graph would."""
    os.environ.setdefault("MUJOCO_GL", "egl")
    from vla_ros.bringup.node_parameters import parameters_with_policy
    from vla_ros.lab.evaluation.episodes import Setup, episodes
    from vla_ros.lab.evaluation.loop import Conditions
    from vla_ros.parameters import from_mapping
    from vla_ros.safety.safety_parameters import SafetyFilterParameters

    nodes, classes = _nodes(args), parameters_with_policy(args.policy)
    safety = from_mapping(SafetyFilterParameters, nodes["safety_filter"])
    conditions = Conditions.of(
        from_mapping(classes["planner"], nodes["planner"]),
        from_mapping(classes["action_expert"], nodes["action_expert"]),
    )
    options = nodes["planner"].get(args.policy, {})
    setup = Setup(args.policy, safety, options, conditions, args.instruction, bool(args.report))
    wanted = [
        (case, (tasks or case.kinds)[i % len(tasks or case.kinds)], args.seed + i)
        for case in cases
        for i in range(args.episodes)
    ]
    jobs = args.jobs or len(os.sched_getaffinity(0))
    for outcome in episodes(setup, wanted, jobs):
        report.about = {"checkpoint": outcome.checkpoint[:12], "splicing": conditions.splicing}
        yield outcome


def _nodes(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Parameters of all nodes, by node."""
    from vla_ros.bringup.graph import bringup
    from vla_ros.parameters import nested

    started = bringup(policy=args.policy, config=args.config, overrides=_overrides(args))
    return {process.name: nested(process.parameters) for process in started}


def _overrides(args: argparse.Namespace) -> dict[str, dict[str, str]]:
    """Parameters of nodes that the options stand for."""
    checkpoint = {f"{args.policy}.checkpoint": args.checkpoint} if args.checkpoint else {}
    splicing = {"splicing": args.splicing} if args.splicing else {}
    return {"planner": checkpoint, "action_expert": {**checkpoint, **splicing}}
