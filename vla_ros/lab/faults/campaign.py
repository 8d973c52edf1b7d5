"""Runs cases one after another, graph by graph, and compares each reaction with the expected one."""

from __future__ import annotations

import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import SubprocessError

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.deadline import CaseOverdue, deadline
from vla_ros.lab.faults.graphs import AUDIT, GRAPHS, REMOVED
from vla_ros.lab.faults.preparation import prepare, too_slow
from vla_ros.lab.faults.reaction import NO_FILTER, ObservedReaction, differences
from vla_ros.lab.faults.report import result_line
from vla_ros.lab.faults.result import CASE_S, RETRY_LATE_TICKS, RETRY_STALL_S, TRIES, FaultResult, OutputResult
from vla_ros.lab.faults.rig import CaseAborted, FaultRig
from vla_ros.oracle import NothingSent, OracleReport, UnreadableRecording, judge_log

SETTLED_S = 0.25
"""The end is reached when the arm has been at rest in an expected state for this time."""
EXTRA_S = 0.4
"""The case runs so long beyond its bound, or where it has none."""
LOG_CLOSED_S = 2.0
"""So long after its filter has ended, the audit log is complete."""
RETRY_PAUSE_S = 3.0
"""Before another try: stalls of the machine often follow each other."""


def run(
    cases: Iterable[FaultCase], print_line: Callable[[str], None], on_result: Callable[[], None] = lambda: None
) -> tuple[list[FaultResult], list[OutputResult]]:
    """Run the cases, in the main thread.

    Args:
        print_line: receives one line for each result. on_result: called after each case.
    """
    results: list[FaultResult] = []
    outputs: list[OutputResult] = []

    def take(result: FaultResult) -> None:
        results.append(result)
        on_result()
        print_line(result_line(result))

    for graph in GRAPHS:
        chosen = [case for case in cases if case.graph == graph]
        if not chosen:
            continue
        with tempfile.TemporaryDirectory(prefix="vla_ros_faults_") as folder:
            run_graph(graph, Path(folder), chosen, take)
            if graph != "none":
                outputs.append(check_outputs(graph, Path(folder)))
                print_line(outputs[-1].text())
    return results, outputs


def run_graph(graph: str, folder: Path, cases: Sequence[FaultCase], take: Callable[[FaultResult], None]) -> None:
    """Start a graph and run its cases; after a case that was overdue the others get a new graph."""
    from vla_ros.lab.faults.graph_rig import started

    waiting = deque(cases)
    while waiting:
        with started(graph, folder) as rig:
            overdue = False
            while waiting and not overdue:
                result = run_case(rig, waiting.popleft())
                take(result)
                overdue = result.overdue


def check_outputs(graph: str, folder: Path) -> OutputResult:
    """Let the oracle, which shares no code with the filter, check every output in the audit logs."""
    time.sleep(LOG_CLOSED_S)
    reports: list[OracleReport] = []
    broken: list[str] = []
    for log in (*sorted(folder.glob(f"{REMOVED}*")), folder / AUDIT):
        try:
            reports += judge_log(log)
        except NothingSent:
            continue  # none of the cases was to move the arm
        except UnreadableRecording as error:
            broken.append(str(error))
    findings = [finding for report in reports for finding in report.findings]
    worst = {
        quantity: max((abs(each.value / each.limit) for each in findings if each.quantity == quantity), default=0.0)
        for quantity in ("velocity", "acceleration", "jerk")
    }
    broken += [
        f"{each.quantity} of {each.who} {each.value:.6g}, limit {each.limit:.6g}" for each in findings if each.broken
    ] + [f"{fault.what}: {fault.joint}" for report in reports for fault in report.faults]
    return OutputResult(graph, sum(report.samples for report in reports), worst, broken)


def run_case(rig: FaultRig, case: FaultCase) -> FaultResult:
    """Run one case; run it again where it failed while the machine stalled. It fails when it is not over after CASE_S."""
    try:
        with deadline(CASE_S):
            return _run_tries(rig, case)
    except CaseOverdue as error:
        return FaultResult(
            case,
            ObservedReaction(problem=str(error)),
            [f"{error}; the next case gets a new graph"],
            os.getloadavg()[0],
            overdue=True,
        )


def _run_tries(rig: FaultRig, case: FaultCase) -> FaultResult:
    stalls: tuple[str, ...] = ()
    while True:
        result = replace(run_case_once(rig, case), stalls=stalls)
        stall = _stall(rig, result)
        if not result.wrong or case.stalls or not stall or len(stalls) + 1 == TRIES:
            return result
        stalls += (stall,)
        rig.run_for(RETRY_PAUSE_S)


def _stall(rig: FaultRig, result: FaultResult) -> str:
    """Return what the machine did to a case, in words; empty: nothing that matters."""
    if rig.longest_stall_s >= RETRY_STALL_S:
        return f"stood still for {rig.longest_stall_s * 1e3:.0f} ms"
    if result.observed.late >= RETRY_LATE_TICKS:
        return f"delayed {result.observed.late} ticks"
    return ""


def run_case_once(rig: FaultRig, case: FaultCase) -> FaultResult:
    """Prepare the arm, inject the fault, observe the reaction and compare it."""
    problem = ""
    rig.longest_stall_s = 0.0
    rig.begin_case()
    try:
        prepare(rig, case)
        rig.longest_stall_s = 0.0
        case.inject(rig)
        run_to_end(rig, case)
    except (CaseAborted, OSError, SubprocessError) as error:
        problem = f"aborted: {error}"
    observed = rig.observe()
    if too_slow(case, observed):  # a case may set its mark again later
        problem = problem or f"the arm did not move when the fault came: {observed.speed:.3f} rad/s"
    observed.problem = problem or observed.problem
    return FaultResult(case, observed, differences(case.expected, observed), os.getloadavg()[0])


def run_to_end(rig: FaultRig, case: FaultCase) -> None:
    """Let the graph run until it has settled as expected, or well beyond the bound."""
    expected = case.expected
    if case.graph == "none":
        return
    bound_s = 0.0 if expected.rest_s != expected.rest_s else expected.rest_s
    at_rest_s: list[float] = []

    def settled() -> bool:
        if expected.goes_on or rig.state == NO_FILTER or rig.state not in expected.ends or rig.speed > 0.0:
            at_rest_s.clear()
            return False
        at_rest_s.append(time.monotonic())
        return at_rest_s[-1] - at_rest_s[0] > SETTLED_S

    rig.run_for(bound_s + EXTRA_S, settled)
