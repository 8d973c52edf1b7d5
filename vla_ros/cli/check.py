"""The command `vla-ros check`: does a checkpoint fit a robot, and what is to be written where it does not?"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from vla_ros.lab.json_output import add_json_option, write_json

TEXT = "hold a checkpoint against a robot: what fits, what is converted, what is refused and how to mend it"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "checkpoint", metavar="CHECKPOINT", nargs="?", default="", help="its folder; none for --policy remote"
    )
    parser.add_argument(
        "--robot", default="sim", help="sim, the name of a file in config/, or a file of your own: my_arm.yaml"
    )
    parser.add_argument("--policy", default="", help="that is to play it; empty: what its format says")
    parser.add_argument("--config", default="", help="parameter file laid over the robot's, e.g. with the binding")
    add_json_option(parser, "the table")
    parser.add_argument("--urdf", default="", metavar="FILE", help="of the robot, where its file names none")


def run(chosen: argparse.Namespace) -> int:
    """Print the table, and what of the robot's files a start would be refused for.

    Returns:
        0: all fits; 1: something is refused. What cannot be read at all is an error (2).
    """
    from vla_ros.bringup.binding_check import check_binding, checkpoint_overrides
    from vla_ros.bringup.graph import bringup
    from vla_ros.bringup.start_check import robot_faults
    from vla_ros.cli.binding_table import print_table
    from vla_ros.parameters import ParameterError
    from vla_ros.policies.binding.checkpoints import usual_policy

    if not chosen.checkpoint and not chosen.policy:
        raise ParameterError("CHECKPOINT: name a folder, or a policy that needs none: --policy remote")
    policy = chosen.policy or usual_policy(Path(chosen.checkpoint).expanduser())
    overrides = checkpoint_overrides(policy, chosen.checkpoint)
    processes = bringup(chosen.robot, policy, chosen.config, overrides=overrides)
    report = check_binding(processes, policy, chosen.robot, chosen.urdf)
    if report is None:
        what = (
            f"{chosen.checkpoint}: {policy} binds no such checkpoint"
            if chosen.checkpoint
            else f"{policy} binds nothing"
        )
        raise ParameterError(f"{what} to a robot; choose another --policy")
    print_table(report)
    faults = robot_faults(processes, policy, chosen.robot)
    for fault in faults:
        print(f"vla-ros: {fault}", file=sys.stderr)
    rows = [asdict(row) for row in report.rows]
    write_json(chosen.json, {"policy": policy, "source": report.source, "rows": rows, "faults": faults})
    return int(bool(report.refusal or faults))
