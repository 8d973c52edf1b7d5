"""The command `vla-ros say TEXT`: give an instruction and follow it."""

from __future__ import annotations

import argparse
import contextlib
from typing import TYPE_CHECKING

from vla_ros.parameters import ParameterError

if TYPE_CHECKING:
    from vla_ros.ros.client import Client

TEXT = "give an instruction and follow it to its end; Ctrl-C leaves the arm holding"
CODES = {"done": 0, "unarmed": 3}
"""Outcome → exit code; of all others 1."""
STATUS_TIMEOUT_S, SEND_S = 2.0, 0.3
"""Longest wait for the filter's first status; time for a last message to leave."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("--namespace", default="", help="namespace of the arm")
    parser.add_argument(
        "--continue",
        dest="go_on",
        action="store_true",
        help="go on with the task that a stop has ended, instead of a text",
    )
    parser.add_argument("text", nargs="?", help="what to do; an empty text means hold")


def run(chosen: argparse.Namespace) -> int:
    """Say it and follow it; return the exit code."""
    from vla_ros.ros.client import Unreachable, connect

    go_on = getattr(chosen, "go_on", False)
    if go_on == (chosen.text is not None):
        raise ParameterError("say: give what to do, or --continue, and not both")
    with connect(chosen.namespace) as connected:
        try:
            if not go_on and not chosen.text.strip():
                _hold(connected)
                return 0
            connected.spin(STATUS_TIMEOUT_S, lambda: connected.status is not None)
            outcome, why = connected.continue_task() if go_on else connected.follow(chosen.text)
        except Unreachable as error:
            raise ParameterError(str(error)) from None
        except KeyboardInterrupt:
            with contextlib.suppress(Unreachable):  # nobody listens yet, so nobody has the instruction
                _hold(connected)
                print("holding")
            return 130
    print(f"{outcome}{': ' if why else ''}{why}")
    return CODES.get(outcome, 1)


def _hold(connected: Client) -> None:
    """Publish the empty instruction, which means hold."""
    connected.publish("")
    connected.spin(SEND_S)
