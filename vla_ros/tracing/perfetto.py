"""Frame traces as a trace file for https://ui.perfetto.dev and chrome://tracing (the Trace Event Format, JSON)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vla_ros.time import NS_PER_S
from vla_ros.tracing.hops import FrameTrace
from vla_ros.tracing.reasoning import ReasoningEntry

TRACKS = ("camera", "planner", "action_expert: chunk", "action_expert: setpoint", "safety_filter", "decisions")
PROCESS = 1


def trace(frames: Sequence[FrameTrace], entries: Sequence[ReasoningEntry]) -> dict[str, Any]:
    """Return the document: a slice per hop, arrows that connect the slices of a frame, decisions as instants.

    Times in the file are µs since the first capture or decision.
    """
    starts = [frame.captured_ns for frame in frames] + [entry.time_ns for entry in entries]
    zero_ns = min(starts, default=0)
    events: list[dict[str, Any]] = [_name("process_name", 0, "vla_ros")]
    lanes = [Lanes(track) for track in range(len(TRACKS))]
    for flow, frame in enumerate(frames):
        args = {
            "captured_ns": frame.captured_ns,
            "plan_id": frame.plan_id,
            "chunk_id": frame.chunk_id,
            "seq": frame.seq,
        }
        # A model's slice covers its inference; what lies before it is waiting and transport.
        spans = (
            ("frames", frame.captured_ns, frame.frames_ns),
            (frame.subtask or "plan", frame.plan_ns - round(frame.plan_inference_s * NS_PER_S), frame.plan_ns),
            ("chunk", frame.chunk_ns - round(frame.chunk_inference_s * NS_PER_S), frame.chunk_ns),
            ("setpoint", frame.chunk_ns, frame.setpoint_ns),
            ("controller", frame.setpoint_ns, frame.controller_ns),
        )
        for track, (name, begin_ns, end_ns) in enumerate(spans):
            at = {"pid": PROCESS, "tid": lanes[track].free(begin_ns, end_ns), "ts": (begin_ns - zero_ns) / 1e3}
            events.append({**at, "name": name, "ph": "X", "dur": max(0, end_ns - begin_ns) / 1e3, "args": args})
            step = "s" if track == 0 else "f" if track == len(spans) - 1 else "t"
            events.append({**at, "name": "frame", "cat": "frame", "ph": step, "id": flow, "bp": "e"})
        total_ms = (frame.controller_ns - frame.captured_ns) / 1e6
        events.append(
            {
                "name": "camera to controller, ms",
                "ph": "C",
                "pid": PROCESS,
                "tid": 0,
                "ts": (frame.controller_ns - zero_ns) / 1e3,
                "args": {"ms": total_ms},
            }
        )
    for entry in entries:
        values = {key: value for key, value in entry.values.items() if value not in ("", None)}
        where = {"pid": PROCESS, "tid": len(TRACKS) - 1, "ts": (entry.time_ns - zero_ns) / 1e3}
        events.append({**where, "name": f"{entry.kind}: {entry.title()}", "ph": "i", "s": "p", "args": values})
    events += [
        _name("thread_name", lanes[track].tid(lane), name if lane == 0 else f"{name} ({lane + 1})")
        for track, name in enumerate(TRACKS)
        for lane in range(max(1, len(lanes[track].ends_ns)))
    ]
    return {"displayTimeUnit": "ms", "traceEvents": events}


class Lanes:
    """Rows of one track: slices of one row must not overlap, and several frames are on their way at once."""

    def __init__(self, track: int) -> None:
        self._track = track
        self.ends_ns: list[int] = []

    def tid(self, lane: int) -> int:
        """Return the thread number of a row."""
        return self._track + len(TRACKS) * lane

    def free(self, begin_ns: int, end_ns: int) -> int:
        """Return the thread number of the first row that is free from `begin_ns` on, and occupy it until `end_ns`."""
        lane = next((i for i, busy_ns in enumerate(self.ends_ns) if busy_ns <= begin_ns), len(self.ends_ns))
        self.ends_ns[lane:] = [max(begin_ns, end_ns), *self.ends_ns[lane + 1 :]]
        return self.tid(lane)


def _name(kind: str, track: int, name: str) -> dict[str, Any]:
    return {"name": kind, "ph": "M", "pid": PROCESS, "tid": track, "args": {"name": name}}
