"""The reaction to a fault: what is expected, what was observed, and where they differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

MOVING = ("TRACKING", "LIMITING")
RESTING = ("HOLDING",)
PROTECTIVE = ("PROTECTIVE_STOP",)
ESTOP = ("ESTOP",)
DISARMED = ("DISARMED",)
LATCHED = (*PROTECTIVE, *ESTOP)
NO_FILTER = "-"
"""Stands for the state when the filter's process has ended."""
ENDED = (NO_FILTER,)
"""No filter runs at the end."""

ROUNDING = 1e-3
"""The controller's log has nine decimals: a second difference of them is off by up to 2e-9 / (4 ms)^2 rad/s^2."""


@dataclass(frozen=True)
class ExpectedReaction:
    """The correct reaction.

    Args:
        rules: one of these acts; empty: none has to.
        ends: states in which the filter may be at the end.
        rest_s: upper bound of the time to rest; NaN: the arm need not come to rest.
        goes_on: the arm still moves at the end.
        says: text that an answer or a last line of output contains.
        estop_s: upper bound of the 99th percentile of `ObservedReaction.estops_s`.
        limits: whether the executed motion keeps the arm's limits.
    """

    rules: tuple[str, ...] = ()
    ends: tuple[str, ...] = RESTING
    rest_s: float = math.nan
    goes_on: bool = False
    says: str = ""
    estop_s: float = math.nan
    limits: bool = True

    def text(self) -> str:
        """Return the reaction in words."""
        if not math.isnan(self.rest_s):
            rest = f"at rest within {self.rest_s * 1e3:.0f} ms"
        elif self.goes_on:
            rest = "goes on"
        else:
            rest = "does not start" if self.ends == ENDED and self.says else "inside the limits"
            rest = rest if self.limits else "may stop hard"
        ends = "" if self.ends in (ENDED, MOVING) else f", {' or '.join(self.ends)}"
        says = f", says “{self.says}”" if self.says else ""
        if not math.isnan(self.estop_s):
            says = f", each e-stop brakes within {self.estop_s * 1e3:.0f} ms (p99)"
        return f"{rest}{ends}{says}"


@dataclass
class ObservedReaction:
    """What the rig, the filter's status and the controller's log showed.

    Args:
        states, rules: in order, each when it changed.
        speed: lowest speed of the fastest joint shortly before the fault, rad/s or m/s.
        rest_s: from the fault to the controller's last motion; NaN: it moved to the end.
        velocity, acceleration: largest share of the arm's limits.
        outside: how far a setpoint left the position limits, rad or m.
        late: ticks of the filter that began late.
        answers: of services and processes.
        estops_s: from each press of the e-stop to the status that says that it brakes.
        problem: why the case could not be carried out; empty: it could.
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
    estops_s: list[float] = field(default_factory=list)
    problem: str = ""

    def add_status(self, state: str, rule: str) -> None:
        """Append a state and the rule that acted, where they differ from the last ones. Empty: none."""
        for seen, new in ((self.states, state), (self.rules, rule)):
            if new and new != (seen or [""])[-1]:
                seen.append(new)


def differences(expected: ExpectedReaction, observed: ObservedReaction) -> list[str]:
    """Return what is not as expected, in words; empty: the case has passed."""
    return [
        *([observed.problem] if observed.problem else []),
        *_wrong_states(expected, observed),
        *_wrong_motion(expected, observed),
        *(_broken_limits(observed) if expected.limits else ()),
        *_missing_answer(expected.says, observed.answers),
        *_late_estop(expected.estop_s, observed.estops_s),
    ]


def _wrong_states(expected: ExpectedReaction, observed: ObservedReaction) -> list[str]:
    wrong = []
    if expected.rules and not set(expected.rules) & set(observed.rules):
        wrong.append(f"none of {', '.join(expected.rules)} acted, but {', '.join(observed.rules) or 'no rule'}")
    end = observed.states[-1] if observed.states else NO_FILTER
    if end not in expected.ends:
        wrong.append(f"ended {end}, not {' or '.join(expected.ends)}")
    return wrong


def _wrong_motion(expected: ExpectedReaction, observed: ObservedReaction) -> list[str]:
    wrong = []
    if not math.isnan(expected.rest_s) and not observed.rest_s <= expected.rest_s:
        rest = "not at rest" if math.isnan(observed.rest_s) else f"at rest after {observed.rest_s:.3f} s"
        wrong.append(f"{rest}; {expected.rest_s:.3f} s are allowed")
    if expected.goes_on and not math.isnan(observed.rest_s):
        wrong.append("the arm does not move any more")
    return wrong


def _broken_limits(observed: ObservedReaction) -> list[str]:
    wrong = [
        f"{quantity} at {share:.3f} of the arm's limit"
        for quantity, share in (("velocity", observed.velocity), ("acceleration", observed.acceleration))
        if not share <= 1.0 + ROUNDING
    ]
    if not observed.outside <= ROUNDING * 1e-3:
        wrong.append(f"{observed.outside:.6f} outside the position limits")
    return wrong


def _late_estop(bound_s: float, estops_s: Sequence[float]) -> list[str]:
    if math.isnan(bound_s):
        return []
    if not estops_s:
        return ["the e-stop was not timed"]
    p99_s = float(np.percentile(estops_s, 99))
    return [] if p99_s <= bound_s else [f"e-stop after {p99_s * 1e3:.1f} ms (p99); {bound_s * 1e3:.0f} ms are allowed"]


def _missing_answer(says: str, answers: Sequence[str]) -> list[str]:
    if not says or any(says in answer for answer in answers):
        return []
    return [f"nobody said {says!r}, but {'; '.join(answers) or 'nothing'}"]
