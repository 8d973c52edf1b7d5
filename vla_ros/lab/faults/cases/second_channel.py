"""Faults of the second channel: it is killed, stands still, or holds other limits."""

from __future__ import annotations

from collections.abc import Iterator

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.graphs import MONITOR_TIMEOUT_S
from vla_ros.lab.faults.reaction import DISARMED, MOVING, ExpectedReaction
from vla_ros.lab.faults.rest_bounds import RestBounds
from vla_ros.lab.faults.rig import FaultRig

NAME = "safety_monitor"
STARTS_WITHIN_S = 120.0
"""On a busy machine."""
TRY_S = 0.5
STOPPED_S = 3.0


def kill(rig: FaultRig) -> None:
    """Kill it; it is started again a second later."""
    rig.kill(NAME)


def pause(rig: FaultRig) -> None:
    """Let it stand still for much longer than the filter waits for it."""
    rig.pause(NAME, STOPPED_S)


def change_limits(rig: FaultRig) -> None:
    """Start it with another margin of the table, and try to arm; then as it was."""
    rig.restart_with(NAME, {"table.margin_m": 0.03})
    rig.run_for(MONITOR_TIMEOUT_S + TRY_S)  # what the one before has said counts so long: it would be armed
    for _ in range(round(STARTS_WITHIN_S / TRY_S)):
        rig.run_for(TRY_S)
        if "other limits" in rig.call_filter("arm")[1]:
            break
    rig.restart_with(NAME, {})


def cases(bounds: RestBounds) -> Iterator[FaultCase]:
    """Yield the cases of this file."""
    yield FaultCase(
        "monitor-killed",
        "safety_monitor killed",
        ExpectedReaction((NAME,), rest_s=bounds.at_once + MONITOR_TIMEOUT_S),
        kill,
        "raising",
    )
    yield FaultCase(
        "monitor-stopped",
        f"safety_monitor is stopped for {STOPPED_S:g} s",
        ExpectedReaction((NAME,), MOVING, goes_on=True),
        pause,
        "raising",
        stalls=True,
    )
    yield FaultCase(
        "monitor-limits",
        "safety_monitor with another margin of the table",
        ExpectedReaction((), DISARMED, says="table.margin_m: 0.03"),
        change_limits,
        "raising",
        start="disarmed",
    )
