"""A policy that reads short sentences, behind the reader: what was understood is told first, then done step by step.

It is a System 2 itself. A sentence is read into typed steps by `language`, apart from the policy. Objects in view make plain
names of "the cube on the left". Then the policy gets its own words for the steps; what it cannot do, its helper does.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from vla_ros.arrays import Array
from vla_ros.language.answers import answer, help_text
from vla_ros.language.parts import NotUnderstood
from vla_ros.language.reader import InstructionReader, ReadInstruction
from vla_ros.language.steps import InstructionStep, ObjectPhrase, StepAction
from vla_ros.language.telling import told
from vla_ros.language.view import SeenThing, described, resolved
from vla_ros.perception.frames import Frames
from vla_ros.policies import waypoints
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState, System2
from vla_ros.policies.errand_check import check_errands, undone, unseen
from vla_ros.tasks.vocabulary import CONTAINERS

MOST_TOGETHER = 3
"""Steps that a policy is asked for in one sentence."""
UNSEEN = ("cannot see", "not in view")
"""In a refusal: the policy looks for something that is not there."""


@runtime_checkable
class StepReader(Protocol):
    """A System 2 that says itself which steps it can do.

    Attributes:
        helper: another one that does what it cannot; None: there is none.
    """

    checkpoint: str
    helper: Any

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return the plan for now; see `contract.System2`."""
        ...

    def words_for(self, steps: Sequence[InstructionStep]) -> str:
        """Return the sentence by which it does these steps in this order; empty: it cannot."""
        ...

    def look(self, frames: Frames) -> tuple[SeenThing, ...] | None:
        """Return what is in view; None: the images are not usable."""
        ...

    def holding(self, frames: Frames, joint_state: JointState) -> str:
        """Return what is in the hand, in words; empty: nothing."""
        ...


@dataclass(frozen=True)
class _Errand:
    """Steps that one performer does with one sentence."""

    performer: StepReader
    words: str
    steps: tuple[InstructionStep, ...]


class StepwiseSystem2:
    """The planning half of a policy that reads sentences, behind the reader.

    Args:
        policy: the System 2 underneath.
        reader: reads instructions.
        word: how a sentence is written for the policy.
    """

    def __init__(self, policy: StepReader, reader: InstructionReader, word: Callable[[str], str] = str) -> None:
        self._policy, self._reader, self._word = policy, reader, word
        self.checkpoint = policy.checkpoint
        self.statistics: Any = getattr(policy, "statistics", None)
        self.skills: Sequence[str] = getattr(policy, "skills", ())
        self.reads_context = False
        self._about: tuple[ObjectPhrase, ...] = ()  # what the last instruction was about
        self._told = ""  # of the last instruction
        self._first_index = self._next_index = 0  # of waypoints: they count up over one instruction
        self._begin(Instruction(0, ""))

    def read(self, text: str) -> ReadInstruction:
        """Return what a sentence means; "it" is what the last one was about."""
        return self._reader.read(text, self._about)

    def help(self, frames: Frames | None) -> str:
        """Return what can be done instead, for a refusal: what is in view, and examples."""
        return help_text(None if frames is None else self._policy.look(frames), self.skills)

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return the plan for now; see `contract.System2`."""
        if instruction != self._instruction:
            self._begin(instruction)
        hold = Plan(frames.stamp_ns, instruction, PlanState.HOLD)
        if not instruction.text.strip():
            return hold
        if self._end is not None:
            return replace(self._end, frame_stamp_ns=frames.stamp_ns)
        if self._errands is None:
            return self._take_up(hold, frames, joint_state)
        return self._go_on(hold, self._errands, frames, joint_state)

    def _begin(self, instruction: Instruction) -> None:
        self._instruction = instruction
        self._errands: list[_Errand] | None = None
        self._number = 0
        self._end: Plan | None = None
        self._seen: tuple[SeenThing, ...] = ()  # at the beginning
        self._first_index = self._next_index = 0

    def _take_up(self, hold: Plan, frames: Frames, joint_state: JointState) -> Plan:
        """Read the instruction; tell what is to be done, answer, or refuse. The arm does not move yet."""
        found = self.read(self._instruction.text)
        seen = self._policy.look(frames)
        if found.refusal:
            return self._ended(hold, PlanState.REFUSED, f"{found.refusal}; {self.help(frames)}")
        if found.question is not None:
            held = self._policy.holding(frames, joint_state)
            return self._ended(hold, PlanState.DONE, answer(found.question, seen, held, self._told, self.skills))
        try:
            steps = found.steps if seen is None else resolved(found.steps, seen, self._about)
            if seen is None and not all(_is_plain(step) for step in steps):
                return replace(hold, reasoning="waits for an image that shows which object is meant")
            self._errands, self._seen = self._assigned(steps), seen or ()
        except NotUnderstood as error:
            return self._ended(hold, PlanState.REFUSED, f"not understood: {error}; {self.help(frames)}")
        self._told = told(steps, found.language)
        self._about = tuple(step.object for step in steps[-1:] if step.object is not None) or self._about
        return replace(hold, reasoning=self._told)

    def _assigned(self, steps: Sequence[InstructionStep]) -> list[_Errand]:
        """Divide the steps among the policy and its helper; a second object in one bowl is for the helper.

        Raises:
            NotUnderstood: neither can do a step.
        """
        errands: list[_Errand] = []
        performers = [performer for performer in (self._policy, self._policy.helper) if performer is not None]

        filled: set[ObjectPhrase] = set()

        def able(step: InstructionStep) -> int:
            order = list(range(len(performers)))
            if step.action is StepAction.PLACE and step.targets[0].shape in CONTAINERS:
                if step.targets[0] in filled:
                    order.reverse()
                filled.add(step.targets[0])
            for number in order:
                if performers[number].words_for([step]):
                    return number
            raise NotUnderstood(f"'{step}' is nothing that this policy can do")

        for number, group in itertools.groupby(steps, able):
            rest = list(group)
            while rest:
                performer, most = performers[number], MOST_TOGETHER
                while not (words := performer.words_for(rest[:most])):
                    most -= 1
                errands.append(_Errand(performer, words, tuple(rest[:most])))
                rest = rest[most:]
        return errands

    def _go_on(self, hold: Plan, errands: Sequence[_Errand], frames: Frames, joint_state: JointState) -> Plan:
        errand = errands[self._number]
        words = self._word(errand.words) if errand.performer is self._policy else errand.words
        asked = Instruction(self._instruction.id + self._number, words)
        plan = errand.performer.plan(frames, asked, joint_state)
        if plan.state in (PlanState.HOLD, PlanState.ACTIVE):
            share = plan.progress if math.isfinite(plan.progress) else 0.0
            progress = (self._number + share) / len(errands) if len(errands) > 1 else plan.progress
            return replace(self._counted(plan), instruction=self._instruction, progress=progress)
        if plan.state is PlanState.DONE and self._number + 1 < len(errands):
            self._number += 1
            self._first_index = self._next_index
            return replace(hold, subtask="done", reasoning=f"next: {errands[self._number].words}")
        state: PlanState = PlanState.FAILED if self._number and plan.state is PlanState.REFUSED else plan.state
        if state is PlanState.DONE and len(errands) > 1:
            plan = self._looked_again(plan, errands, frames)
            state = plan.state
        reason = plan.reasoning
        misses = state is not PlanState.DONE and any(words in reason for words in UNSEEN)
        seen = self._policy.look(frames) if misses else None
        if seen is not None:
            reason = f"{reason}; in view: {described(seen)}"
        self._end = replace(plan, instruction=self._instruction, state=state, reasoning=reason)
        return self._end

    def _looked_again(self, plan: Plan, errands: Sequence[_Errand], frames: Frames) -> Plan:
        """Return the end of the last errand, with what is seen of those before it."""
        seen = self._policy.look(frames)
        steps = [step for errand in errands for step in errand.steps]
        checked = len(steps) - len(errands[-1].steps)  # the last errand has just looked itself
        checks = [] if seen is None else check_errands(steps, checked, self._seen, seen)
        if wrong := undone(checks):
            return replace(plan, state=PlanState.FAILED, reasoning=f"not all is done: {wrong}")
        hidden = unseen(checks)
        return replace(plan, reasoning=f"{plan.reasoning}; at the end {hidden}".lstrip("; ")) if hidden else plan

    def _counted(self, plan: Plan) -> Plan:
        """Let waypoints count on from those of the errand before: System 1 knows one instruction, which is the whole."""
        if plan.kind != waypoints.KIND:
            return plan
        rows: Array = np.array(plan.data, np.float64)
        rows[:, 0] += self._first_index
        self._next_index = max(self._next_index, int(rows[:, 0].max(initial=-1)) + 1)
        return replace(plan, data=rows)

    def _ended(self, hold: Plan, state: PlanState, reason: str) -> Plan:
        done = state is PlanState.DONE
        self._end = replace(hold, state=state, reasoning=reason, progress=1.0 if done else math.nan)
        return self._end


class CheckedSystem2:
    """Any policy behind the reader: what is read is told, and goes to the policy as it was said; the rest is refused.

    Args:
        policy: the System 2 underneath.
        reader: reads instructions.
        word: how a sentence is written for the policy.
    """

    def __init__(self, policy: System2, reader: InstructionReader, word: Callable[[str], str] = str) -> None:
        self._policy, self._reader, self._word = policy, reader, word
        self.checkpoint = policy.checkpoint
        self.statistics: Any = getattr(policy, "statistics", None)
        self.skills: Sequence[str] = getattr(policy, "skills", ())
        self._instruction = Instruction(0, "")

    def read(self, text: str) -> ReadInstruction:
        """Return what a sentence means; which object is meant only its name can say."""
        found = self._reader.read(text)
        unclear = next((step for step in found.steps if not _is_plain(step)), None)
        if unclear is None:
            return found
        return ReadInstruction(refusal=f"not understood: '{unclear}': say each object by its colour and shape")

    def help(self, frames: Frames | None) -> str:
        """Return what can be done instead, for a refusal."""
        return help_text(None, self.skills)

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return the plan for now; see `contract.System2`."""
        if instruction.text.strip() and instruction != self._instruction:
            self._instruction = instruction
            found = self.read(instruction.text)
            hold = Plan(frames.stamp_ns, instruction, PlanState.HOLD)
            if found.question is not None:
                text = answer(found.question, None, "", "", self.skills)
                return replace(hold, state=PlanState.DONE, reasoning=text)
            if found.refusal:
                return replace(hold, state=PlanState.REFUSED, reasoning=f"{found.refusal}; {self.help(frames)}")
            return replace(hold, reasoning=told(found.steps, found.language))
        words = replace(instruction, text=self._word(instruction.text))
        return replace(self._policy.plan(frames, words, joint_state), instruction=instruction)


def _is_plain(step: InstructionStep) -> bool:
    return all(phrase.is_plain for phrase in (step.object, *step.targets) if phrase is not None)


def stepwise(
    policy: System2, reader: InstructionReader, always: bool = False, word: Callable[[str], str] = str
) -> System2:
    """Return a policy behind the reader, where it says which steps it can do; any other as it is.

    Args:
        policy: the System 2 underneath.
        reader: reads instructions.
        always: put any policy behind the reader.
        word: how a sentence is written for the policy.
    """
    if isinstance(policy, StepReader):
        return StepwiseSystem2(policy, reader, word)
    return CheckedSystem2(policy, reader, word) if always else policy


def interpreter_of(system2: System2) -> StepwiseSystem2 | CheckedSystem2 | None:
    """Return what reads instructions for a System 2; None: nothing does but itself."""
    return system2 if isinstance(system2, StepwiseSystem2 | CheckedSystem2) else None
