"""What a vision-language model has planned, where that stands, and what it is to be asked next.

It reads no clock, asks nobody and moves nothing: `VlmSystem2` tells it what was answered and what the policy underneath did.
now_s is any clock that the caller keeps to.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vla_ros.policies.contract import PlanState
from vla_ros.policies.vlm.answers import CheckAnswer, PlanAnswer, PlannedSubtask
from vla_ros.policies.vlm.vlm_parameters import VlmParameters

MEMORY = 20
"""Lines of what has happened that the model is told."""


class Stage(enum.Enum):
    """What an instruction waits for."""

    SPLIT = "the VLM splits the instruction into subtasks"
    ACT = "the policy carries out the present subtask"
    JUDGE = "the policy has ended the present subtask, and the VLM looks whether it is done"
    ENDED = "nothing"


class Question(enum.Enum):
    """What the model is asked."""

    PLAN = "plan"
    CHECK = "check"


@dataclass(frozen=True)
class Wanted:
    """A request that is due. trial: the try of a subtask that it is about. stage: in which it was asked."""

    question: Question
    trial: int
    stage: Stage


class SubtaskPlan:
    """The subtasks of one instruction after the other.

    Args:
        parameters: limits and waits.
        judge: returns why a subtask is refused; empty: it is accepted.

    Attributes:
        instruction: what was asked for.
        stage: what it waits for.
        subtasks: of the newest list. number: index of the present one; the number of subtasks when all are done.
        trial: counts the tries of subtasks, of all lists; a new one is a new task for the policy.
        result, reason: how the instruction has ended, and why, when stage is ENDED.
        fault: why the newest answer was not usable; empty: it was.
        begun_s: when the present try began.
        reached: what has been reached so far, as the model has said it last; empty: it has said nothing.
        seen: what the model has seen last of the present subtask, in words; empty: nothing yet.
    """

    def __init__(self, parameters: VlmParameters, judge: Callable[[PlannedSubtask], str]) -> None:
        self._parameters, self._judge = parameters, judge
        self._memory: deque[str] = deque(maxlen=MEMORY)
        self._before = ""  # what became of the instruction before this one
        self.trial = 0
        self.instruction = ""
        self.begin("", 0.0)
        self.stage = Stage.ENDED

    def begin(self, instruction: str, now_s: float) -> None:
        """Serve another instruction. The model is told how the one before it ended: it may answer that one's question."""
        if self.instruction and self.stage is not Stage.ENDED:
            self._before = f"Before this, the person had asked: {self.instruction!r}, and then something else"
        self.instruction, self.stage = instruction, Stage.SPLIT
        self._memory.clear()
        if self._before:
            self._memory.append(self._before)
        self.subtasks: tuple[PlannedSubtask, ...] = ()
        self.number = 0
        self.result, self.reason = PlanState.HOLD, ""
        self.reached = self.seen = self.fault = ""
        self._lists = self._refusals = self._bad_answers = self._attempts = 0
        self.begun_s = self._checked_s = self._ticked_s = now_s
        self._unanswered_s: float | None = None  # since when a request has had no usable answer

    def begin_with(self, subtask: PlannedSubtask, now_s: float) -> None:
        """Carry out one subtask without a list of the model's."""
        self._take_list((subtask,), now_s)

    @property
    def subtask(self) -> PlannedSubtask:
        """The present subtask, when stage is ACT or JUDGE."""
        return self.subtasks[self.number]

    def memory(self) -> str:
        """Return what has happened so far, a line each."""
        return "\n".join(f"- {line}" for line in self._memory) or "- nothing yet"

    # Asking.

    def wanted(self, now_s: float, looks: bool) -> Wanted | None:
        """Return the request that is due; None: none.

        Args:
            looks: whether the present subtask is judged from images; False: it is measured.
        """
        if self.fault and now_s - self._checked_s < 1 / self._parameters.rate_hz:
            return None  # what has just gone wrong is not asked again at once
        if self.stage is Stage.SPLIT:
            return Wanted(Question.PLAN, self.trial, self.stage)
        due = now_s - self._checked_s >= 1 / self._parameters.rate_hz
        if self.stage is Stage.JUDGE or (self.stage is Stage.ACT and looks and due):
            return Wanted(Question.CHECK, self.trial, self.stage)
        return None

    def on_asked(self, now_s: float) -> None:
        """The request that was due is under way."""
        self._checked_s = now_s
        if self._unanswered_s is None:
            self._unanswered_s = now_s

    def tick(self, now_s: float, may_move: bool = True) -> None:
        """End what takes too long: an answer, a subtask. While the policy may not move the arm, a subtask takes no time."""
        if not may_move:
            self.begun_s += max(0.0, now_s - self._ticked_s)
        self._ticked_s = now_s
        patience_s, limit_s = self._parameters.patience_s, self._parameters.subtask_timeout_s
        if self.stage is Stage.ENDED:
            return
        if self._unanswered_s is not None and now_s - self._unanswered_s > patience_s:
            why = self.fault or "its answer has not come"
            self._end(PlanState.FAILED, f"no usable answer of the VLM for {patience_s:g} s: {why}")
        elif self.stage is Stage.ACT and now_s - self.begun_s > limit_s:
            self._replan(f"{self.subtask.text!r} was not done within {limit_s:g} s", now_s)

    # Answers.

    def on_plan_answer(self, answer: PlanAnswer, now_s: float) -> None:
        """The model has split the instruction, asked back, or given up."""
        self._answered()
        if answer.question:
            self._end(PlanState.REFUSED, answer.question.rstrip(" .!?") + "?")
        elif answer.impossible:
            self._end(PlanState.FAILED, f"the VLM sees no way: {answer.impossible}")
        elif answer.finished:
            self._end(PlanState.DONE, f"the VLM sees that it is done: {answer.finished}")
        else:
            refused = next(((each.text, why) for each in answer.subtasks if (why := self._judge(each))), None)
            if refused is None:
                self._take_list(answer.subtasks, now_s)
            else:
                self._on_refused(*refused)

    def on_check_answer(self, answer: CheckAnswer, asked: Wanted, now_s: float) -> None:
        """The model has judged the present subtask, or one that is over. asked: the request."""
        self._answered()
        if asked.trial != self.trial or self.stage not in (Stage.ACT, Stage.JUDGE):
            return
        if answer.status == "done":
            self._advance(f"done: {self.subtask.text}; {answer.reached}".rstrip("; "), answer.reached, now_s)
        elif answer.status == "failed":
            self._replan(f"{self.subtask.text!r} failed: {answer.why or 'the VLM gives no reason'}", now_s)
        else:
            self.seen = answer.why
            if self.stage is Stage.JUDGE and asked.stage is Stage.JUDGE:  # an older image does not show the end
                self._retry(answer.why, now_s)

    def on_bad_answer(self, reason: str) -> None:
        """An answer was not usable."""
        self.fault = reason
        self._bad_answers += 1
        if self._bad_answers >= self._parameters.max_bad_answers:
            self._end(PlanState.FAILED, f"{self._bad_answers} answers of the VLM were not usable: {reason}")

    def on_no_answer(self, reason: str, lasting: bool) -> None:
        """There was no answer. lasting: there will be none."""
        self.fault = reason
        if lasting:
            self._end(PlanState.FAILED, reason)

    # The policy.

    def on_subtask_done(self, now_s: float) -> None:
        """The present subtask is measured to be done."""
        self._advance(f"done: {self.subtask.text}", "", now_s)

    def on_policy_done(self, now_s: float) -> None:
        """The policy says that the present subtask is done: the model is to look."""
        self.stage, self._checked_s = Stage.JUDGE, now_s

    def on_policy_failed(self, reason: str, now_s: float) -> None:
        """The present subtask has failed."""
        self._replan(f"{self.subtask.text!r} failed: {reason}", now_s)

    def _answered(self) -> None:
        self._unanswered_s, self._bad_answers, self.fault = None, 0, ""

    def _take_list(self, subtasks: Sequence[PlannedSubtask], now_s: float) -> None:
        self._lists += 1
        self.subtasks, self.number, self._attempts = tuple(subtasks), 0, 0
        self._try(now_s)

    def _try(self, now_s: float) -> None:
        self.stage, self.begun_s, self._checked_s, self.seen = Stage.ACT, now_s, now_s, ""
        self.trial += 1
        self._attempts += 1

    def _advance(self, line: str, reached: str, now_s: float) -> None:
        self._memory.append(line)
        self.reached = reached or self.reached
        self.number += 1
        self._attempts = 0
        if self.number < len(self.subtasks):
            self._try(now_s)
        else:
            self._end(PlanState.DONE, f"all {len(self.subtasks)} subtasks are done" if self.number > 1 else line)

    def _retry(self, why: str, now_s: float) -> None:
        if self._attempts < self._parameters.attempts:
            self._memory.append(f"{self.subtask.text!r} was ended by the policy, but is not done: {why}")
            self._try(now_s)
        else:
            self._replan(f"{self.subtask.text!r} is not done after {self._attempts} tries: {why}", now_s)

    def _replan(self, failure: str, now_s: float) -> None:
        self._memory.append(failure)
        if self._lists >= self._parameters.max_plans:
            self._end(PlanState.FAILED, failure)
        else:
            self.stage, self._unanswered_s, self._checked_s = Stage.SPLIT, None, now_s

    def _on_refused(self, text: str, why: str) -> None:
        """The guard has refused a subtask: the model is told why once."""
        self._refusals += 1
        line = f"the subtask {text!r} was refused: {why}"
        self._memory.append(line)
        self.fault = line
        if self._refusals > 1:
            self._end(PlanState.FAILED, line)

    def _end(self, state: PlanState, reason: str) -> None:
        self.stage, self.result, self.reason = Stage.ENDED, state, reason
        how = f"you asked back: {reason!r}" if reason.endswith("?") else f"it ended: {state.name.lower()}, {reason}"
        self._before = f"Before this, the person had asked: {self.instruction!r}, and {how}"
