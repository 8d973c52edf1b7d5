"""The option --json of every command that has one: a file, or standard output, where nothing else is then printed."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Any, TextIO

from vla_ros.lab import outputs
from vla_ros.parameters import ParameterError

STANDARD_OUTPUT = "-"
_alone: list[TextIO] = []
"""Standard output, while it is kept for JSON alone."""


def add_json_option(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare --json. what: that is written there, e.g. "the findings"."""
    parser.add_argument(
        "--json",
        nargs="?",
        const=STANDARD_OUTPUT,
        default=None,
        type=_target,
        metavar="FILE",
        help=f"write {what} there as JSON; - or nothing: to standard output, and all else to standard error",
    )


def _target(text: str) -> str:
    return text if text == STANDARD_OUTPUT else outputs.file(text)


@contextlib.contextmanager
def json_alone(target: str | None) -> Iterator[None]:
    """Keep standard output for `write_json` where that is the target; what else is printed goes to standard error.

    That of child processes and of libraries in C does, too.

    Raises:
        ParameterError: the name is empty, as of a variable of the shell that is not set.
    """
    if target == "":
        raise ParameterError("--json: no file is named; - is standard output")
    if target != STANDARD_OUTPUT:
        yield
        return
    sys.stdout.flush()
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as stream, contextlib.redirect_stdout(sys.stderr):
        os.dup2(2, 1)
        _alone.append(stream)
        try:
            yield
        finally:
            _alone.remove(stream)
            os.dup2(stream.fileno(), 1)


def write_json(target: str | None, value: Any) -> None:
    """Write a value where --json says; do nothing where it was not given. NaN and infinities, which JSON lacks, are null.

    Raises:
        ParameterError: the file cannot be written any more, or the disk is full.
    """
    if not target:
        return
    text = json.dumps(_finite(value), indent=2, default=str, allow_nan=False, ensure_ascii=False) + "\n"
    if target == STANDARD_OUTPUT:
        stream = _alone[-1] if _alone else sys.stdout
        stream.write(text)
        stream.flush()
        return
    try:
        with open(target, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ParameterError(f"--json {target}: {error.strerror}") from None


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    if hasattr(value, "tolist"):  # of numpy
        return _finite(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
