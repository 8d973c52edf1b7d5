"""Which instruction is served: the newest one, also when its message was missed."""

from __future__ import annotations

from collections import deque

from vla_ros.control.stop_watch import StopWatch

MISSED_NS = 500_000_000
"""A plan for an unknown instruction means that its message was missed, if no other message came within this time."""


class InstructionTracker:
    """Instructions arrive as messages, and in the plans that are made for them, in any order.

    Attributes:
        id: of the instruction that is served; None before the first.
        heard_ns: when a message with an instruction last came, monotonic, ns.
    """

    def __init__(self) -> None:
        self.id: int | None = None
        self.heard_ns = 0
        self._stop_watch = StopWatch()
        self._superseded: deque[int | None] = deque(maxlen=16)

    def on_instruction(self, instruction_id: int, now_ns: int) -> bool:
        """Serve an instruction from now on; return whether it is another one: its plan may have been here before it."""
        self.heard_ns = now_ns
        self._stop_watch.on_instruction()
        return self._serve(instruction_id)

    def void(self, now_ns: int) -> None:
        """An instruction was heard whose id is not known yet: until it is, no plan that moves the arm counts."""
        self.heard_ns = now_ns
        self._stop_watch.on_instruction()
        if self.id is not None:
            self._superseded.append(self.id)
            self.id = None

    def on_status(self, state: int, stops: int) -> bool:
        """Note the filter's state and its count of stops; return whether a stop has ended the instruction that is served.

        Plans for it do not count any more. A task that goes on after all has an instruction of its own.
        """
        ended = self._stop_watch.on_status(state, stops)
        if ended and self.id is not None:
            self._superseded.append(self.id)
            self.id = None
        return ended

    def accepts(self, instruction_id: int, active: bool, now_ns: int) -> bool:
        """Return whether a plan for this instruction counts.

        A plan that moves the arm must be for the newest instruction: the one that is served, or one whose message was missed
        here. If a message came just now, an unknown instruction is an old one: the planner has not come to the new one yet.

        Args:
            instruction_id: of the plan.
            active: whether the plan moves the arm.
            now_ns: monotonic, ns.
        """
        if instruction_id in self._superseded:
            return False
        if active and instruction_id != self.id:
            if now_ns - self.heard_ns < MISSED_NS:
                return False
            self._serve(instruction_id)
        return True

    def _serve(self, instruction_id: int) -> bool:
        if instruction_id == self.id:
            return False
        self._superseded.append(self.id)
        self.id = instruction_id
        return True
