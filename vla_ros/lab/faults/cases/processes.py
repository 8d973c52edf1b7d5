"""Faults of processes, of the machine, and exceptions in the rules."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.cases.setpoints import move_from_here
from vla_ros.lab.faults.raising import AT_START, CODE
from vla_ros.lab.faults.reaction import DISARMED, ENDED, MOVING, PROTECTIVE, ExpectedReaction
from vla_ros.lab.faults.rest_bounds import RestBounds
from vla_ros.lab.faults.rig import FaultRig

BY_CONTROLLER = ("jerk_limit", "last_check")
"""Without these rules the filter cannot send a stop; it sends nothing, and the controller stops the arm."""


def kill(name: str) -> Callable[[FaultRig], None]:
    """Kill a process with SIGKILL."""
    return lambda rig: rig.kill(name)


def restart_filter(rig: FaultRig) -> None:
    """Kill the filter in mid-motion and start it again while the policy goes on."""
    rig.kill("safety_filter")
    rig.restart("safety_filter")
    rig.run_for(1.0)


def load_cpu(rig: FaultRig) -> None:
    """Start twice as many busy processes as there are cores, for 3 s."""
    rig.set_cpu_load(2 * (os.cpu_count() or 1))
    rig.run_for(3.0)
    rig.set_cpu_load(0)
    rig.record_diagnostics("late_ticks", "scheduling")


def fail_log_writes(rig: FaultRig) -> None:
    """Let every write of the audit log fail for 2 s."""
    rig.block_log_writes(True)
    rig.run_for(2.0)
    rig.block_log_writes(False)
    rig.replay_audit_log()


def remove_log(rig: FaultRig) -> None:
    """Remove the folder of the audit log."""
    rig.remove_audit_log()
    rig.run_for(2.0)
    rig.replay_audit_log()


def freeze_camera(rig: FaultRig) -> None:
    """Repeat one image, with new stamps."""
    rig.camera_frozen = True


def raise_in(rule: str) -> Callable[[FaultRig], None]:
    """Let the rule raise from now on; a step of joint1 makes every limit rule act."""

    def inject(rig: FaultRig) -> None:
        rig.raise_in_rule(rule)
        move_from_here(rig, lambda t: {"joint1": 0.1})

    return inject


def raise_at_start(rule: str) -> Callable[[FaultRig], None]:
    """Kill the filter and let the rule raise when it starts again."""

    def inject(rig: FaultRig) -> None:
        rig.kill("safety_filter")
        rig.raise_in_rule(rule)
        rig.restart("safety_filter")
        rig.raise_in_rule("")

    return inject


def cases(bounds: RestBounds) -> Iterator[FaultCase]:
    """Yield the cases of this file."""
    goes_on = ExpectedReaction(ends=MOVING, goes_on=True)
    yield FaultCase(
        "filter-killed",
        "safety_filter killed",
        ExpectedReaction((), ENDED, bounds.by_message),
        kill("safety_filter"),
    )
    yield FaultCase(
        "filter-restarted",
        "safety_filter killed and started again, while the policy goes on",
        ExpectedReaction(("authority",), DISARMED, bounds.by_message),
        restart_filter,
    )
    yield FaultCase("cpu-hog", "twice as many busy processes as cores, for 3 s", goes_on, load_cpu, stalls=True)
    logged = dataclasses.replace(goes_on, says="the audit log goes on")
    yield FaultCase("disk-full", "every write of the audit log fails for 2 s", logged, fail_log_writes)
    yield FaultCase("log-removed", "the folder of the audit log is deleted", logged, remove_log)
    for rule in CODE:
        if rule in AT_START:
            expected = ExpectedReaction((), ENDED, bounds.by_message, says=f"injected into {rule}")
            yield FaultCase(
                f"raising-{rule.replace('_', '-')}",
                f"rule {rule} raises at the start",
                expected,
                raise_at_start(rule),
                "raising",
            )
            continue
        rest_s = bounds.arrival + bounds.by_message if rule in BY_CONTROLLER else bounds.at_once
        rest_s += bounds.command_timeout if rule == "open_loop" else 0.0
        expected = ExpectedReaction((rule,), PROTECTIVE, rest_s)
        yield FaultCase(f"raising-{rule.replace('_', '-')}", f"rule {rule} raises", expected, raise_in(rule), "raising")
    plan = bounds.arrival + bounds.plan + bounds.command_timeout + bounds.stop
    for name, fault, rest_s, inject in (
        (
            "camera-frozen",
            "the front camera repeats an image, with new stamps",
            bounds.camera_frozen + plan,
            freeze_camera,
        ),
        ("planner-killed", "planner killed", plan, kill("planner")),
        ("camera-killed", "camera killed", bounds.camera_missing + plan, kill("camera")),
        ("expert-killed", "action_expert killed", bounds.without_setpoints, kill("action_expert")),
    ):
        yield FaultCase(name, fault, ExpectedReaction(("open_loop",), rest_s=rest_s), inject, "whole")
