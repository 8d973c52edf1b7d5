"""Run the tests of the safety filter against each mutant: every rule switched off, and single operators changed.

`make mutants`. A mutant is killed when a test fails, or when the tests no longer end. What survives is printed, with its
place. The exit code is 1 when a rule can be switched off unnoticed.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from test.mutation import operators, plugin, rules

ROOT = Path(__file__).parents[2]
UNIT = Path("test/unit/safety")
ELSEWHERE = ("audit/", "test_controller_parameters.py", "test_limits_summary.py", "test_guarantees.py")
"""Tests below UNIT of what no mutant changes: the log, and what is written for people."""
KILLED, SURVIVED, ENDLESS = "killed", "SURVIVED", "killed by time"
OUTCOMES = {pytest.ExitCode.OK: SURVIVED, pytest.ExitCode.TESTS_FAILED: KILLED, pytest.ExitCode.INTERRUPTED: KILLED}
"""Interrupted: a module that can no longer be imported."""


def main() -> int:
    """Run all, print what survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--operators", type=int, default=48, help="so many operator mutants, chosen by the seed; 0: none"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[""], help="mutants whose name contains one of these")
    parser.add_argument("--timeout", type=float, default=600.0, help="s for one mutant")
    chosen = parser.parse_args()
    os.chdir(ROOT)
    for name in ("hypothesis", "numpy", "coal", "pinocchio", "yaml"):  # what is imported here need not be in each child
        importlib.import_module(name)
    names = [mutant.name for mutant in rules.RULES]
    places = {mutant.name: f"{mutant.module}.py: {mutant.old!r} → {mutant.new!r}" for mutant in rules.RULES}
    for change in picked(chosen.operators, chosen.seed):
        name = f"operator:{change.module}:{change.number}"
        names.append(name)
        places[name] = f"{change.module}.py:{change.line}: {change.before!r} → {change.after!r}"
    names = [name for name in names if any(part in name for part in chosen.only)]
    begun = time.monotonic()
    if outcome("", 3 * chosen.timeout) != SURVIVED:
        print("the tests fail, or do not end in time, on the code as it is; a mutant proves nothing before they pass")
        return 2
    print(f"the code as it is passes in {time.monotonic() - begun:.0f} s", flush=True)
    results: dict[str, str] = {}
    for k, name in enumerate(names, 1):
        results[name] = outcome(name, chosen.timeout)
        print(f"{k:3} of {len(names)}  {results[name]:15} {name:40} {places[name]}", flush=True)
    survivors = [name for name in names if results[name] == SURVIVED]
    print(f"\n{len(names)} mutants, {time.monotonic() - begun:.0f} s")
    for kind in (KILLED, ENDLESS, SURVIVED):
        print(f"  {sum(result == kind for result in results.values()):4} {kind}")
    for name in survivors:
        print(f"  survived: {name}: {places[name]}")
    return int(any(not name.startswith("operator:") for name in survivors))


def picked(count: int, seed: int) -> Iterator[operators.Change]:
    """Yield operator mutants of all modules, the same for the same seed."""
    every = [change for module in operators.MODULES for change, _ in operators.mutants(module, plugin.source(module))]
    yield from random.Random(seed).sample(every, min(count, len(every)))


def tests(name: str) -> list[str]:
    """The files that a mutant is tried on, likeliest to notice first: its rule's, its module's, then quick ones.

    Args:
        name: of the mutant; empty: the code as it is.
    """
    module = _module_of(name)
    likely = (f"test_{name.partition('/')[0]}", f"test_{module.rpartition('.')[2]}")

    def place(path: Path) -> tuple[bool, bool, str]:
        return path.stem not in likely, path.parent.name == "geometry", str(path)

    files = (path for path in UNIT.rglob("test_*.py") if not str(path.relative_to(UNIT)).startswith(ELSEWHERE))
    return [*map(str, sorted(files, key=place)), "test/property"]


def _module_of(name: str) -> str:
    if name.startswith("operator:"):
        return name.split(":")[1]
    return next((mutant.module for mutant in rules.RULES if mutant.name == name), "")


def outcome(name: str, timeout_s: float) -> str:
    """What the tests say of a mutant, in a process of its own."""
    child = os.fork()
    if child == 0:
        os.setsid()
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        sys.argv = ["pytest"]
        arguments = ["-x", "-q", "-p", "test.mutation.plugin", "-p", "no:cacheprovider", "--mutant", name, *tests(name)]
        os._exit(pytest.main(arguments))
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            if code not in OUTCOMES:  # pytest itself did not get as far as a test
                raise SystemExit(f"--mutant {name}: pytest ended with {code}; run it by hand, see plugin.py")
            return OUTCOMES[code]
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return ENDLESS


if __name__ == "__main__":
    raise SystemExit(main())
