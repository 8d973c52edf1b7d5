"""The command `vla-ros up`: the whole graph in the foreground."""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vla_ros.bringup.placement import NodePlacement

TEXT = "start the graph and stay up until Ctrl-C"
READY_TIMEOUT_S, ARM_TIMEOUT_S = 180.0, 30.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("--namespace", default="", help="namespace of the arm")
    parser.add_argument(
        "--robot", default="sim", help="sim, the name of a file in config/, or a file of your own: my_arm.yaml"
    )
    parser.add_argument("--policy", default="classical", help="vla-ros policies lists them")
    parser.add_argument(
        "--system2", default="", help="vlm: a vision-language model plans in words in front of the policy"
    )
    parser.add_argument("--vlm-url", default="", metavar="URL", help="its endpoint, e.g. http://localhost:8000/v1")
    parser.add_argument(
        "--vlm-model", default="", metavar="NAME", help="its name there, or the folder of a local model"
    )
    parser.add_argument("--checkpoint", default="", metavar="DIR", help="of the policy, where it has one")
    parser.add_argument("--config", default="", help="parameter file laid over the robot's")
    parser.add_argument("--use-sim-time", action="store_true", help="follow /clock")
    parser.add_argument("--rviz", action="store_true", help="start RViz too")
    parser.add_argument("--dashboard", action=argparse.BooleanOptionalAction, default=True, help="the browser page")
    parser.add_argument("--arm", action="store_true", help="arm the filter as soon as it hears the arm (simulation)")
    parser.add_argument("--say", default="", metavar="TEXT", help="the first instruction")
    nodes = parser.add_mutually_exclusive_group()
    nodes.add_argument(
        "--only",
        default="",
        metavar="NODES",
        help="start these alone, e.g. planner,action_expert; see docs/placement.md",
    )
    nodes.add_argument("--without", default="", metavar="NODES", help="start all but these, which run on other hosts")


def run(chosen: argparse.Namespace) -> int:
    """Run the graph until Ctrl-C; return the exit code."""
    from vla_ros.bringup.binding_check import BindingRefused, checkpoint_overrides
    from vla_ros.bringup.graph import bringup, merged, vlm_overrides
    from vla_ros.bringup.only_graph import claimed
    from vla_ros.bringup.placement import configuration, placed
    from vla_ros.bringup.process import discovery_environment
    from vla_ros.bringup.start_check import require_startable
    from vla_ros.bringup.supervisor import run as supervise
    from vla_ros.parameters import ParameterError
    from vla_ros.resources import CONFIGURATION_VARIABLE

    if (chosen.vlm_url or chosen.vlm_model) and not chosen.system2:
        raise ParameterError("--vlm-url, --vlm-model: a VLM plans only with --system2 vlm; add it")
    processes = bringup(
        chosen.robot,
        chosen.policy,
        chosen.config,
        chosen.namespace,
        chosen.rviz,
        chosen.dashboard,
        chosen.use_sim_time,
        overrides=merged(
            checkpoint_overrides(chosen.policy, chosen.checkpoint), vlm_overrides(chosen.vlm_url, chosen.vlm_model)
        ),
        system2=chosen.system2,
    )
    placement = placed(processes, chosen.only, chosen.without)
    try:
        require_startable(processes, chosen.policy, chosen.robot, placement.here)
    except BindingRefused as refused:
        from vla_ros.cli.binding_table import print_table

        print_table(refused.report, sys.stderr)
        raise
    from vla_ros.ros.other_graph import refuse_second_filter

    os.environ.update(discovery_environment(chosen.robot, alone=not placement.elsewhere))
    os.environ[CONFIGURATION_VARIABLE] = configuration(processes)
    if not placement.runs("safety_filter"):
        if chosen.arm or chosen.say:
            raise ParameterError("--arm, --say: the safety filter runs on another host; give them there")
        return supervise(placement.here, lambda _: _say_where(placement))
    with claimed(chosen.namespace):
        refuse_second_filter(chosen.namespace, "up")
        if placement.elsewhere:
            _say_where(placement)
        started_s = time.monotonic()
        return supervise(placement.here, lambda stopping: _on_start(chosen, started_s, stopping))


def _say_where(placement: NodePlacement) -> None:
    """Say what this host starts."""
    here, elsewhere = (process.name for process in placement.here), placement.elsewhere
    print(f"vla_ros: here: {', '.join(here)}; on other hosts: {', '.join(elsewhere)}", flush=True)


def _on_start(chosen: argparse.Namespace, started_s: float, stopping: threading.Event) -> None:
    """Wait until the graph is ready, arm it and give the first instruction, then print what to do next."""
    from vla_ros.ros.client import Unreachable, connect

    try:
        with connect(chosen.namespace, stopping) as connected:
            connected.wait_until_ready(READY_TIMEOUT_S)
            if chosen.arm:
                _, why = connected.arm(ARM_TIMEOUT_S)
                print(f"vla_ros: {why or 'armed'}", flush=True)
            if chosen.say:
                connected.publish(chosen.say)
            print(f"vla_ros: up after {time.monotonic() - started_s:.1f} s. From another terminal:", flush=True)
            if not chosen.arm:
                print("  vla-ros arm", flush=True)
            print('  vla-ros say "put the orange ball on the plate"\n  vla-ros estop', flush=True)
            print("Ctrl-C stops everything.", flush=True)
    except Unreachable as error:
        if not stopping.is_set():
            print(f"vla_ros: {error}", flush=True)
