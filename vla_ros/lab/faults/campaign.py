"""Runs cases one after another, graph by graph, and judges each."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vla_ros.lab.faults.case import MOVING, PROTECTIVE, Case, Seen, failures
from vla_ros.lab.faults.controller_log import BEFORE_S
from vla_ros.lab.faults.graphs import AUDIT, GRAPHS, REMOVED
from vla_ros.lab.faults.machine import START_S
from vla_ros.lab.faults.rig import Rig
from vla_ros.lab.faults.stream import FULL_SPEED_S
from vla_ros.oracle import NothingSent, OracleReport, UnreadableRecording, judge_log

LATCHED = ("PROTECTIVE_STOP", "ESTOP")
SETTLED_S = 0.25
WATCHED_S = 0.4
"""How long it is watched beyond the bound, or when there is none."""
FAST = 0.25
"""rad/s: a quarter of the swing's full speed. An arm that is slower shows nothing of a stop."""
PREPARED = 3
"""Tries to bring the arm where a case begins."""


STALL_S = 0.04
"""A case that fails while the rig or the filter stood still for so long says nothing of the filter; it is tried again. Not so
a case that itself makes them stand still: see `Case.stalls`."""
WRITTEN_S = 2.0
"""After its filter has ended, a log is whole."""
TRIES = 5
RESPITE_S = 3.0
"""Before another try: stalls come in crowds."""


class Broken(RuntimeError):
    """The case could not be carried out; the text says why."""


@dataclass(frozen=True)
class Result:
    """A case, what was seen, what was wrong with it (empty: nothing), and the load average of the last minute.

    stalls: s that the rig or the filter stood still in each try before this one.
    """

    case: Case
    seen: Seen
    wrong: list[str]
    load: float
    stalls: tuple[float, ...] = ()


@dataclass(frozen=True)
class Sent:
    """What the oracle says of all that the filter of a graph sent, by its audit log.

    samples: outputs. worst: quantity → largest share of its limit. broken: what is past a limit; empty: nothing is.
    """

    graph: str
    samples: int
    worst: dict[str, float]
    broken: list[str]

    def text(self) -> str:
        """One line."""
        shares = ", ".join(f"{quantity} {share:.9f}" for quantity, share in self.worst.items())
        verdict = "; ".join(self.broken) or "within every limit"
        return f"graph {self.graph!r}: {self.samples} outputs; largest shares: {shares}; {verdict}"


def run(cases: Iterable[Case], say: Callable[[str], None]) -> tuple[list[Result], list[Sent]]:
    """Run the cases. say: gets a line as soon as each is judged."""
    from vla_ros.lab.faults.graph_rig import started

    results: list[Result] = []
    sent: list[Sent] = []
    for graph in GRAPHS:
        chosen = [case for case in cases if case.graph == graph]
        if not chosen:
            continue
        with tempfile.TemporaryDirectory(prefix="vla_ros_faults_") as folder:
            with started(graph, Path(folder)) as rig:
                for case in chosen:
                    result = carry_out(rig, case)
                    results.append(result)
                    say(line(result))
            if graph != "none":
                sent.append(judged(graph, Path(folder)))
                say(sent[-1].text())
    return results, sent


def judged(graph: str, folder: Path) -> Sent:
    """Have the oracle, which shares no code with the filter, judge what the filter sent."""
    time.sleep(WRITTEN_S)
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
    return Sent(graph, sum(report.samples for report in reports), worst, broken)


def carry_out(rig: Rig, case: Case) -> Result:
    """One case, from the start that it asks for to the judgement; again where the machine got in the way."""
    stalls: tuple[float, ...] = ()
    while True:
        result = replace(carry_out_once(rig, case), stalls=stalls)
        if not result.wrong or case.stalls or rig.stall_s < STALL_S or len(stalls) + 1 == TRIES:
            return result
        stalls += (rig.stall_s,)
        rig.play(RESPITE_S)


def carry_out_once(rig: Rig, case: Case) -> Result:
    """One try of a case."""
    problem = ""
    rig.stall_s = 0.0
    rig.begin()
    try:
        prepare(rig, case)
        rig.stall_s = 0.0
        case.inject(rig)
        watch(rig, case)
    except (Broken, OSError) as error:
        problem = f"broken off: {error}"
    seen = rig.judged()
    if still(case, seen):  # a case may put off its mark
        problem = problem or f"the arm did not move when the fault came: {seen.speed:.3f} rad/s"
    seen.problem = problem or seen.problem
    return Result(case, seen, failures(case.expected, seen), os.getloadavg()[0])


def still(case: Case, seen: Seen) -> bool:
    """Whether the arm does not move at the mark, though the case asks for it."""
    return case.graph != "none" and case.start == "moving" and not seen.speed >= FAST


def watch(rig: Rig, case: Case) -> None:
    """Let it run until it is settled as expected, or well beyond the bound."""
    expected = case.expected
    if case.graph == "none":
        return
    bound_s = 0.0 if expected.rest_s != expected.rest_s else expected.rest_s
    since_s: list[float] = []

    def settled() -> bool:
        if expected.goes_on or rig.state == "-" or rig.state not in expected.ends or rig.speed > 0.0:
            since_s.clear()
            return False
        since_s.append(time.monotonic())
        return since_s[-1] - since_s[0] > SETTLED_S

    rig.play(bound_s + WATCHED_S, settled)


def prepare(rig: Rig, case: Case) -> None:
    """Put everything right, and the arm where the case begins, and mark that moment; again where it does not come there.

    Raises:
        Broken: it never does.
    """
    for _ in range(PREPARED - 1):
        with contextlib.suppress(Broken):
            prepare_once(rig, case)
            return
    prepare_once(rig, case)


def prepare_once(rig: Rig, case: Case) -> None:
    """One try of it.

    Raises:
        Broken: the arm does not come there, or does not move.
    """
    if case.graph == "none":
        return
    if case.graph == "whole":
        prepare_task(rig)
    else:
        restore(rig)
        if case.start != "disarmed":
            arm(rig)
        if case.start == "moving":
            rig.move()
            rig.play(FULL_SPEED_S)
    seen = rig.begin()
    rig.mark()
    if still(case, seen) or (case.start == "moving" and rig.state not in MOVING):
        raise Broken(f"the arm does not move: {seen.speed:.3f} rad/s, {rig.state} {rig.rule}")


def arm(rig: Rig) -> None:
    """Arm; the filter may need a moment to hear everything.

    Raises:
        Broken: it refuses for too long.
    """
    end_s = time.monotonic() + 10.0
    while True:
        done, why = rig.call("arm")
        if done:
            return
        if time.monotonic() > end_s:
            raise Broken(why)
        rig.play(0.1)


def restore(rig: Rig) -> None:
    """No fault any more, the arm at home, the filter disarmed.

    Raises:
        Broken: it cannot be brought there.
    """
    rig.alter = rig.relay = None
    rig.policy = False
    rig.beats = rig.held = True
    rig.obstacles = ()
    rig.override(None)
    rig.extra_publishers(0, False)
    rig.flood(0)
    rig.hog(0)
    if rig.state == "-":
        rig.restart("safety_filter")
    if not rig.play(START_S, lambda: bool(rig.state)):
        raise Broken(f"the filter says nothing; {'; '.join(rig.lines[-2:])}")
    if rig.graph == "raising":
        rig.raise_in("")
    rig.press(False)
    rig.play(3.0, lambda: rig.speed == 0.0 and rig.state in ("HOLDING", "DISARMED", *LATCHED))
    disarm(rig)
    rig.scale(1.0)
    rig.home()
    rig.play(0.2)


def disarm(rig: Rig) -> None:
    """Reset what is latched, disarm what is not.

    Raises:
        Broken: refused for too long.
    """
    end_s = time.monotonic() + 5.0
    why = ""
    while rig.state != "DISARMED":
        _, why = rig.call("reset" if rig.state in LATCHED else "disarm")
        rig.play(0.1, lambda: rig.state == "DISARMED")
        if time.monotonic() > end_s:
            raise Broken(f"not disarmed: {why}")


def prepare_task(rig: Rig) -> None:
    """The whole graph, in the middle of a task.

    Raises:
        Broken: it does not get there.
    """
    rig.image = ""
    rig.forget()
    if not rig.play(90.0, rig.awake):
        raise Broken("planner, action_expert or camera is not active")
    rig.say("")
    rig.play(5.0, lambda: rig.speed == 0.0 and rig.state in ("HOLDING", "DISARMED", *PROTECTIVE))
    disarm(rig)
    rig.home()
    rig.play(1.2)  # until the planner has frames of the new scene
    arm(rig)
    rig.say("put the red cube in the bowl")
    if not rig.play(40.0, lambda: rig.speed > 0.4):
        raise Broken("the task did not begin")
    rig.play(BEFORE_S)


def line(result: Result) -> str:
    """For the screen."""
    case, seen = result.case, result.seen
    rest = "      -" if seen.rest_s != seen.rest_s else f"{seen.rest_s * 1e3:5.0f} ms"
    what = f"{'→'.join(seen.states) or '-'} {', '.join(dict.fromkeys(seen.rules))}"
    verdict = "ok  " if not result.wrong else "FAIL"
    again = f"  (try {len(result.stalls) + 1})" if result.stalls else ""
    shares = f"v {seen.velocity:4.2f} a {seen.acceleration:4.2f}, {seen.late:3} late"
    text = f"{verdict} {case.name:<28} {rest}  {shares}  {what}{again}"
    return text + "".join(f"\n       {wrong}" for wrong in result.wrong)


def summary(results: Sequence[Result], sent: Sequence[Sent], seconds: float) -> str:
    """The last line."""
    failed = [result.case.name for result in results if result.wrong]
    failed += [f"outputs of graph {each.graph!r}" for each in sent if each.broken]
    end = f"{len(failed)} failed: {', '.join(failed)}" if failed else "all as expected"
    return f"{len(results)} faults in {seconds:.0f} s, load average up to {max(r.load for r in results):.1f}: {end}"
