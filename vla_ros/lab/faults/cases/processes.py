"""Faults of processes, of the machine, and exceptions in the rules."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator

from vla_ros.lab.faults.case import DISARMED, MOVING, NOWHERE, PROTECTIVE, Case, Expected
from vla_ros.lab.faults.cases.setpoints import since_here
from vla_ros.lab.faults.raising import AT_START, CODE
from vla_ros.lab.faults.rig import Rig
from vla_ros.lab.faults.times import Times

BY_CONTROLLER = ("jerk_limit", "last_check")
"""Without these there is no stop that could be sent: the filter sends nothing any more."""


def killed(name: str) -> Callable[[Rig], None]:
    """SIGKILL."""
    return lambda rig: rig.kill(name)


def restarted(rig: Rig) -> None:
    """Kill the filter in mid-motion and start it again while the policy goes on."""
    rig.kill("safety_filter")
    rig.restart("safety_filter")
    rig.play(1.0)


def hogged(rig: Rig) -> None:
    """Twice as many busy processes as cores."""
    rig.hog(2 * (os.cpu_count() or 1))
    rig.play(3.0)
    rig.hog(0)
    rig.note_diagnostics("late_ticks", "scheduling")


def full(rig: Rig) -> None:
    """Every write of the audit log fails for 2 s."""
    rig.fill_disk(True)
    rig.play(2.0)
    rig.fill_disk(False)
    rig.replay_log()


def removed(rig: Rig) -> None:
    """The folder of the audit log goes."""
    rig.remove_log()
    rig.play(2.0)
    rig.replay_log()


def freeze(rig: Rig) -> None:
    """The same image for ever, with new stamps."""
    rig.image = "frozen"


def raising(rule: str) -> Callable[[Rig], None]:
    """The rule raises from now on; a setpoint that must be limited brings every rule of limits in."""

    def inject(rig: Rig) -> None:
        rig.raise_in(rule)
        since_here(rig, lambda t: {"joint1": 0.1})

    return inject


def raising_at_start(rule: str) -> Callable[[Rig], None]:
    """The filter dies, and the rule raises when it starts again."""

    def inject(rig: Rig) -> None:
        rig.kill("safety_filter")
        rig.raise_in(rule)
        rig.restart("safety_filter")
        rig.raise_in("")

    return inject


def cases(t: Times) -> Iterator[Case]:
    """The cases of this file."""
    on = Expected(ends=MOVING, goes_on=True)
    yield Case("filter-killed", "safety_filter killed", Expected((), NOWHERE, t.by_itself), killed("safety_filter"))
    yield Case(
        "filter-restarted",
        "safety_filter killed and started again, while the policy goes on",
        Expected(("authority",), DISARMED, t.by_itself),
        restarted,
    )
    yield Case("cpu-hog", "twice as many busy processes as cores, for 3 s", on, hogged, stalls=True)
    logged = dataclasses.replace(on, says="the audit log goes on")
    yield Case("disk-full", "every write of the audit log fails for 2 s", logged, full)
    yield Case("log-removed", "the folder of the audit log is deleted", logged, removed)
    for rule in CODE:
        if rule in AT_START:
            expected = Expected((), NOWHERE, t.by_itself, says=f"injected into {rule}")
            yield Case(
                f"raising-{rule.replace('_', '-')}",
                f"rule {rule} raises at the start",
                expected,
                raising_at_start(rule),
                "raising",
            )
            continue
        rest_s = t.arrival + t.by_itself if rule in BY_CONTROLLER else t.at_once
        rest_s += t.silence if rule == "open_loop" else 0.0
        expected = Expected((rule,), PROTECTIVE, rest_s)
        yield Case(f"raising-{rule.replace('_', '-')}", f"rule {rule} raises", expected, raising(rule), "raising")
    plan = t.arrival + t.plan + t.silence + t.stop
    for name, fault, rest_s, inject in (
        ("camera-frozen", "the front camera repeats an image, with new stamps", t.frozen + plan, freeze),
        ("planner-killed", "planner killed", plan, killed("planner")),
        ("camera-killed", "camera killed", t.unseen + plan, killed("camera")),
        ("expert-killed", "action_expert killed", t.refused, killed("action_expert")),
    ):
        yield Case(name, fault, Expected(("open_loop",), rest_s=rest_s), inject, "whole")
