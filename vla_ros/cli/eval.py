"""The command `vla-ros eval`: how often a policy succeeds."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vla_ros.lab import outputs
from vla_ros.lab.json_output import add_json_option, write_json
from vla_ros.parameters import ParameterError

if TYPE_CHECKING:
    from vla_ros.bringup.process import Process
    from vla_ros.lab.evaluation.report import EvaluationReport, Outcome
    from vla_ros.lab.evaluation.suites import EvaluationCase

TEXT = "measure success in simulation; exit code 0 when it ran, whatever the success"
SEARCHED_SEEDS = 1000
"""So many seeds an episode are looked through for --object."""
TASKS = "pick,place,push,stack,sequence"


def arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    command.add_argument("--policy", default="classical")
    command.add_argument(
        "--suite",
        default="nominal",
        help="nominal, phrasing, pairs, long, robust, shapes, push_to, unknown, honest or rewritten",
    )
    command.add_argument("--system2", default="", help="vlm: a model that --config names plans in words in front of it")
    command.add_argument("--checkpoint", default="", metavar="DIR", help="of a policy that has one")
    command.add_argument("--config", default="", help="parameter file laid over config/sim.yaml")
    command.add_argument("--tasks", default="", help=f"task kinds, in turn (default: the suite's; {TASKS})")
    command.add_argument("--object", default="", metavar="NAME", help='that the first step moves, e.g. "red cube"')
    command.add_argument(
        "--episodes",
        type=int,
        default=None,
        metavar="N",
        help="of each case of the suite (default: 10); of honest and rewritten: sentences of each group, each said in three "
        "scenes (default: all)",
    )
    command.add_argument(
        "--seed",
        type=int,
        default=1000,
        metavar="S",
        help="episode i has seed S + i; with --object, the i-th one from S on",
    )
    command.add_argument("--through-graph", action="store_true", help="real nodes, real DDS, real time")
    command.add_argument("--instruction", default="", help="word the task yourself")
    command.add_argument(
        "--chunk-transition",
        "--splicing",
        default="",
        metavar="NAME",
        help="how one chunk follows another: real_time, naive or ensemble (default: as configured)",
    )
    command.add_argument(
        "--language",
        action="store_true",
        help="only tell whether the instruction matters: swap it, compare the motions",
    )
    command.add_argument("--jobs", type=int, default=0, metavar="N", help="processes (default: one for each core)")
    add_json_option(command, "the results")
    command.add_argument(
        "--report", type=outputs.folder, default="", metavar="DIR", help="write a page with pictures and films there"
    )


def run(chosen: argparse.Namespace) -> int:
    """Run the episodes and print the results; return the exit code."""
    from rich.console import Console

    from vla_ros.bringup.start_check import require_startable
    from vla_ros.control.chunk_player import CHUNK_TRANSITIONS
    from vla_ros.lab.evaluation.report import EvaluationReport
    from vla_ros.lab.evaluation.suites import HONEST, REWRITTEN, suite
    from vla_ros.progress_line import ProgressLine
    from vla_ros.tasks.seeds import TRAINING
    from vla_ros.tasks.task import KINDS
    from vla_ros.tasks.vocabulary import OBJECTS

    tasks = tuple(task for task in chosen.tasks.split(",") if task)
    unknown = [task for task in tasks if task not in KINDS]
    sentences = chosen.suite in (HONEST, REWRITTEN)
    if sentences and (tasks or chosen.object or chosen.instruction):
        raise ParameterError(
            f"--suite {chosen.suite}: has scenes and words of its own; no --tasks, --object, --instruction"
        )
    chosen.most, chosen.episodes = chosen.episodes or 0, 10 if chosen.episodes is None else chosen.episodes
    if unknown or chosen.episodes < 1:
        raise ParameterError(f"--tasks {chosen.tasks} --episodes {chosen.episodes}: task kinds are {', '.join(KINDS)}")
    if not 0 <= chosen.seed < TRAINING - chosen.episodes:
        raise ParameterError(f"--seed {chosen.seed}: seeds of evaluation are 0 to 999999")
    if chosen.object and (chosen.object not in OBJECTS or chosen.suite != "nominal"):
        raise ParameterError(f"--object {chosen.object}: in suite nominal, one of {', '.join(OBJECTS)}")
    if chosen.through_graph and chosen.suite != "nominal":
        raise ParameterError(f"--suite {chosen.suite}: only nominal runs through the graph")
    if chosen.chunk_transition and chosen.chunk_transition not in CHUNK_TRANSITIONS:
        raise ParameterError(f"--chunk-transition {chosen.chunk_transition}: there are {', '.join(CHUNK_TRANSITIONS)}")
    if chosen.jobs < 0:
        raise ParameterError(f"--jobs {chosen.jobs}: at least 1; 0 is one for each core")
    cases = suite(chosen.suite)
    require_startable(_processes(chosen), chosen.policy, "sim")
    if chosen.language:
        return _language(chosen)
    report = EvaluationReport(chosen.policy, chosen.suite, chosen.seed)
    outcomes = _through_graph(chosen, tasks, report) if chosen.through_graph else _offline(chosen, cases, tasks, report)
    total = len(_sentences(chosen)) if sentences else chosen.episodes * (1 if chosen.through_graph else len(cases))
    interruption = ""
    try:
        with ProgressLine(chosen.policy, total) as progress:
            for outcome in outcomes:
                report.add(outcome)
                progress.advance(f"{sum(entry.success for entry in report.outcomes)} good")
                if not outcome.success:
                    where = f"{outcome.case} seed {outcome.seed} {outcome.task}".strip()
                    why = " | ".join(part for part in (outcome.reason, outcome.ended) if part)
                    progress.print(f"{where}: {outcome.instruction}: {why}")
    except (RuntimeError, KeyboardInterrupt) as error:
        interruption = str(error) or "interrupted"
        if not report.outcomes:
            raise ParameterError(interruption) from None
    Console().print(report.table())
    write_json(chosen.json, report.json())
    if chosen.report:
        from vla_ros.lab.evaluation.report_page import write

        Console().print(f"report: {write(report, Path(chosen.report))}")
    if interruption:
        raise ParameterError(f"after {len(report.outcomes)} of {total} episodes, which are shown above: {interruption}")
    return 0


def _language(chosen: argparse.Namespace) -> int:
    """Print whether the instruction matters; return 1 where it is ignored, or where nothing can be told."""
    os.environ.setdefault("MUJOCO_GL", "egl")
    from vla_ros.lab.evaluation.language_check import asked_in_simulation, language_effect
    from vla_ros.policies.registry import Robot, system1, system2
    from vla_ros.sim.arm_description import JOINT_NAMES, urdf

    options = _nodes(chosen)["planner"].get(chosen.policy, {})
    robot = Robot(urdf(), JOINT_NAMES)
    asked = asked_in_simulation(range(chosen.seed, chosen.seed + chosen.episodes))
    effect = language_effect(system2(chosen.policy, robot, options), system1(chosen.policy, robot, options), asked)
    print(effect.text())
    return int(effect.scenes < 2 or effect.ignored)


def _through_graph(chosen: argparse.Namespace, tasks: tuple[str, ...], report: EvaluationReport) -> Iterator[Outcome]:
    from vla_ros.bringup.node_parameters import parameters_with_policy
    from vla_ros.lab.evaluation.through_graph import GraphEvaluation
    from vla_ros.parameters import from_mapping

    transition: str = from_mapping(
        parameters_with_policy(chosen.policy, chosen.system2)["action_expert"], _nodes(chosen)["action_expert"]
    ).chunk_transition
    kinds = tasks or tuple(TASKS.split(","))
    overrides = _overrides(chosen)
    with GraphEvaluation(chosen.policy, chosen.config, overrides=overrides, system2=chosen.system2) as graph:
        for kind, seed in _episodes(chosen, kinds):
            yield graph.episode(seed, kind, chosen.instruction, lambda line: None)
            report.about = {"checkpoint": graph.checkpoint[:12], "chunk_transition": transition}
        report.rates = graph.rates()


def _offline(
    chosen: argparse.Namespace, cases: tuple[EvaluationCase, ...], tasks: tuple[str, ...], report: EvaluationReport
) -> Iterator[Outcome]:
    """Episodes without ROS, with filter and policy configured as the graph would."""
    os.environ.setdefault("MUJOCO_GL", "egl")
    from vla_ros.bringup.node_parameters import parameters_with_policy
    from vla_ros.control.planner_parameters import PlannerParameters
    from vla_ros.lab.evaluation.episodes import EvaluationSetup, run_episodes
    from vla_ros.lab.evaluation.loop import Conditions
    from vla_ros.parameters import from_mapping
    from vla_ros.policies.vlm.vlm_parameters import VlmParameters
    from vla_ros.safety.safety_parameters import SafetyFilterParameters

    nodes, classes = _nodes(chosen), parameters_with_policy(chosen.policy)
    vlm = nodes["planner"].pop("vlm", None)
    safety = from_mapping(SafetyFilterParameters, nodes["safety_filter"])
    given: PlannerParameters = from_mapping(classes["planner"], nodes["planner"])
    # Without the policy's options: a class that is made here is unknown to the other processes.
    planner = PlannerParameters(**{each.name: getattr(given, each.name) for each in fields(PlannerParameters)})
    conditions = Conditions.of(planner, from_mapping(classes["action_expert"], nodes["action_expert"]))
    options = nodes["planner"].get(chosen.policy, {})
    setup = EvaluationSetup(
        chosen.policy,
        safety,
        options,
        conditions,
        chosen.instruction,
        bool(chosen.report),
        planner,
        None if vlm is None else from_mapping(VlmParameters, vlm, "planner.vlm."),
    )
    wanted = _sentences(chosen) or [
        (case, kind, seed) for case in cases for kind, seed in _episodes(chosen, tasks or case.kinds)
    ]
    jobs = chosen.jobs or len(os.sched_getaffinity(0))
    for outcome in run_episodes(setup, wanted, jobs):
        report.about = {"checkpoint": outcome.checkpoint[:12], "chunk_transition": conditions.chunk_transition}
        yield outcome


def _sentences(chosen: argparse.Namespace) -> list[tuple[EvaluationCase, str, int]]:
    """Return the episodes of a suite of sentences; of another suite none."""
    from vla_ros.lab.evaluation.suites import HONEST, REWRITTEN, sentence_episodes

    return sentence_episodes(chosen.suite, chosen.seed, chosen.most) if chosen.suite in (HONEST, REWRITTEN) else []


def _episodes(chosen: argparse.Namespace, kinds: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Yield kind of task and seed of each episode; where --object is given, of scenes whose task begins with that object.

    Raises:
        ParameterError: there are not so many such scenes; no task of a kind moves such an object.
    """
    from vla_ros.sim.task_sampler import sample_task
    from vla_ros.tasks.seeds import TRAINING

    seed = chosen.seed
    for i in range(chosen.episodes):
        kind = kinds[i % len(kinds)]
        while chosen.object and sample_task(seed, kind)[1].steps[0].x != chosen.object:
            seed += 1
            if seed >= min(TRAINING, chosen.seed + SEARCHED_SEEDS * chosen.episodes):
                raise ParameterError(f"--object {chosen.object}: no task {kind} with it; take other --tasks or --seed")
        yield kind, seed
        seed += 1


def _nodes(chosen: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Node → its parameters."""
    from vla_ros.parameters import nested

    return {process.name: nested(process.parameters) for process in _processes(chosen)}


def _processes(chosen: argparse.Namespace) -> tuple[Process, ...]:
    """Return what a graph would consist of."""
    from vla_ros.bringup.graph import bringup

    return bringup(policy=chosen.policy, config=chosen.config, overrides=_overrides(chosen), system2=chosen.system2)


def _overrides(chosen: argparse.Namespace) -> dict[str, dict[str, str]]:
    """Node → parameters that the options set."""
    checkpoint = {f"{chosen.policy}.checkpoint": chosen.checkpoint} if chosen.checkpoint else {}
    transition = {"chunk_transition": chosen.chunk_transition} if chosen.chunk_transition else {}
    return {"planner": checkpoint, "action_expert": {**checkpoint, **transition}}
