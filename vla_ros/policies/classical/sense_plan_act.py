"""System 2 of `classical`: look, go there, do it, look whether it is done, else try again.

Each kind of step is a recipe made of skills, and a generator as they are: it yields what to do now, for as long as that
takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from vla_ros.arrays import Array
from vla_ros.perception.frames import Frames
from vla_ros.perception.pinhole import PinholeCamera
from vla_ros.policies import waypoints
from vla_ros.policies.classical.language import NotUnderstood, RequestedStep, Verb, parse
from vla_ros.policies.classical.skills import Activity, AttemptFailed, Skills, StepImpossible
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.policy_parameters import ClassicalParameters
from vla_ros.policies.registry import Robot, parameters_hash
from vla_ros.tasks.geometry import PUSHED_M, STACKED_M, with_margin
from vla_ros.tasks.hand import FINGERTIP_M, PUSH_GAP_M, PUSH_LENGTH_M, RELEASE_GAP_M
from vla_ros.tasks.phrasings import EXAMPLES

AT_REST = 0.03  # rad/s or m/s, of any joint
PUSH_ENOUGH_M = with_margin(PUSHED_M, 0.005)
"""An object that has moved so far has been pushed: the judge asks for a little less."""
STACK_OFFSET_M = with_margin(STACKED_M, -0.003)
"""Offset of an object that still stands on another: the judge allows a little more."""


class SensePlanAct:
    """The planning half of `classical`.

    Args:
        robot: the arm.
        parameters: options of the policy.
    """

    skills = EXAMPLES
    """Sentences that it understands, as examples for a VLM in front of it."""
    reads_context = False
    """Its grammar reads the imperative alone, not what has been reached before."""

    def __init__(self, robot: Robot, parameters: ClassicalParameters) -> None:
        self.checkpoint = parameters_hash("classical", robot, parameters)
        self._parameters = parameters
        self._skills = Skills(robot, parameters)
        self._begin(Instruction(0, ""))

    def _begin(self, instruction: Instruction) -> None:
        self._instruction = instruction
        self._activities: Iterator[Activity] | None = None
        self._end: Plan | None = None
        self._number, self._steps = 0, 1
        self._skills.begin()
        self._goal: Array | None = None

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return what to do now; see `contract.System2`."""
        if instruction != self._instruction:
            self._begin(instruction)
        hold = Plan(frames.stamp_ns, instruction, PlanState.HOLD)
        if not instruction.text.strip():
            return hold
        if self._end is not None:
            return replace(self._end, frame_stamp_ns=frames.stamp_ns)
        name = self._parameters.camera
        view = frames.views.get(name)
        if view is None:
            return replace(
                hold, reasoning=f"there is no camera {name!r}; there are {', '.join(frames.views) or 'none'}"
            )
        if view.pose_fault or view.k is None or view.T_base_camera is None:
            return replace(hold, reasoning=f"camera {name!r}: {view.pose_fault}")
        self._skills.observe(frames.stamp_ns, view.image, PinholeCamera(view.k, view.T_base_camera), joint_state)
        state, reason = PlanState.DONE, "seen to be done"
        try:
            if self._activities is None:
                self._activities = self._execute(parse(instruction.text))
            activity = next(self._activities, None)
            if activity is not None:
                return Plan(
                    frames.stamp_ns,
                    instruction,
                    PlanState.ACTIVE,
                    subtask=activity.subtask,
                    kind=waypoints.KIND,
                    data=(rows := waypoints.pack(activity.waypoints)),
                    path=rows[:, 1:8],
                    progress=(self._number + self._skills.step_progress) / self._steps,
                    confidence=self._skills.confidence,
                )
        except NotUnderstood as error:
            state, reason = PlanState.REFUSED, str(error)
        except (StepImpossible, AttemptFailed) as error:
            state, reason = PlanState.FAILED if self._skills.touched else PlanState.REFUSED, str(error)
        self._end = Plan(
            frames.stamp_ns,
            instruction,
            state,
            subtask="done" if state is PlanState.DONE else "",
            reasoning=reason,
            progress=1.0 if state is PlanState.DONE else (self._number + self._skills.step_progress) / self._steps,
            confidence=self._skills.confidence,
        )
        return self._end

    def _execute(self, steps: tuple[RequestedStep, ...]) -> Iterator[Activity]:
        self._steps = len(steps)
        recipes = {Verb.PICK: self._pick, Verb.PLACE: self._place, Verb.STACK: self._stack, Verb.PUSH: self._push}
        for self._number, step in enumerate(steps):
            self._skills.step_progress, self._goal = 0.0, None
            held = self._skills.held
            if held is not None and (step.verb is Verb.PUSH or not held.is_called(step.object)):
                yield from self._skills.put_back(held)
            reasons = []
            for _ in range(self._parameters.attempts):
                try:
                    yield from recipes[step.verb](step)
                    break
                except AttemptFailed as miss:
                    reasons.append(str(miss))
                    yield from self._skills.let_go()
            else:
                raise StepImpossible(f"{step}: tried {len(reasons)} times: {'; '.join(dict.fromkeys(reasons))}")
            while np.abs(self._skills.now.dq).max() > AT_REST:
                yield self._skills.activity
        self._skills.step_progress = 1.0

    def _pick(self, step: RequestedStep) -> Iterator[Activity]:
        yield from self._skills.take(step.object)

    def _place(self, step: RequestedStep) -> Iterator[Activity]:
        assert step.target is not None
        target = yield from self._skills.find(step.target)
        item = yield from self._skills.take(step.object)
        rest = target.fitted.floor
        height = rest + item.fitted.height / 2 + RELEASE_GAP_M
        if rest < target.fitted.height:  # a bowl: open fingers are wider than it, so they stay above its rim
            height = max(height, target.fitted.height + FINGERTIP_M + RELEASE_GAP_M)
        spot = target.fitted.p_base[:2]
        where = f"{'in' if step.target.shape == 'bowl' else 'on'} {target}"
        yield from self._skills.release(item, spot, height, where)
        yield from self._skills.verify(item, spot, rest, target.fitted.width / 2, f"{item} did not stay with {target}")

    def _stack(self, step: RequestedStep) -> Iterator[Activity]:
        assert step.target is not None
        target = yield from self._skills.find(step.target)
        if target.fitted.shape == "ball":
            raise StepImpossible(f"{target}: nothing stays on a ball")
        item = yield from self._skills.take(step.object)
        top = target.fitted.height
        spot = target.fitted.p_base[:2]
        yield from self._skills.release(item, spot, top + item.fitted.height / 2 + RELEASE_GAP_M, f"on {target}")
        yield from self._skills.verify(item, spot, top, STACK_OFFSET_M, f"{item} does not stand on {target}")

    def _push(self, step: RequestedStep) -> Iterator[Activity]:
        item = yield from self._skills.find(step.object)
        at = item.fitted.p_base[:2]
        if step.target is not None:
            target = (yield from self._skills.find(step.target)).fitted
            to_target = target.p_base[:2] - at
            distance = float(np.linalg.norm(to_target))
            # The fingers turn a cube until its face lies flat on them: then it reaches half its width.
            way = to_target * (1 - (item.fitted.width / 2 + target.extent(to_target) + PUSH_GAP_M) / distance)
            if way @ to_target < 0:
                way = np.zeros(2)
        else:
            if self._goal is None:
                self._goal = at + (0.0, PUSH_LENGTH_M if step.side == "left" else -PUSH_LENGTH_M)
            way = self._goal - at
        length = float(np.linalg.norm(way))
        if length > PUSH_GAP_M:
            yield from self._skills.push(item, way / length, length)
        yield from self._skills.to_lookout("look whether it is done")
        now = (yield from self._skills.find(step.object)).fitted
        if step.target is not None:
            to_target = target.p_base[:2] - now.p_base[:2]
            if np.linalg.norm(to_target) > now.extent(to_target) + target.extent(to_target) + 3 * PUSH_GAP_M:
                raise AttemptFailed(f"{item} did not come to {step.target}")
        elif self._goal is not None:
            left = float(self._goal[1] - now.p_base[1]) * (1 if step.side == "left" else -1)
            if left > PUSH_LENGTH_M - PUSH_ENOUGH_M:
                raise AttemptFailed(f"{item} did not move far enough")
