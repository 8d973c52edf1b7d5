"""A camera frame's way to the arm controller: when each node sent its message, and how long each hop took.

All times are integer ns of the publishers' system clocks, as DDS stamps each message. Across machines they are as exact as
the clocks are synchronised.
"""

from __future__ import annotations

import bisect
from collections import deque
from dataclasses import dataclass, field

from vla_ros.time import NS_PER_S, Summary, Window

HISTORY_LENGTH = 4096
"""Frames, and messages of each kind, that are kept."""
HOPS = (
    ("camera", "captured_ns", "frames_ns", "image captured → vla/frames sent: driver, transport, camera node"),
    ("plan", "frames_ns", "plan_ns", "→ vla/latent_plan sent: transport, System 2"),
    ("chunk", "plan_ns", "chunk_ns", "→ vla/action_chunk sent: waits for the next request, System 1"),
    ("setpoint", "chunk_ns", "setpoint_ns", "→ first vla/joint_command of that chunk sent"),
    ("filter", "setpoint_ns", "controller_ns", "→ next message to the arm controller sent"),
    ("camera to plan", "captured_ns", "plan_ns", "the first two"),
    ("camera to controller", "captured_ns", "controller_ns", "all of them"),
)
"""Name, attribute of FrameTrace where it begins, where it ends, meaning."""


@dataclass
class FrameTrace:
    """One frame. captured_ns: stamp of its oldest image. Other *_ns: when the message was sent; 0: not seen yet.

    plan_inference_s, chunk_inference_s: time in the model, part of the hop that ends with the plan or chunk.
    """

    captured_ns: int
    frames_ns: int = 0
    plan_ns: int = 0
    chunk_ns: int = 0
    setpoint_ns: int = 0
    controller_ns: int = 0
    plan_inference_s: float = 0.0
    chunk_inference_s: float = 0.0
    plan_id: int = 0
    chunk_id: int = 0
    seq: int = 0
    subtask: str = ""

    @property
    def complete(self) -> bool:
        """Whether it was followed to the controller."""
        return min(self.frames_ns, self.plan_ns, self.chunk_ns, self.setpoint_ns, self.controller_ns) > 0


@dataclass
class HopTracker:
    """Follows frames by the capture stamp that each message carries. Of each kind the first message counts."""

    traces: dict[int, FrameTrace] = field(default_factory=dict)
    _sent_to_filter: list[FrameTrace] = field(default_factory=list)
    _joint_states_ns: deque[int] = field(default_factory=lambda: deque(maxlen=HISTORY_LENGTH))
    _reaction_s: Window = field(default_factory=lambda: Window(HISTORY_LENGTH))

    def frames(self, captured_ns: int, sent_ns: int) -> None:
        """Record that a set of frames was sent."""
        if captured_ns and captured_ns not in self.traces:
            self.traces[captured_ns] = FrameTrace(captured_ns, sent_ns)
            if len(self.traces) > HISTORY_LENGTH:
                del self.traces[next(iter(self.traces))]

    def plan(self, captured_ns: int, sent_ns: int, plan_id: int, inference_s: float, subtask: str) -> None:
        """Record that a plan that moves the arm was sent."""
        trace = self.traces.get(captured_ns)
        if trace is not None and not trace.plan_ns:
            trace.plan_ns, trace.plan_id, trace.subtask = sent_ns, plan_id, subtask
            trace.plan_inference_s = inference_s

    def chunk(self, captured_ns: int, sent_ns: int, chunk_id: int, inference_s: float) -> None:
        """Record that a chunk was sent."""
        trace = self.traces.get(captured_ns)
        if trace is not None and trace.plan_ns and not trace.chunk_ns:
            trace.chunk_ns, trace.chunk_id, trace.chunk_inference_s = sent_ns, chunk_id, inference_s

    def setpoint(self, captured_ns: int, sent_ns: int, seq: int) -> None:
        """Record that a setpoint was sent."""
        trace = self.traces.get(captured_ns)
        if trace is not None and trace.chunk_ns and not trace.setpoint_ns and sent_ns >= trace.chunk_ns:
            trace.setpoint_ns, trace.seq = sent_ns, seq
            self._sent_to_filter.append(trace)

    def joint_state(self, sent_ns: int) -> None:
        """Record that a measured state was sent."""
        self._joint_states_ns.append(sent_ns)

    def controller(self, sent_ns: int) -> None:
        """Record that the filter sent a command to the arm controller; call in the order of sending."""
        for trace in self._sent_to_filter:
            if sent_ns >= trace.setpoint_ns:
                trace.controller_ns = sent_ns
        self._sent_to_filter = [trace for trace in self._sent_to_filter if not trace.controller_ns]
        before = bisect.bisect_right(self._joint_states_ns, sent_ns)
        if before:
            self._reaction_s.add((sent_ns - self._joint_states_ns[before - 1]) / NS_PER_S)

    def complete(self) -> list[FrameTrace]:
        """Return the frames that reached the controller, oldest first."""
        return [trace for trace in self.traces.values() if trace.complete]

    def summaries(self) -> dict[str, Summary]:
        """Return the time per hop, s, over complete frames, with the models' parts and the age of the newest joint state."""
        windows = {name: Window(HISTORY_LENGTH) for name, *_ in HOPS}
        inference = {"of it in System 2": Window(HISTORY_LENGTH), "of it in System 1": Window(HISTORY_LENGTH)}
        for trace in self.complete():
            for name, begin, end, _ in HOPS:
                windows[name].add((getattr(trace, end) - getattr(trace, begin)) / NS_PER_S)
            inference["of it in System 2"].add(trace.plan_inference_s)
            inference["of it in System 1"].add(trace.chunk_inference_s)
        windows_shown = {
            "camera": windows["camera"],
            "plan": windows["plan"],
            "of it in System 2": inference["of it in System 2"],
            "chunk": windows["chunk"],
            "of it in System 1": inference["of it in System 1"],
            "setpoint": windows["setpoint"],
            "filter": windows["filter"],
            "camera to plan": windows["camera to plan"],
            "camera to controller": windows["camera to controller"],
            "joint state to controller": self._reaction_s,
        }
        return {name: window.summary() for name, window in windows_shown.items()}

    def missing(self) -> str:
        """Return where frames got lost when none reached the controller; empty when one did."""
        if self.complete():
            return ""
        if not self.traces:
            return "no vla/frames: is the camera node running, with images?"
        for stage, reason in (
            ("plan_ns", "frames, but no plan that moves the arm: give an instruction (vla-ros say …)"),
            ("chunk_ns", "plans, but no chunk: is the filter armed, is the action expert running?"),
            ("setpoint_ns", "chunks, but no setpoint: is the filter armed?"),
        ):
            if not any(getattr(trace, stage) for trace in self.traces.values()):
                return reason
        return "setpoints, but nothing goes to the arm controller: is the filter armed?"
