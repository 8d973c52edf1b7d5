"""A VLM in front of the System 2 of any policy: it gives that one subtasks, and judges from the images what came of them.

It is a System 2 itself. Questions go to the model in a thread of their own, so that `plan` never waits for an answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.perception.frames import Frames
from vla_ros.policies import waypoints
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState, System2
from vla_ros.policies.registry import Robot
from vla_ros.policies.vlm.answers import (
    CHECK_SCHEMA,
    PLAN_SCHEMA,
    BadAnswer,
    PlannedSubtask,
    parse_check,
    parse_plan,
)
from vla_ros.policies.vlm.asking import Asker, ThreadAsker, VisionLanguageModel, VlmRequest, VlmUnavailable
from vla_ros.policies.vlm.cartesian_motion import KIND, MotionImpossible, MotionPlanner, MotionSequence, joint_limits
from vla_ros.policies.vlm.metric_words import MetricMotion, MotionKind, MotionRefused, parse_motions
from vla_ros.policies.vlm.pointing import NoPlace, place_of
from vla_ros.policies.vlm.subtask_plan import Question, Stage, SubtaskPlan, Wanted
from vla_ros.policies.vlm.vlm_parameters import VlmParameters
from vla_ros.policies.vlm.vlm_prompts import load_vlm_prompt
from vla_ros.robot.kinematics import Kinematics
from vla_ros.time import NS_PER_S, Window

MOTIONS = (
    "move 20 cm forward (back, to the left, to the right, up, down)",
    "turn 45 degrees to the left (to the right)",
    "move 5 cm along the tool",
    "move to 10 cm above the point (give the point)",
    "open the gripper",
    "close the gripper",
)
"""Metric words that the model is told of."""
ANY_SENTENCE = ("any short imperative sentence about one thing, such as 'pick up the red cube'",)


@dataclass(frozen=True)
class _Pending:
    """The request under way. frames: that it shows. asked_s: when, on the clock of the frames."""

    wanted: Wanted
    frames: Frames
    asked_s: float


class VlmSystem2:
    """The planning half of a policy with a VLM in front of it.

    Args:
        policy: the System 2 underneath. Its attributes `skills` (examples of sentences that it understands) and
            `reads_context` (whether a sentence may say first what has been reached; True where it has none) are optional.
        robot: the arm.
        options: parameters of the policy; their `motion`, where they have one, tells the limits of the joints.
        parameters: of the VLM.
        guard: returns why words are refused; empty: they are accepted.
        word: how an instruction is written for the policy underneath.
        asker: asks the model; None: the one that `parameters` name, in a thread.

    Raises:
        ParameterError: a prompt, a key, or the folder of a model cannot be read, or a camera is unknown.
    """

    def __init__(
        self,
        policy: System2,
        robot: Robot,
        options: object,
        parameters: VlmParameters,
        guard: Callable[[str], str],
        word: Callable[[str], str] = str,
        asker: Asker | None = None,
    ) -> None:
        self._policy, self._parameters, self._guard, self._word = policy, parameters, guard, word
        self.checkpoint = policy.checkpoint
        self.statistics: Any = getattr(policy, "statistics", None)
        if robot.cameras and (unknown := [name for name in parameters.cameras if name not in robot.cameras]):
            raise ParameterError(f"vlm.cameras: there is no {unknown[0]!r}; there are {', '.join(robot.cameras)}")
        self._prompts = {
            Question.PLAN: load_vlm_prompt(parameters.plan_prompt, "vlm_plan"),
            Question.CHECK: load_vlm_prompt(parameters.check_prompt, "vlm_check"),
        }
        self._kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        limits = joint_limits(self._kinematics, options)
        self._motion_planner = MotionPlanner(self._kinematics, limits, parameters)
        self._skills: Sequence[str] = parameters.skills or getattr(policy, "skills", ()) or ANY_SENTENCE
        self._reads_context = bool(getattr(policy, "reads_context", True))
        self._asker = asker or ThreadAsker(make_model(parameters))
        self._core = SubtaskPlan(parameters, self._refusal)
        self._instruction = Instruction(0, "")
        self._pending: _Pending | None = None
        self._answer_s = Window(50)
        self._answers = self._bad_answers = 0
        self._forget()

    def report(self) -> Mapping[str, object]:
        """Return what the planner's diagnostics say of the model."""
        return {
            "vlm_answers": self._answers,
            "vlm_bad_answers": self._bad_answers,
            "vlm_answer_p50_s": self._answer_s.summary().p50,
            "vlm_answer_p95_s": self._answer_s.summary().p95,
        }

    def close(self) -> None:
        """End the model; a request under way is dropped."""
        self._asker.close()

    def _forget(self) -> None:
        """What belongs to one instruction begins anew."""
        self._trial = 0  # of the subtask that the policy or the motion serves
        self._motions: MotionSequence | None = None
        self._policy_says = ""
        self._first_index = self._next_index = 0  # of waypoints: they count up over one instruction
        self._seen: Frames | None = None  # what the newest list of subtasks was made from

    # Planning.

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return what to do now; see `contract.System2`."""
        now_s = frames.stamp_ns / NS_PER_S
        if instruction != self._instruction:
            self._begin(instruction, now_s)
        if not instruction.text.strip():
            return Plan(frames.stamp_ns, instruction, PlanState.HOLD)
        self._core.tick(now_s, joint_state.may_move)
        self._take_answer(now_s)
        self._ask(frames, now_s, joint_state.may_move)
        if self._core.stage is Stage.ACT:
            plan = self._act(frames, instruction, joint_state, now_s)
            if plan is not None:
                return plan
        return self._without_motion(frames, instruction)

    def _begin(self, instruction: Instruction, now_s: float) -> None:
        self._instruction = instruction
        self._asker.cancel()
        self._pending = None
        self._forget()
        text = instruction.text.strip()
        self._core.begin(text, now_s)
        try:
            metric = bool(text) and self._metric(text) is not None
        except MotionRefused:
            metric = True  # it is refused below, where the arm is known
        if metric and not any(motion.kind is MotionKind.ABOVE for motion in self._motions_or_none(text)):
            self._core.begin_with(PlannedSubtask(text), now_s)  # nothing to be split

    def _without_motion(self, frames: Frames, instruction: Instruction) -> Plan:
        core = self._core
        hold = Plan(frames.stamp_ns, instruction, PlanState.HOLD)
        if core.stage is Stage.ENDED:
            done = core.result is PlanState.DONE
            subtask = "done" if done else ""
            return replace(
                hold, state=core.result, subtask=subtask, reasoning=core.reason, progress=self._progress(0.0)
            )
        if core.stage is Stage.SPLIT:
            reason = "the VLM splits the instruction into subtasks"
        else:
            reason = f"the VLM looks whether this is done: {core.subtask.text}"
        if core.fault:
            reason = f"{reason}; {core.fault}"
        return replace(hold, reasoning=reason, progress=self._progress(0.0))

    def _progress(self, of_subtask: float) -> float:
        core = self._core
        return min((core.number + of_subtask) / len(core.subtasks), 1.0) if core.subtasks else 0.0

    # Acting.

    def _act(self, frames: Frames, instruction: Instruction, joint_state: JointState, now_s: float) -> Plan | None:
        """Return the plan of the present subtask; None when it has just ended."""
        if self._core.trial != self._trial:
            self._trial, self._motions, self._policy_says = self._core.trial, None, ""
            self._first_index = self._next_index
        try:
            motions = self._metric(self._core.subtask.text)
        except MotionRefused as error:  # only an instruction of a person's: subtasks have been judged
            self._core.on_policy_failed(str(error), now_s)
            return None
        if motions is not None:
            return self._move(motions, frames, instruction, joint_state, now_s)
        return self._delegate(frames, instruction, joint_state, now_s)

    def _move(
        self,
        motions: Sequence[MetricMotion],
        frames: Frames,
        instruction: Instruction,
        joint_state: JointState,
        now_s: float,
    ) -> Plan | None:
        """Carry out a subtask in metric words."""
        try:
            if self._motions is None:
                place = (
                    self._place(self._core.subtask) if any(each.kind is MotionKind.ABOVE for each in motions) else None
                )
                self._motions = MotionSequence(self._motion_planner, self._kinematics, motions, place, joint_state.q)
                self._policy_says = "" if place is None else "the point is at ({:.3f}, {:.3f}, {:.3f}) m".format(*place)
        except (MotionImpossible, NoPlace) as error:
            self._core.on_policy_failed(str(error), now_s)
            return None
        step = self._motions.step(frames.stamp_ns, joint_state)
        if step.failure:
            self._core.on_policy_failed(step.failure, now_s)
            return None
        if step.rows is None:
            self._core.on_subtask_done(now_s)
            return None
        plan = Plan(
            frames.stamp_ns,
            instruction,
            PlanState.ACTIVE,
            reasoning="; ".join(part for part in (self._policy_says, step.waiting) if part),
            kind=KIND,
            data=step.rows,
            path=self._motions.path(),
            confidence=1.0,
            progress=step.progress,
        )
        return self._merged(plan, instruction)

    def _delegate(self, frames: Frames, instruction: Instruction, joint_state: JointState, now_s: float) -> Plan | None:
        """Let the policy underneath carry out a subtask, as an instruction of its own."""
        asked = Instruction(instruction.id + self._trial, self._worded(self._core.subtask.text))
        plan = self._policy.plan(frames, asked, joint_state)
        self._policy_says = f"{plan.subtask}: {plan.reasoning}".strip(": ")
        if plan.state is PlanState.DONE:
            self._core.on_policy_done(now_s)
            return None
        if plan.state in (PlanState.FAILED, PlanState.REFUSED):
            self._core.on_policy_failed(f"the policy says: {plan.reasoning or plan.state.name.lower()}", now_s)
            return None
        return self._merged(self._counted(plan), instruction)

    def _worded(self, text: str) -> str:
        """Return a subtask as the policy underneath reads it: behind what has been reached, where it reads that."""
        if self._reads_context and self._core.reached:
            whole = f"{self._core.reached.rstrip(' .;:')}: {text}"
            if not self._guard(whole):
                return self._word(whole)
        return self._word(text)

    def _counted(self, plan: Plan) -> Plan:
        """Let waypoints count on from those of the subtask before: System 1 knows one instruction, which is the whole."""
        if plan.kind != waypoints.KIND:
            return plan
        rows: Array = np.array(plan.data, np.float64)
        rows[:, 0] += self._first_index
        self._next_index = max(self._next_index, int(rows[:, 0].max(initial=-1)) + 1)
        return replace(plan, data=rows)

    def _merged(self, plan: Plan, instruction: Instruction) -> Plan:
        """Return a plan of the present subtask as one of the instruction."""
        core = self._core
        step = f"{core.number + 1} of {len(core.subtasks)}: {core.subtask.text}"
        seen = f"the VLM: {core.fault}" if core.fault else f"the VLM sees: {core.seen}" if core.seen else ""
        return replace(
            plan,
            instruction=instruction,
            subtask=f"{step}: {plan.subtask}" if plan.subtask else step,
            reasoning="; ".join(part for part in (plan.reasoning, seen) if part),
            progress=self._progress(plan.progress) if math.isfinite(plan.progress) else math.nan,
        )

    # Words.

    def _metric(self, text: str) -> tuple[MetricMotion, ...] | None:
        """Return the motions that words ask for; None: they are for the policy."""
        p = self._parameters
        return parse_motions(text, p.max_move_m, math.radians(p.max_turn_deg))

    def _motions_or_none(self, text: str) -> tuple[MetricMotion, ...]:
        try:
            return self._metric(text) or ()
        except MotionRefused:
            return ()

    def _refusal(self, subtask: PlannedSubtask) -> str:
        """Return why a subtask of the model's is not carried out; empty: it is."""
        refused = self._guard(subtask.text)
        if refused:
            return refused
        try:
            motions = self._metric(subtask.text) or ()
            if any(each.kind is MotionKind.ABOVE for each in motions):
                self._place(subtask)
        except (MotionRefused, NoPlace) as error:
            return str(error)
        return ""

    def _place(self, subtask: PlannedSubtask) -> Array:
        """Return the place (3,) that a subtask points at, in the images that the model saw."""
        if subtask.point is None or self._seen is None:
            raise NoPlace("above the point: nothing was pointed at")
        return place_of(subtask.point, self._seen, self._parameters.table_height_m, self._parameters.reach_m)

    # Asking.

    def _ask(self, frames: Frames, now_s: float, may_move: bool) -> None:
        """Ask what is due, if nothing is under way. An arm that may not move does nothing that is to be looked at."""
        acting = self._core.stage is Stage.ACT and may_move
        looks = acting and not self._motions_or_none(self._core.subtask.text)  # motions are measured
        wanted = self._core.wanted(now_s, looks)
        if wanted is None or self._asker.busy:
            return
        shown = self._shown(frames)
        self._core.on_asked(now_s)
        if not shown:
            self._core.on_no_answer("no healthy image of the VLM's cameras", lasting=False)
            return
        values = {
            "instruction": self._core.instruction,
            "skills": "\n".join(f"- {skill}" for skill in self._skills),
            "motions": "\n".join(f"- {motion}" for motion in MOTIONS),
            "memory": self._core.memory(),
            "cameras": ", ".join(shown),
            "max_subtasks": str(self._parameters.max_subtasks),
            "subtask": self._core.subtask.text if self._core.stage in (Stage.ACT, Stage.JUDGE) else "",
            "policy": self._policy_says or "nothing",
        }
        schema = PLAN_SCHEMA if wanted.question is Question.PLAN else CHECK_SCHEMA
        text = self._prompts[wanted.question].render(values)
        images = {name: frames.views[name].image for name in shown}
        self._pending = _Pending(wanted, frames, now_s)
        self._asker.ask(VlmRequest(text, images, schema, wanted.question.value))

    def _shown(self, frames: Frames) -> list[str]:
        """Return the cameras whose images the model is shown."""
        names = self._parameters.cameras or list(frames.views)
        return [name for name in names if name in frames.views and not frames.views[name].fault]

    def _take_answer(self, now_s: float) -> None:
        """Take in an answer that has come."""
        answer = self._asker.poll()
        pending = self._pending
        if answer is None or pending is None:
            return
        self._pending = None
        self._answers += 1
        self._answer_s.add(now_s - pending.asked_s)
        if self._core.stage is Stage.ENDED:
            return
        if isinstance(answer, VlmUnavailable):
            self._bad_answers += 1
            self._core.on_no_answer(str(answer), answer.lasting)
            return
        try:
            if pending.wanted.question is Question.CHECK:
                self._core.on_check_answer(parse_check(answer), pending.wanted, now_s)
            elif self._core.stage is Stage.SPLIT:
                parsed = parse_plan(answer, self._parameters.max_subtasks)
                self._seen = pending.frames
                self._core.on_plan_answer(parsed, now_s)
        except BadAnswer as error:
            self._bad_answers += 1
            self._core.on_bad_answer(f"the VLM's answer is not usable: {error}")


def make_model(parameters: VlmParameters) -> VisionLanguageModel:
    """Return the model that the parameters name.

    Raises:
        ParameterError: its key or its folder cannot be read.
    """
    if parameters.url:
        from vla_ros.policies.vlm.endpoint import VlmEndpoint

        return VlmEndpoint(parameters)
    if parameters.folder:
        from vla_ros.policies.vlm.local import LocalModel

        return LocalModel(parameters)
    raise ParameterError("vlm.url: give the URL of an endpoint, or the folder of a model in vlm.folder")
