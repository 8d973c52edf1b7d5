"""What becomes of one instruction, from what planner and safety filter say: the rules behind the action Execute.

The follower decides nothing about the task. It reads the planner's plans, and ends the task itself only where no more of them
can come: the arm is not armed, filter or planner is gone, somebody has said something else.
now_ns is always a monotonic time in ns; instruction ids are times of publishing, ns of the system clock.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from vla_ros.policies.contract import PlanState
from vla_ros.safety.states import ACTIVE, LATCHED, State
from vla_ros.time import NS_PER_S

LOGGED = 200
"""Characters of an instruction that a reason repeats."""
LISTENER_TIMEOUT_NS = 10 * NS_PER_S
"""Longest wait for those who are to hear the instruction."""
CANCEL_TIMEOUT_NS = 2 * NS_PER_S
"""Longest wait for the planner's word that it holds."""
UNARMED = frozenset({State.DISARMED, State.DISARMING})


class TaskOutcome(enum.IntEnum):
    """How a task has ended; the values of Execute's result."""

    CANCELLED = 1
    DONE = 2
    FAILED = 3
    REFUSED = 4


OUTCOMES = {
    PlanState.DONE: TaskOutcome.DONE,
    PlanState.FAILED: TaskOutcome.FAILED,
    PlanState.REFUSED: TaskOutcome.REFUSED,
}
"""State of a plan → how it ends the task; other states do not."""


@dataclass(frozen=True)
class PlanReport:
    """What a plan says to people. The fields are those of LatentPlan."""

    instruction_id: int
    instruction: str
    state: PlanState
    subtask: str
    reasoning: str
    progress: float
    confidence: float


@dataclass(frozen=True)
class Feedback:
    """subtask: the present step, or why the arm holds meanwhile. progress, confidence: 0..1; NaN: not estimated."""

    subtask: str
    progress: float
    confidence: float


@dataclass(frozen=True)
class Ending:
    """How the task has ended, and why.

    hold: the planner may still serve the instruction, or do so later, and must be told to hold.
    """

    outcome: TaskOutcome
    why: str
    hold: bool = False


class TaskFollower:
    """Follows one instruction from before it is said to its end. After the end nothing changes any more.

    Several times a second tell it what has come of plans and statuses, then `tick`; say the instruction when it is `due`.

    Args:
        instruction: the text, as it will be said.
        plan_timeout_s: a planner that says nothing about the instruction for so long is not there any more.
        status_timeout_s: the same of the safety filter.
        now_ns: monotonic.

    Attributes:
        ending: how and why it has ended; None: it is under way.
    """

    def __init__(self, instruction: str, plan_timeout_s: float, status_timeout_s: float, now_ns: int) -> None:
        self.ending: Ending | None = None
        self._text = instruction.strip()
        self._plan_timeout_s, self._status_timeout_s = plan_timeout_s, status_timeout_s
        self._began_ns = self._plan_ns = self._status_ns = now_ns
        self._armed = False  # until the filter says so
        self._said_id: int | None = None
        self._id = 0  # of the instruction, as the planner has it; 0: it has not taken it up
        self._hold_id: int | None = None  # of the instruction to hold, once the goal is cancelled
        self._cancelled_ns = 0
        self._planner: frozenset[str] = frozenset()
        self._feedback: Feedback | None = None
        self._last_word = ""
        if not self._text:
            self._end(TaskOutcome.REFUSED, "the instruction is empty; to hold the arm, cancel the goal")

    @property
    def said(self) -> bool:
        """Whether the instruction has been said."""
        return self._said_id is not None

    @property
    def cancelled(self) -> bool:
        """Whether the goal was cancelled."""
        return self._hold_id is not None

    def due(self, listening: bool, now_ns: int) -> bool:
        """Return whether the instruction is to be said now: an armed filter was heard, and those who must listen do.

        Args:
            listening: all who must hear an instruction would hear it.
        """
        if self.ending is not None or self._said_id is not None:
            return False
        if not listening and now_ns - self._began_ns > LISTENER_TIMEOUT_NS:
            self._stop("planner and action expert do not listen; see vla-ros status")
        return listening and self._armed

    def on_said(self, instruction_id: int, now_ns: int) -> None:
        """The instruction is being said: plans for it have an id that is not less."""
        self._said_id, self._plan_ns = instruction_id, now_ns

    def on_plan(self, plan: PlanReport, now_ns: int) -> None:
        """The planner has published a plan."""
        if self.ending is not None or self._said_id is None or plan.instruction_id < self._said_id:
            return
        self._plan_ns = now_ns
        if self._hold_id is not None:
            if plan.instruction_id >= self._hold_id and plan.state is not PlanState.ACTIVE:
                self._end(TaskOutcome.CANCELLED, "the arm holds")
            return
        if not self._id and plan.instruction == self._text:
            self._id = plan.instruction_id
        if plan.instruction_id != self._id:
            self.supersede(
                f"somebody said {plan.instruction[:LOGGED]!r}" if plan.instruction else "somebody said to hold"
            )
            return
        holds = plan.state is PlanState.HOLD
        self._last_word = plan.reasoning if holds else ""
        if plan.state in OUTCOMES:
            self._end(OUTCOMES[plan.state], plan.reasoning)
        else:
            subtask = f"holding: {plan.reasoning}" if holds else plan.subtask
            self._feedback = Feedback(subtask, plan.progress, plan.confidence)

    def on_status(self, state: State | int, reason: str, now_ns: int) -> None:
        """The safety filter has published its status."""
        self._status_ns, self._armed = now_ns, state in ACTIVE
        if state in LATCHED:
            because = f": {reason}" if reason else ""
            self._stop(f"the arm was stopped, {State(state).name}{because}; call vla/reset, then vla/arm", hold=False)
        elif state in UNARMED:
            self._stop("the arm is not armed; call vla/arm", hold=False)

    def on_planners(self, publishers: frozenset[str]) -> None:
        """Who publishes plans now, by GUID. The planner that has the instruction is the one that was there before it."""
        if self._said_id is None or not self._planner:
            self._planner = publishers
        elif publishers != self._planner:
            gone = "is gone" if not publishers else "was started again, or there is another one"
            self._stop(f"the planner {gone}; give the goal once more")

    def tick(self, now_ns: int) -> None:
        """End the task when planner or filter is silent."""
        if self._hold_id is not None and now_ns - self._cancelled_ns > CANCEL_TIMEOUT_NS:
            self._end(
                TaskOutcome.CANCELLED,
                "the planner was told to hold and has not answered; use vla/estop if the arm moves",
            )
        if now_ns - self._status_ns > self._status_timeout_s * NS_PER_S:
            self._stop(f"nothing was heard of the safety filter for {self._status_timeout_s:g} s; see vla-ros status")
        if self._said_id is not None and now_ns - self._plan_ns > self._plan_timeout_s * NS_PER_S:
            word = f", which said last: {self._last_word}" if self._last_word else ""
            self._stop(f"no plan came for {self._plan_timeout_s:g} s from the planner{word}; see vla-ros status")

    def cancel(self, hold_id: int, now_ns: int) -> None:
        """The goal is cancelled, and the arm was told to hold; the end follows with the planner's word for it."""
        if self._said_id is None:
            self._end(TaskOutcome.CANCELLED, "before the instruction was said")
        elif self._hold_id is None:
            self._hold_id, self._cancelled_ns = hold_id, now_ns

    def supersede(self, by: str) -> None:
        """Somebody has said something else, which the planner serves now."""
        self._end(TaskOutcome.FAILED, f"superseded: {by}")

    def abandon(self, why: str) -> None:
        """Whoever follows the instruction ends."""
        self._stop(why)

    def take_feedback(self) -> Feedback | None:
        """Return what is new since the last call; None: nothing."""
        feedback, self._feedback = self._feedback, None
        return feedback

    def _stop(self, why: str, hold: bool = True) -> None:
        """Fail without the planner's word. hold: it may come back to the instruction; after a stop it does not by itself."""
        if self._hold_id is not None:
            self._end(TaskOutcome.CANCELLED, why)
        else:
            self._end(TaskOutcome.FAILED, why, hold and self._said_id is not None)

    def _end(self, outcome: TaskOutcome, why: str, hold: bool = False) -> None:
        if self.ending is None:
            self.ending = Ending(outcome, why, hold)
