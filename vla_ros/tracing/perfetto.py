"""Journeys as a trace file for https://ui.perfetto.dev and chrome://tracing (the Trace Event Format, JSON)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vla_ros.tracing.hops import Journey
from vla_ros.tracing.reasoning import Entry

TRACKS = ("camera", "planner", "action_expert: chunk", "action_expert: setpoint", "safety_filter", "decisions")
PROCESS = 1


def trace(journeys: Sequence[Journey], entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the document: a slice per hop, arrows that tie the slices of a frame, decisions as instants.

    Times in the file are µs since the first capture.
    """
    starts = [journey.captured_ns for journey in journeys] + [entry.time_ns for entry in entries]
    zero_ns = min(starts, default=0)
    events: list[dict[str, Any]] = [_name("process_name", 0, "vla_ros")]
    lanes = [Lanes(track) for track in range(len(TRACKS))]
    for flow, journey in enumerate(journeys):
        args = {
            "captured_ns": journey.captured_ns,
            "plan_id": journey.plan_id,
            "chunk_id": journey.chunk_id,
            "seq": journey.seq,
        }
        # A model's slice covers its inference; what lies before it is waiting and transport.
        spans = (
            ("frames", journey.captured_ns, journey.frames_ns),
            (journey.subtask or "plan", journey.plan_ns - round(journey.plan_inference_s * 1e9), journey.plan_ns),
            ("chunk", journey.chunk_ns - round(journey.chunk_inference_s * 1e9), journey.chunk_ns),
            ("setpoint", journey.chunk_ns, journey.setpoint_ns),
            ("controller", journey.setpoint_ns, journey.controller_ns),
        )
        for track, (name, begin_ns, end_ns) in enumerate(spans):
            at = {"pid": PROCESS, "tid": lanes[track].free(begin_ns, end_ns), "ts": (begin_ns - zero_ns) / 1e3}
            events.append({**at, "name": name, "ph": "X", "dur": max(0, end_ns - begin_ns) / 1e3, "args": args})
            step = "s" if track == 0 else "f" if track == len(spans) - 1 else "t"
            events.append({**at, "name": "frame", "cat": "frame", "ph": step, "id": flow, "bp": "e"})
        total_ms = (journey.controller_ns - journey.captured_ns) / 1e6
        events.append(
            {
                "name": "camera to controller, ms",
                "ph": "C",
                "pid": PROCESS,
                "tid": 0,
                "ts": (journey.controller_ns - zero_ns) / 1e3,
                "args": {"ms": total_ms},
            }
        )
    for entry in entries:
        said = {key: value for key, value in entry.said.items() if value not in ("", None)}
        where = {"pid": PROCESS, "tid": len(TRACKS) - 1, "ts": (entry.time_ns - zero_ns) / 1e3}
        events.append({**where, "name": f"{entry.kind}: {entry.title()}", "ph": "i", "s": "p", "args": said})
    events += [
        _name("thread_name", lanes[track].tid(lane), name if lane == 0 else f"{name} ({lane + 1})")
        for track, name in enumerate(TRACKS)
        for lane in range(max(1, len(lanes[track].ends_ns)))
    ]
    return {"displayTimeUnit": "ms", "traceEvents": events}


class Lanes:
    """Rows of one track: slices on a row must not overlap, and frames are on their way side by side."""

    def __init__(self, track: int) -> None:
        self._track = track
        self.ends_ns: list[int] = []

    def tid(self, lane: int) -> int:
        """The number of a row."""
        return self._track + len(TRACKS) * lane

    def free(self, begin_ns: int, end_ns: int) -> int:
        """The first row that is free from `begin_ns` on, taken until `end_ns`."""
        lane = next((i for i, busy_ns in enumerate(self.ends_ns) if busy_ns <= begin_ns), len(self.ends_ns))
        self.ends_ns[lane:] = [max(begin_ns, end_ns), *self.ends_ns[lane + 1 :]]
        return self.tid(lane)


def _name(kind: str, track: int, name: str) -> dict[str, Any]:
    return {"name": kind, "ph": "M", "pid": PROCESS, "tid": track, "args": {"name": name}}
