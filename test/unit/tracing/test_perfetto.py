"""The trace file holds every frame and decision in the form that its viewers read."""

from __future__ import annotations

import json

from vla_ros.tracing import perfetto
from vla_ros.tracing.hops import HopTracker
from vla_ros.tracing.reasoning import Reasoning


def test_the_trace_file_holds_every_frame_and_decision() -> None:
    hops, reasoning = HopTracker(), Reasoning()
    zero = 1_700_000_000_000_000_000
    for i in range(3):
        captured = zero + i * 100_000_000
        hops.frames(captured, captured + 10_000_000)
        hops.plan(captured, captured + 30_000_000, i, 0.005, "grasp")
        hops.chunk(captured, captured + 50_000_000, i, 0.008)
        hops.setpoint(captured, captured + 60_000_000, i)
        hops.controller(captured + 62_000_000)
    reasoning.instruction(zero, "put it there", 1)
    document = json.loads(json.dumps(perfetto.trace(hops.complete(), reasoning.entries), allow_nan=False))
    events = document["traceEvents"]
    slices = [event for event in events if event["ph"] == "X"]
    assert len(slices) == 3 * 5
    assert all(event["ts"] >= 0 and event["dur"] >= 0 for event in slices)
    by_track = {event["tid"]: event for event in slices if event["args"]["plan_id"] == 2}
    assert (by_track[1]["ts"], by_track[1]["dur"]) == (225_000, 5_000)
    assert (by_track[4]["ts"], by_track[4]["dur"]) == (260_000, 2_000)
    tracks = {event["tid"] for event in events if event["ph"] == "M" and event["name"] == "thread_name"}
    assert {event["tid"] for event in slices} < tracks
    for flow in range(3):
        assert [event["ph"] for event in events if event.get("id") == flow] == ["s", "t", "t", "t", "f"]
    assert [event["name"] for event in events if event["ph"] == "i"] == ["instruction: put it there"]
    assert [event["args"]["ms"] for event in events if event["ph"] == "C"] == [62.0] * 3


def test_an_empty_trace_is_a_trace() -> None:
    assert all(event["ph"] == "M" for event in perfetto.trace([], [])["traceEvents"])


def test_slices_that_overlap_have_rows_of_their_own() -> None:
    lanes = perfetto.Lanes(1)
    rows = [lanes.free(begin, end) for begin, end in ((0, 10), (5, 8), (8, 20), (10, 12), (11, 30), (40, 41))]
    more = len(perfetto.TRACKS)
    assert rows == [1, 1 + more, 1 + more, 1, 1 + 2 * more, 1]
