"""The commands `vla-ros arm`, `disarm`, `estop` and `reset`: one service of the safety filter each."""

from __future__ import annotations

import argparse

from vla_ros.parameters import ParameterError

TEXT = {
    "arm": "let commands through to the arm",
    "disarm": "bring the arm to rest, then let nothing through",
    "estop": "stop the arm at once and keep it stopped",
    "reset": "leave a latched stop; motion needs `arm` after it",
}
FOLLOWED = ("arm", "reset")
"""Commands that also say what becomes of the task, which the planner knows. The others end at once."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("--namespace", default="", help="namespace of the arm")
    if parser.prog.endswith(" reset"):
        parser.add_argument(
            "--lost-estop",
            action="store_true",
            help="first release the presses of e-stop buttons that have left; look at them before",
        )


def run(chosen: argparse.Namespace) -> int:
    """Call the service and print the answer; return 0 when it was done, else 1."""
    if chosen.command == "estop":
        from vla_ros.ros.estop_line import press

        if answer := press(chosen.namespace):
            print(answer)
            return 0
    from vla_ros.ros.service_call import Unreachable, call_trigger

    try:
        if chosen.command in FOLLOWED:
            done, message = _followed(chosen)
        else:
            done, message = call_trigger(chosen.namespace, f"vla/{chosen.command}")
    except Unreachable as error:
        raise ParameterError(str(error)) from None
    print(message)
    return 0 if done else 1


def _followed(chosen: argparse.Namespace) -> tuple[bool, str]:
    from vla_ros.ros.client import connect

    with connect(chosen.namespace) as connected:
        if getattr(chosen, "lost_estop", False):
            print(connected.trigger("release_lost_estop")[1])
        return connected.trigger(chosen.command)
