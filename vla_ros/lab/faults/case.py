"""One fault: what is done, what should happen, what was seen, and the judgement."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from vla_ros.lab.faults.rig import Rig

MOVING = ("TRACKING", "LIMITING")
RESTING = ("HOLDING",)
PROTECTIVE = ("PROTECTIVE_STOP",)
ESTOP = ("ESTOP",)
DISARMED = ("DISARMED",)
NOWHERE = ("-",)
"""There is no filter at the end."""

ROUNDING = 1e-3
"""The controller's log has nine decimals: a second difference of them is off by up to 2e-9 / (4 ms)^2 rad/s^2."""


@dataclass(frozen=True)
class Expected:
    """The reaction that is right.

    rules: one of these acts; empty: none needs to. ends: states in which the filter may be at the end. rest_s: bound on the
    time to rest; NaN: rest is not asked for. goes_on: the arm moves at the end. says: is part of an answer or a last line.
    """

    rules: tuple[str, ...] = ()
    ends: tuple[str, ...] = RESTING
    rest_s: float = math.nan
    goes_on: bool = False
    says: str = ""

    def text(self) -> str:
        """In words."""
        rest = (
            "goes on"
            if self.goes_on
            else "does not start"
            if self.ends == NOWHERE and self.says
            else "inside the limits"
        )
        if not math.isnan(self.rest_s):
            rest = f"at rest within {self.rest_s * 1e3:.0f} ms"
        ends = "" if self.ends in (NOWHERE, MOVING) else f", {' or '.join(self.ends)}"
        says = f", says “{self.says}”" if self.says else ""
        return f"{rest}{ends}{says}"


@dataclass(frozen=True)
class Case:
    """One fault.

    name: on the command line. fault: in words. inject: does it; the arm is then as `start` says. graph: of
    `vla_ros.lab.faults.graphs`. start: "moving" (in the middle of a swing), "holding" or "disarmed". stalls: the fault
    itself is a stall, a step of the clock or a load on the machine, so that a stall excuses nothing.
    """

    name: str
    fault: str
    expected: Expected
    inject: Callable[[Rig], None]
    graph: str = "filter"
    start: str = "moving"
    stalls: bool = False


@dataclass
class Seen:
    """What happened.

    states, rules: in order, each when it changed. speed: of the fastest joint, at least, shortly before the fault, rad/s or
    m/s. rest_s: from the fault to the controller's last motion; NaN: it moved to the end. velocity, acceleration: largest
    share of the arm's limits. outside: how far a setpoint left the position limits, rad or m. late: ticks of the filter that
    began late. answers: of services and processes. why: the first reason that the filter gave. problem: the case itself broke
    off.
    """

    states: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    speed: float = 0.0
    rest_s: float = math.nan
    velocity: float = 0.0
    acceleration: float = 0.0
    outside: float = 0.0
    late: int = 0
    answers: list[str] = field(default_factory=list)
    why: str = ""
    problem: str = ""


def failures(expected: Expected, seen: Seen) -> list[str]:
    """What is not as expected, in words; empty: the case has passed."""
    wrong = []
    if seen.problem:
        wrong.append(seen.problem)
    if expected.rules and not set(expected.rules) & set(seen.rules):
        wrong.append(f"none of {', '.join(expected.rules)} acted, but {', '.join(seen.rules) or 'no rule'}")
    end = seen.states[-1] if seen.states else NOWHERE[0]
    if end not in expected.ends:
        wrong.append(f"ended {end}, not {' or '.join(expected.ends)}")
    if not math.isnan(expected.rest_s) and not seen.rest_s <= expected.rest_s:
        rest = "not at rest" if math.isnan(seen.rest_s) else f"at rest after {seen.rest_s:.3f} s"
        wrong.append(f"{rest}; {expected.rest_s:.3f} s are allowed")
    if expected.goes_on and not math.isnan(seen.rest_s):
        wrong.append("the arm does not move any more")
    for what, share in (("velocity", seen.velocity), ("acceleration", seen.acceleration)):
        if not share <= 1.0 + ROUNDING:
            wrong.append(f"{what} at {share:.3f} of the arm's limit")
    if not seen.outside <= ROUNDING * 1e-3:
        wrong.append(f"{seen.outside:.6f} outside the position limits")
    if expected.says and not any(expected.says in answer for answer in seen.answers):
        wrong.append(f"nobody said {expected.says!r}, but {'; '.join(seen.answers) or 'nothing'}")
    return wrong
