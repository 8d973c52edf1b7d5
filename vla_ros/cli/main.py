"""vla-ros: start the graph, talk to it, stop it, measure it. Here: the table of commands, the command line, errors.

Each command is a module of this package with three names: TEXT (one line of help), `arguments(parser)` (declares its
options) and `run(chosen) -> exit code`. Only the module of the command that is given is imported.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, cast

DESCRIPTION = """Put a vision-language-action model on a ROS 2 robot arm, behind a safety filter.

  vla-ros up --arm --say "put the red cube in the bowl"    start the simulated arm and give it a task
  vla-ros say "push the blue cylinder to the left"         the next task, from another terminal
  vla-ros estop                                            stop; then vla-ros reset, vla-ros arm
  vla-ros eval --policy classical --episodes 10 --through-graph
"""
COMMANDS = {
    "up": "up",
    "say": "say",
    "words": "words",
    "arm": "filter_services",
    "disarm": "filter_services",
    "estop": "filter_services",
    "reset": "filter_services",
    "eval": "eval",
    "demo": "demo",
    "doctor": "doctor",
    "check": "check",
    "check-recording": "check_recording",
    "bench": "bench",
    "data": "data",
    "train": "train",
    "status": "status",
    "trace": "trace",
    "policies": "policies",
    "replay": "replay",
    "faults": "faults",
    "serve": "serve",
    "completion": "completion",
}
"""Command → module of this package."""
ALIASES = {"audit": "check-recording"}
"""Old name → command."""
REFUSED = 2
INTERRUPTED = 130
"""Exit codes."""


class CommandModule(Protocol):
    """What the module of a command has. TEXT: by command where a module has several."""

    TEXT: str | Mapping[str, str]

    @staticmethod
    def arguments(parser: argparse.ArgumentParser) -> None:
        """Declare the command line."""

    @staticmethod
    def run(chosen: argparse.Namespace) -> int:
        """Do it and return the exit code."""


def module(command: str) -> CommandModule:
    """Import the module of a command, or of an old name."""
    return cast(CommandModule, importlib.import_module(f"vla_ros.cli.{COMMANDS[ALIASES.get(command, command)]}"))


def parser(commands: Iterable[str] = COMMANDS) -> argparse.ArgumentParser:
    """Return the command line with these commands, whose modules are imported."""
    top = argparse.ArgumentParser("vla-ros", description=DESCRIPTION, formatter_class=argparse.RawTextHelpFormatter)
    top.add_argument("--version", action="store_true", help="print the version and end")
    subparsers = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in commands:
        command = module(name)
        text = command.TEXT if isinstance(command.TEXT, str) else command.TEXT[name]
        command.arguments(subparsers.add_parser(name, help=text, description=text))
    return top


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the program vla-ros."""
    from vla_ros.parameters import ParameterError

    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):  # a terminal in Latin-1 shows no arrow, and that is no reason to end
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        _require_text(given)
        # All modules are needed only to list the commands, or to say that there is no such command.
        if given[:1] == ["help"]:
            given = [*given[1:2], "--help"]
        if given[:1] == ["--version"]:
            print(f"vla-ros {_version()}")
            sys.exit(0)
        if not given:
            parser().print_help()
            sys.exit(0)
        chosen = parser(given[:1] if given and given[0] in {**COMMANDS, **ALIASES} else COMMANDS).parse_args(given)
        _check_namespace(chosen)
        with _json_alone(chosen):
            code = module(chosen.command).run(chosen)
    except ParameterError as error:
        code = _refuse(*error.faults)
    except BrokenPipeError:  # the reader of this output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        code = _refuse(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        code = INTERRUPTED
    except ImportError as error:
        name = error.name or ""
        if name.startswith(("rclpy", "vla_ros.msg", "vla_ros.srv", "vla_ros.action")):
            code = _refuse(f"{name} is not installed: make setup, or source a ROS installation")
        elif isinstance(error, ModuleNotFoundError) and not name.startswith("vla_ros"):
            code = _refuse(
                f"{name} is not installed: pip install -r requirements.txt, or see docs/policies.md for a model's"
            )
        else:
            raise
    sys.exit(code)


def _json_alone(chosen: argparse.Namespace) -> contextlib.AbstractContextManager[None]:
    if getattr(chosen, "json", None) is None:
        return contextlib.nullcontext()
    from vla_ros.lab.json_output import json_alone

    return json_alone(chosen.json)


def _version() -> str:
    from importlib.metadata import version

    return version("vla_ros")


def _require_text(given: Sequence[str]) -> None:
    for argument in given:
        if not argument.isprintable() and any("\udc80" <= letter <= "\udcff" for letter in argument):
            from vla_ros.parameters import ParameterError

            shown = os.fsencode(argument).decode("utf-8", "backslashreplace")
            raise ParameterError(f"{shown!r} is no UTF-8: type it in a terminal that speaks UTF-8")


def _check_namespace(chosen: argparse.Namespace) -> None:
    """Check the namespace of every command that has one, and take the slashes off its ends."""
    if getattr(chosen, "namespace", ""):
        from vla_ros.bringup.process import check_namespace

        chosen.namespace = check_namespace(chosen.namespace)


def _refuse(*faults: str) -> int:
    for fault in faults:
        print(f"vla-ros: {fault}", file=sys.stderr)
    return REFUSED
