"""The results of a campaign in words: lines for the screen, and docs/faults.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from vla_ros.lab.faults.preparation import MIN_SPEED
from vla_ros.lab.faults.result import CASE_S, RETRY_LATE_TICKS, RETRY_STALL_S, TRIES, FaultResult, OutputResult

HEAD = f"""# Faults

Made by `vla-ros faults --docs`; do not edit.

Each fault is injected into running nodes over DDS. The arm is in the middle of a motion unless the row says otherwise.

- Seen: the states of the filter and the rules that acted.
- Ms to rest: time from the fault to the last motion of the setpoint in the log of the arm's controller
  (`vla_ros/sim/controller.py`). Its bound is computed from the parameters (`vla_ros/lab/faults/rest_bounds.py`).
- v, a: largest speed and acceleration of that setpoint, from 0.1 s before the fault on, as shares of the arm's limits
  (`vla_ros/sim/arm_description.py`). It is what a joint_trajectory_controller executes of the filter's messages. The arm's
  accelerations are twice the filter's. A step at a message that this machine delivered more than 5 ms late is not judged.
- Late: ticks of the filter that began late. A stall counts as one of them, however long it is.

A row has passed when the reaction, the final state, the time to rest and the limits are all as expected. In the last 0.1 s
before a fault in mid-motion the arm was never slower than {MIN_SPEED:g} rad/s.

The rig and the filter both ask for real-time scheduling. A case that fails while one of them did not run for
{RETRY_STALL_S * 1e3:.0f} ms or more, or while {RETRY_LATE_TICKS} ticks of the filter or more were late, is tried again,
{TRIES} times in all, and the row says so. A case whose fault is a stall, a step of the clock or a load is tried once. A case
that is not over after {CASE_S:.0f} s fails, and the next one gets a new graph.

The [oracle](oracle.md) checks every output of the filter against the limits of its configuration, tick by tick, from the
audit log. The results are below the table.
"""


def document(results: Sequence[FaultResult], outputs: Sequence[OutputResult], seconds: float) -> str:
    """Return docs/faults.md."""
    return "\n".join([HEAD, *page(results, outputs, seconds)]) + "\n"


def values(results: Sequence[FaultResult], outputs: Sequence[OutputResult], seconds: float) -> dict[str, Any]:
    """Return the results for programs. wrong: what was not as expected, of each fault."""
    return {
        "seconds": seconds,
        "faults": [
            {"name": result.case.name, "fault": result.case.fault, "wrong": result.wrong, "load": result.load}
            for result in results
        ],
        "outputs": [asdict(each) for each in outputs],
    }


def page(results: Sequence[FaultResult], outputs: Sequence[OutputResult], seconds: float) -> Iterator[str]:
    """Yield the lines of docs/faults.md below its head."""
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
        yield table_row(result)
    yield "\n## All outputs of the filter\n"
    for each in outputs:
        yield f"- {each.text()}"
    if failed:
        yield "\n## Not as expected\n"
        for result in failed:
            yield f"- `{result.case.name}`: {'; '.join(result.wrong)}"


def table_row(result: FaultResult) -> str:
    """Return one row of the table."""
    case, observed = result.case, result.observed
    rest, shares = "–", "– | – | –"
    if case.graph != "none":
        rest = "moves" if observed.rest_s != observed.rest_s else f"{observed.rest_s * 1e3:.0f}"
        shares = f"{observed.velocity:.2f} | {observed.acceleration:.2f} | {observed.late}"
    states = " → ".join(without_alternation(observed.states)) or "–"
    rules = ", ".join(dict.fromkeys(observed.rules)) or "–"
    says = next((answer for answer in observed.answers if case.expected.says and case.expected.says in answer), "")
    fault = f"`{case.name}`: {case.fault}"
    seen = f"{states}: “{says}”" if says else states
    verdict = "passed" if not result.wrong else "**failed**"
    if result.stalls:
        verdict += f" at try {len(result.stalls) + 1}: the machine {', '.join(result.stalls)}"
    cells = [fault, case.expected.text(), seen, rules, rest, shares, verdict]
    return "| " + " | ".join(cell.replace("\n", " ") for cell in cells) + " |"


def without_alternation(states: Sequence[str]) -> list[str]:
    """Return the states in order, without repeated changes between TRACKING and LIMITING, or of presses and resets."""
    kept: list[str] = []
    for state in states:
        last = {state, *kept[-2:]}
        back_and_forth = len(kept) >= 2 and last in ({"TRACKING", "LIMITING"}, {"ESTOP", "DISARMED"})
        if not back_and_forth and (not kept or kept[-1] != state):
            kept.append(state)
    return kept


def result_line(result: FaultResult) -> str:
    """Return one result for the screen; what was wrong follows on lines of its own."""
    case, observed = result.case, result.observed
    rest = "      -" if observed.rest_s != observed.rest_s else f"{observed.rest_s * 1e3:5.0f} ms"
    what = f"{'→'.join(without_alternation(observed.states)) or '-'} {', '.join(dict.fromkeys(observed.rules))}"
    if observed.estops_s:
        what += f"; {observed.answers[-1]}"
    verdict = "ok  " if not result.wrong else "FAIL"
    again = f"  (try {len(result.stalls) + 1})" if result.stalls else ""
    shares = f"v {observed.velocity:4.2f} a {observed.acceleration:4.2f}, {observed.late:3} late"
    text = f"{verdict} {case.name:<28} {rest}  {shares}  {what}{again}"
    return text + "".join(f"\n       {wrong}" for wrong in result.wrong)


def summary(results: Sequence[FaultResult], outputs: Sequence[OutputResult], seconds: float) -> str:
    """Return the last line for the screen."""
    failed = [result.case.name for result in results if result.wrong]
    failed += [f"outputs of graph {each.graph!r}" for each in outputs if each.broken]
    end = f"{len(failed)} failed: {', '.join(failed)}" if failed else "all as expected"
    return f"{len(results)} faults in {seconds:.0f} s, load average up to {max(r.load for r in results):.1f}: {end}"
