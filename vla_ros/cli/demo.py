"""The command `vla-ros demo`: one task on the whole graph, judged by the simulator."""

from __future__ import annotations

import argparse

from vla_ros.parameters import ParameterError

TEXT = "one task without a screen; exit code 0 when the simulator judges it done"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("--policy", default="classical")
    parser.add_argument("--seed", type=int, default=3, help="of the scene, whose task is said")


def run(chosen: argparse.Namespace) -> int:
    """Start the graph, say the scene's task, print planner's and simulator's verdicts; return 0 when it was done, else 1."""
    from vla_ros.lab.evaluation.through_graph import GraphEvaluation
    from vla_ros.ros.client import Unreachable
    from vla_ros.tasks.seeds import TRAINING

    if not 0 <= chosen.seed < TRAINING:
        raise ParameterError(f"demo --seed {chosen.seed}: scenes are numbered from 0 to 999999")
    print("starting the graph", flush=True)
    try:
        with GraphEvaluation(chosen.policy) as graph:
            outcome = graph.episode(chosen.seed, "place", "", lambda line: print(line, flush=True))
    except Unreachable as error:
        raise ParameterError(str(error)) from None
    print(f"planner: {outcome.said}, after {outcome.seconds:.1f} s")
    print(f"simulator: {'done' if outcome.success else 'not done'} {outcome.measures}")
    return 0 if outcome.success else 1
