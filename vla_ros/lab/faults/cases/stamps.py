"""Faults of stamps, sequence and clocks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from vla_ros.lab.faults.case import MOVING, RESTING, Case, Expected
from vla_ros.lab.faults.cases.setpoints import altered
from vla_ros.lab.faults.rig import Rig
from vla_ros.lab.faults.stream import Setpoint
from vla_ros.lab.faults.times import Times

NS = 1_000_000_000


def replayed(rig: Rig) -> None:
    """One message again and again."""
    first: list[Setpoint] = []

    def alter(right: Setpoint, _: float) -> Sequence[Setpoint]:
        first.append(right)
        return (first[0],)

    rig.alter = alter


def stepped(seconds: float, watched_s: float) -> Callable[[Rig], None]:
    """Step the clock that everybody has."""

    def inject(rig: Rig) -> None:
        rig.step_clock(seconds)
        rig.play(watched_s)

    return inject


def stalled(rig: Rig) -> None:
    """Ten periods without a tick, several times."""
    for _ in range(4):
        rig.stall("safety_filter", 0.04)
        rig.play(0.3)
    rig.note_diagnostics("late_ticks", "skipped_ticks")


def gone(rig: Rig) -> None:
    """No ticks for so long that the arm's controller stops the arm; not so long that the heartbeat counts as silent."""
    rig.stall("safety_filter", 0.4)
    rig.play(1.0)


def cases(t: Times) -> Iterator[Case]:
    """The cases of this file."""
    fresh, on = Expected(("freshness",), rest_s=t.refused), Expected(ends=MOVING, goes_on=True)
    late = Expected(("sequence", "freshness"), rest_s=t.refused)
    yield Case("replayed", "the same message again and again", Expected(("sequence",), rest_s=t.refused), replayed)
    yield Case(
        "out-of-order",
        "stamps go back by 5 ms from setpoint to setpoint",
        late,
        altered(lambda right, s: dataclasses.replace(right, stamp_ns=right.stamp_ns - round(1.5 * s * NS) - NS // 50)),
    )
    yield Case(
        "future-stamp",
        "stamps 1 s ahead",
        fresh,
        altered(lambda right, _: dataclasses.replace(right, stamp_ns=right.stamp_ns + NS)),
    )
    yield Case(
        "old-stamp",
        "stamps 1 s old",
        fresh,
        altered(lambda right, _: dataclasses.replace(right, stamp_ns=right.stamp_ns - NS)),
    )
    yield Case("zero-stamp", "no stamp", fresh, altered(lambda right, _: dataclasses.replace(right, stamp_ns=0)))
    yield Case(
        "mixed-clocks",
        "stamps of a simulated clock, the filter on the wall clock",
        fresh,
        altered(lambda right, s: dataclasses.replace(right, stamp_ns=12 * NS + round(s * NS))),
    )
    yield Case("late-ticks", "the filter is stopped for 40 ms, four times", on, stalled, stalls=True)
    yield Case(
        "filter-stalled",
        "the filter is stopped for 0.4 s",
        Expected(("open_loop",), (*MOVING, *RESTING)),
        gone,
        stalls=True,
    )
    forward = stepped(5.0, 1.5)
    yield Case("clock-forward", "the clock of all steps forward by 5 s", on, forward, "clock", stalls=True)
    yield Case(
        "clock-back",
        "the clock of all steps back by 5 s",
        Expected(("sequence", "open_loop"), MOVING, goes_on=True),
        stepped(-5.0, 1.5),
        "clock",
        stalls=True,
    )
