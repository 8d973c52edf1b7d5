"""Faults of stamps, sequence and clocks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.cases.setpoints import alter
from vla_ros.lab.faults.reaction import MOVING, PROTECTIVE, RESTING, ExpectedReaction
from vla_ros.lab.faults.rest_bounds import RestBounds
from vla_ros.lab.faults.rig import FaultRig
from vla_ros.lab.faults.rig_messages import RigSetpoint
from vla_ros.time import NS_PER_S


def repeat_message(rig: FaultRig) -> None:
    """Send the same message again and again."""
    first: list[RigSetpoint] = []

    def altered(correct: RigSetpoint, _: float) -> Sequence[RigSetpoint]:
        first.append(correct)
        return (first[0],)

    rig.alter_setpoint = altered


def step_clock(seconds: float, watched_s: float) -> Callable[[FaultRig], None]:
    """Step the clock of all processes."""

    def inject(rig: FaultRig) -> None:
        rig.step_clock(seconds)
        rig.run_for(watched_s)

    return inject


def pause_filter_briefly(rig: FaultRig) -> None:
    """Stop the filter for ten periods, four times."""
    for _ in range(4):
        rig.pause("safety_filter", 0.04)
        rig.run_for(0.3)
    rig.record_diagnostics("late_ticks", "skipped_ticks")


def pause_filter(rig: FaultRig) -> None:
    """Stop the filter for longer than the controller's timeout and shorter than the timeout of the e-stop's heartbeat."""
    rig.pause("safety_filter", 0.4)
    rig.run_for(1.0)


def cases(bounds: RestBounds) -> Iterator[FaultCase]:
    """Yield the cases of this file."""

    def stops(*rules: str) -> ExpectedReaction:
        return ExpectedReaction(rules, rest_s=bounds.without_setpoints)

    def shifted(shift_ns: Callable[[float], int]) -> Callable[[FaultRig], None]:
        return alter(lambda correct, s: dataclasses.replace(correct, stamp_ns=correct.stamp_ns + shift_ns(s)))

    goes_on = ExpectedReaction(ends=MOVING, goes_on=True)
    yield FaultCase("replayed", "the same message again and again", stops("sequence"), repeat_message)
    yield FaultCase(
        "out-of-order",
        "stamps go back by 5 ms from setpoint to setpoint",
        stops("sequence", "freshness"),
        shifted(lambda s: -round(1.5 * s * NS_PER_S) - NS_PER_S // 50),
    )
    yield FaultCase(
        "future-stamp",
        "stamps 1 s ahead",
        stops("freshness"),
        shifted(lambda _: NS_PER_S),
    )
    yield FaultCase(
        "old-stamp",
        "stamps 1 s old",
        stops("freshness"),
        shifted(lambda _: -NS_PER_S),
    )
    no_stamp = alter(lambda correct, _: dataclasses.replace(correct, stamp_ns=0))
    yield FaultCase("zero-stamp", "no stamp", stops("freshness"), no_stamp)
    yield FaultCase(
        "mixed-clocks",
        "stamps of a simulated clock, the filter on the wall clock",
        stops("freshness"),
        alter(lambda correct, s: dataclasses.replace(correct, stamp_ns=12 * NS_PER_S + round(s * NS_PER_S))),
    )
    yield FaultCase(
        "late-ticks", "the filter is stopped for 40 ms, four times", goes_on, pause_filter_briefly, stalls=True
    )
    yield FaultCase(
        "filter-stalled",
        "the filter is stopped for 0.4 s",
        ExpectedReaction(("velocity_limit", "acceleration_limit", "jerk_limit"), (*MOVING, *RESTING)),
        pause_filter,
        stalls=True,
    )
    # Joint states are refused until their clock has run again; a fast arm is too far from the newest one by then.
    yield FaultCase(
        "clock-forward",
        "the clock of all processes steps forward by 5 s",
        ExpectedReaction(("entry",), (*MOVING, *RESTING, *PROTECTIVE)),
        step_clock(5.0, 1.5),
        "clock",
        stalls=True,
    )
    # A trajectory that is taken up after its clock was set back begins in 5 s: the controller stands until then.
    yield FaultCase(
        "clock-back",
        "the clock of all processes steps back by 5 s",
        ExpectedReaction(("sequence", "entry"), (*MOVING, *RESTING, *PROTECTIVE), limits=False),
        step_clock(-5.0, 1.5),
        "clock",
        stalls=True,
    )
