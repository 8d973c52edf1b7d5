"""The command `vla-ros bench NAME`: measure a part of the project on this machine."""

from __future__ import annotations

import argparse
import importlib

from vla_ros.lab.json_output import add_json_option

TEXT = "measure a part of the project on this machine; exit code 0 when it ran, whatever the numbers"
NAMES = {
    "controller": "vla_ros.lab.bench.controller",
    "policy": "vla_ros.lab.bench.policy",
    "safety": "vla_ros.lab.bench.safety",
    "split": "vla_ros.lab.bench.split",
    "transport": "vla_ros.lab.bench.transport",
}
"""Bench → module with `run(chosen) -> exit code`."""


def arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    command.add_argument(
        "name",
        choices=sorted(NAMES),
        help="controller: what a ros2_control controller executes of the filter's outputs. "
        "policy: the compact policy's graphs in several inference backends. "
        "safety: the filter's cost, punctuality, memory; others beside it. "
        "split: memory and time of each half of a pretrained model's class, with random weights. "
        "transport: an observation to the policy and a chunk back, over this graph, openpi's and LeRobot's protocols",
    )
    command.add_argument(
        "--ticks", type=int, default=100_000, metavar="N", help="ticks per measurement (default 100000)"
    )
    command.add_argument(
        "--seconds", type=float, default=30.0, metavar="S", help="length of a real-time loop (default 30)"
    )
    command.add_argument(
        "--hour", action="store_true", help="watch the memory over an hour of ticks (minutes), not 80 s of them"
    )
    command.add_argument(
        "--trips", type=int, default=3000, metavar="N", help="round trips per transport (default 3000)"
    )
    command.add_argument("--family", choices=("smolvla", "pi0"), default="smolvla", help="model of bench split")
    command.add_argument("--size", choices=("real", "tiny"), default="tiny", help="its size")
    command.add_argument("--types", action="store_true", help="bench split: weights in bfloat16, int8 and int4, too")
    command.add_argument("--threads", type=int, default=1, help="of torch in bench split")
    command.add_argument("--seed", type=int, default=1, help="of the adversarial stream, of the images")
    command.add_argument("--quick", action="store_true", help="a few seconds: shows the form, not the numbers")
    add_json_option(command, "the results")
    command.add_argument("--docs", action="store_true", help="write docs/bench.md or docs/bench_NAME.md")


def run(chosen: argparse.Namespace) -> int:
    """Run the bench; return the exit code."""
    code: int = importlib.import_module(NAMES[chosen.name]).run(chosen)
    return code
