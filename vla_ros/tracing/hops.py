"""A camera frame on its way to the arm controller: who had it when, and where the time went.

All times are integer ns of the system clock (the publisher's, as DDS stamps each message); across machines they are as
good as the clocks agree.
"""

from __future__ import annotations

import bisect
from collections import deque
from dataclasses import dataclass, field

from vla_ros.time import Summary, Window

KEPT = 4096
"""Frames, and messages of each kind, that are remembered."""
HOPS = (
    ("camera", "captured_ns", "frames_ns", "image captured → vla/frames sent: driver, transport, camera node"),
    ("plan", "frames_ns", "plan_ns", "→ vla/latent_plan sent: transport, System 2"),
    ("chunk", "plan_ns", "chunk_ns", "→ vla/action_chunk sent: waits for the next request, System 1"),
    ("setpoint", "chunk_ns", "setpoint_ns", "→ first vla/joint_command of that chunk sent"),
    ("filter", "setpoint_ns", "controller_ns", "→ next message to the arm controller sent"),
    ("camera to plan", "captured_ns", "plan_ns", "the first two"),
    ("camera to controller", "captured_ns", "controller_ns", "all of them"),
)
"""Name, from, to, what it holds."""


@dataclass
class Journey:
    """One frame. captured_ns: stamp of its oldest image. Others: when the message was sent; 0: not seen (yet).

    plan_inference_s, chunk_inference_s: of the hop before, the time spent in the model.
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
        """Whether it was followed all the way."""
        return min(self.frames_ns, self.plan_ns, self.chunk_ns, self.setpoint_ns, self.controller_ns) > 0


@dataclass
class Hops:
    """Follows frames by the capture stamp that each message carries. The first message of each kind counts."""

    journeys: dict[int, Journey] = field(default_factory=dict)
    _waiting: list[Journey] = field(default_factory=list)
    _joint_states_ns: deque[int] = field(default_factory=lambda: deque(maxlen=KEPT))
    _reaction_s: Window = field(default_factory=lambda: Window(KEPT))

    def frames(self, captured_ns: int, sent_ns: int) -> None:
        """A set of frames was sent."""
        if captured_ns and captured_ns not in self.journeys:
            self.journeys[captured_ns] = Journey(captured_ns, sent_ns)
            if len(self.journeys) > KEPT:
                del self.journeys[next(iter(self.journeys))]

    def plan(self, captured_ns: int, sent_ns: int, plan_id: int, inference_s: float, subtask: str) -> None:
        """A plan that moves the arm was sent."""
        journey = self.journeys.get(captured_ns)
        if journey is not None and not journey.plan_ns:
            journey.plan_ns, journey.plan_id, journey.subtask = sent_ns, plan_id, subtask
            journey.plan_inference_s = inference_s

    def chunk(self, captured_ns: int, sent_ns: int, chunk_id: int, inference_s: float) -> None:
        """A chunk was sent."""
        journey = self.journeys.get(captured_ns)
        if journey is not None and journey.plan_ns and not journey.chunk_ns:
            journey.chunk_ns, journey.chunk_id, journey.chunk_inference_s = sent_ns, chunk_id, inference_s

    def setpoint(self, captured_ns: int, sent_ns: int, seq: int) -> None:
        """A setpoint was sent."""
        journey = self.journeys.get(captured_ns)
        if journey is not None and journey.chunk_ns and not journey.setpoint_ns and sent_ns >= journey.chunk_ns:
            journey.setpoint_ns, journey.seq = sent_ns, seq
            self._waiting.append(journey)

    def joint_state(self, sent_ns: int) -> None:
        """A measured state was sent."""
        self._joint_states_ns.append(sent_ns)

    def controller(self, sent_ns: int) -> None:
        """The filter sent something to the arm controller. Calls come in the order in which it was sent."""
        for journey in self._waiting:
            if sent_ns >= journey.setpoint_ns:
                journey.controller_ns = sent_ns
        self._waiting = [journey for journey in self._waiting if not journey.controller_ns]
        before = bisect.bisect_right(self._joint_states_ns, sent_ns)
        if before:
            self._reaction_s.add((sent_ns - self._joint_states_ns[before - 1]) / 1e9)

    def complete(self) -> list[Journey]:
        """Journeys that went all the way, oldest first."""
        return [journey for journey in self.journeys.values() if journey.complete]

    def summaries(self) -> dict[str, Summary]:
        """Second per hop, over the journeys that went all the way; then the models' shares and the newest joint state."""
        windows = {name: Window(KEPT) for name, *_ in HOPS}
        inside = {"of it in System 2": Window(KEPT), "of it in System 1": Window(KEPT)}
        for journey in self.complete():
            for name, begin, end, _ in HOPS:
                windows[name].add((getattr(journey, end) - getattr(journey, begin)) / 1e9)
            inside["of it in System 2"].add(journey.plan_inference_s)
            inside["of it in System 1"].add(journey.chunk_inference_s)
        every = {
            "camera": windows["camera"],
            "plan": windows["plan"],
            "of it in System 2": inside["of it in System 2"],
            "chunk": windows["chunk"],
            "of it in System 1": inside["of it in System 1"],
            "setpoint": windows["setpoint"],
            "filter": windows["filter"],
            "camera to plan": windows["camera to plan"],
            "camera to controller": windows["camera to controller"],
            "joint state to controller": self._reaction_s,
        }
        return {name: window.summary() for name, window in every.items()}

    def missing(self) -> str:
        """Where frames got lost when none went all the way; empty when one did."""
        if self.complete():
            return ""
        if not self.journeys:
            return "no vla/frames: is the camera node running, with images?"
        for stage, words in (
            ("plan_ns", "frames, but no plan that moves the arm: give an instruction (vla-ros say …)"),
            ("chunk_ns", "plans, but no chunk: is the filter armed, is the action expert running?"),
            ("setpoint_ns", "chunks, but no setpoint: is the filter armed?"),
        ):
            if not any(getattr(journey, stage) for journey in self.journeys.values()):
                return words
        return "setpoints, but nothing goes to the arm controller: is the filter armed?"
