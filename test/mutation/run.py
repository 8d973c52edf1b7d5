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
JOINTS = (
    *(
        "joint/test_stopping_distance",
        "joint/test_velocity_limit",
        "joint/test_acceleration_limit",
        "joint/test_jerk_limit",
        "joint/test_position_limit",
        "joint/test_last_check",
    ),
    *(
        "test_states",
        *(
            f"command/test_{name}"
            for name in ("authority", "schema", "freshness", "sequence", "continuity", "joint_order")
        ),
        *(f"command/test_{name}" for name in ("open_loop", "estop", "deadman", "enabling")),
        *(
            "measured/test_joint_state",
            "measured/test_joint_state_reader",
            "measured/test_stamp_clock",
            "measured/test_safe_home",
        ),
        *("measured/test_joint_source", "measured/test_tracking_error", "measured/test_overspeed"),
        "measured/test_standstill",
        *("measured/test_controller_state", "measured/test_dead_gripper", "command/test_output_strangers"),
        "joint/test_joint_limits",
        *("test_tick", "test_takeover", "test_services", "test_messages", "test_decision", "test_filter_setup"),
        "test_filter",
        "command/test_setpoint_spline",
        "joint/test_stop_path",
        "joint/test_joint_motion",
    ),
)
SPACE = (
    *("geometry/test_active_set", "geometry/test_table", "geometry/test_fence", "geometry/test_keep_out"),
    *("geometry/test_clearance", "geometry/test_self_collision", "joint/test_effort_limit", "geometry/test_obstacle"),
    *("measured/test_contact", "measured/test_tcp_overspeed", "measured/test_measured_clearance"),
    *(
        f"geometry/test_{name}"
        for name in (
            *("path_bounds", "cartesian_speed", "reduced_mode", "stop_distance", "momentum"),
            *("tool_orientation", "separation"),
        )
    ),
    *("geometry/test_collision_constraints", "geometry/test_arm_model"),
)
"""Files of test/unit/safety, quick ones first: of what needs no model of the arm, and of what does."""
MODELLED = (
    *("fence", "table", "keep_out", "self_collision", "obstacle", "clearance", "effort_limit", "contact"),
    *("cartesian_speed", "reduced_mode", "stop_distance", "momentum", "separation", "tool_orientation"),
    *("tcp_overspeed", "measured_clearance"),
)
"""Rules whose mutants are tried on SPACE first."""
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
    parser.add_argument("--only", default="", help="mutants whose name contains this")
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
    names = [name for name in names if chosen.only in name]
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


def tests(name: str) -> Iterator[str]:
    """Yield the files that a mutant is tried on, those first that are likeliest to notice."""
    names = (*SPACE, *JOINTS) if name.partition("/")[0] in MODELLED else (*JOINTS, *SPACE)
    yield from (f"test/unit/safety/{name}.py" for name in names)
    yield "test/property"


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
