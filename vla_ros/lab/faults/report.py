"""docs/faults.md, made from the results of a whole campaign."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence

from vla_ros.lab.faults.campaign import FAST, TRIES, Result, Sent

HEAD = f"""# Faults

Made by `vla-ros faults --docs`; do not edit.

Each fault is provoked on running nodes over DDS, in the middle of a motion where nothing else is said. Seen: states of the
filter and the rules that acted. To rest: from the fault to the last motion of the setpoint in the log of the arm's controller
(`vla_ros/sim/controller.py`), against a bound that is computed from the parameters (`vla_ros/lab/faults/times.py`). v, a:
largest speed and acceleration of that setpoint, from 0.1 s before the fault on, as shares of the arm's limits
(`vla_ros/sim/arm_description.py`), which that controller keeps by itself: what they show is that it was not driven into them.
Late: ticks of the filter that began late (a stall is one of them, however long). A row has passed when reaction, end, rest
and limits are all as expected; in the last 0.1 s before a fault in mid-motion the arm was never slower than {FAST:g} rad/s.
A case that fails while the rig or the filter, which both ask for real-time scheduling, stood still for 40 ms or more is tried
again, {TRIES} times in all; it says so. A fault that is a stall, a step of the clock or a load itself is tried once.

What the filter itself sent is judged tick by tick, from its audit log, by the [oracle](oracle.md), against the limits of its
configuration: below the table.
"""


def text(results: Sequence[Result], sent: Sequence[Sent], seconds: float) -> str:
    """docs/faults.md."""
    return "\n".join([HEAD, *page(results, sent, seconds)]) + "\n"


def page(results: Sequence[Result], sent: Sequence[Sent], seconds: float) -> Iterator[str]:
    """The page below its head."""
    failed = [result for result in results if result.wrong]
    loads = [result.load for result in results]
    yield (
        f"{len(results)} faults, {len(results) - len(failed)} as expected, in {seconds:.0f} s. Load average "
        f"{min(loads):.1f} to {max(loads):.1f} on {os.cpu_count()} cores ({platform.machine()}, "
        f"Python {platform.python_version()})."
    )
    yield ""
    yield "| fault | expected | seen | rule | ms to rest | v | a | late | |"
    yield "|---|---|---|---|---:|---:|---:|---:|---|"
    for result in results:
        yield row(result)
    yield "\n## All that was sent\n"
    for each in sent:
        yield f"- {each.text()}"
    if failed:
        yield "\n## Not as expected\n"
        for result in failed:
            yield f"- `{result.case.name}`: {'; '.join(result.wrong)}"


def row(result: Result) -> str:
    """One line of the table."""
    case, seen = result.case, result.seen
    rest, shares = "–", "– | – | –"
    if case.graph != "none":
        rest = "moves" if seen.rest_s != seen.rest_s else f"{seen.rest_s * 1e3:.0f}"
        shares = f"{seen.velocity:.2f} | {seen.acceleration:.2f} | {seen.late}"
    states = " → ".join(shortened(seen.states)) or "–"
    rules = ", ".join(dict.fromkeys(seen.rules)) or "–"
    says = next((answer for answer in seen.answers if case.expected.says and case.expected.says in answer), "")
    fault = f"`{case.name}`: {case.fault}"
    said = f"{states}: “{says}”" if says else states
    verdict = "passed" if not result.wrong else "**failed**"
    if result.stalls:
        stood = ", ".join(f"{stall * 1e3:.0f}" for stall in result.stalls)
        verdict += f" at try {len(result.stalls) + 1}: the machine stood still for {stood} ms"
    cells = [fault, case.expected.text(), said, rules, rest, shares, verdict]
    return "| " + " | ".join(cell.replace("\n", " ") for cell in cells) + " |"


def shortened(states: Sequence[str]) -> list[str]:
    """States in order, without going back and forth between TRACKING and LIMITING."""
    kept: list[str] = []
    for state in states:
        back_and_forth = len(kept) >= 2 and {state, kept[-1], kept[-2]} == {"TRACKING", "LIMITING"}
        if not back_and_forth and (not kept or kept[-1] != state):
            kept.append(state)
    return kept
