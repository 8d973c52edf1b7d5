"""System 2 of `classical`: look, go there, do it, look whether it is done, else try again.

Each kind of step is a recipe made of skills, and a generator as they are: it yields what to do now, for as long as that
takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from vla_ros.arrays import Array
from vla_ros.language.grammar import load_grammar
from vla_ros.language.parser import parse_steps
from vla_ros.language.parts import NotUnderstood
from vla_ros.language.steps import InstructionStep, Relation, StepAction, related
from vla_ros.language.view import SeenThing
from vla_ros.perception.frames import Frames
from vla_ros.perception.pinhole import PinholeCamera
from vla_ros.policies import waypoints
from vla_ros.policies.classical.detection import DetectedObject, things_in_view
from vla_ros.policies.classical.free_places import DIRECTIONS, is_free, place_among, places_beside
from vla_ros.policies.classical.hand_skills import HandSkills
from vla_ros.policies.classical.skills import Activity, AttemptFailed, StepImpossible
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.policy_parameters import ClassicalParameters
from vla_ros.policies.registry import Robot, parameters_hash
from vla_ros.tasks.geometry import PUSHED_M, STACKED_M, with_margin
from vla_ros.tasks.hand import FINGER_CLOSED_M, FINGER_OPEN_M, FINGERTIP_M, PUSH_GAP_M, PUSH_LENGTH_M, RELEASE_GAP_M
from vla_ros.tasks.objects import OBJECT_HALF_WIDTH_M, radius_of
from vla_ros.tasks.phrasings import EXAMPLES
from vla_ros.tasks.vocabulary import CONTAINERS

AT_REST = 0.03  # rad/s or m/s, of any joint
PUSH_ENOUGH_M = with_margin(PUSHED_M, 0.005)
"""An object that has moved so far has been pushed: the judge asks for a little less."""
PLACE_OFFSET_M = 0.02
"""Offset of an object from where it was put beside others, that counts as there; another 2 cm may be off to the side."""
DISTANCE_M = 0.015
"""An object that was to be moved by a distance is so far from there at most."""
LANDMARK_M = 0.03
"""A landmark that is seen so far from where it was has been moved."""
STACK_OFFSET_M = with_margin(STACKED_M, -0.003)
"""Offset of an object that still stands on another: the judge allows a little more."""


class SensePlanAct:
    """The planning half of `classical`.

    Args:
        robot: the arm.
        parameters: options of the policy.
    """

    helper = None
    """It needs nobody for any step; see `stepwise`."""
    skills = EXAMPLES
    """Sentences that it understands, as examples for a VLM in front of it."""
    reads_context = False
    """Its grammar reads the imperative alone, not what has been reached before."""

    def __init__(self, robot: Robot, parameters: ClassicalParameters) -> None:
        self.checkpoint = parameters_hash("classical", robot, parameters)
        self._parameters = parameters
        self._skills = HandSkills(robot, parameters)
        self._grammar = load_grammar("en")
        self._begin(Instruction(0, ""))

    def _begin(self, instruction: Instruction) -> None:
        self._instruction = instruction
        self._activities: Iterator[Activity] | None = None
        self._end: Plan | None = None
        self._number, self._steps = 0, 1
        self._skills.begin()
        self._goal: Array | None = None

    def words_for(self, steps: Sequence[InstructionStep]) -> str:
        """Return an instruction for steps that it can do one after the other; see `stepwise`."""
        return "; ".join(line for step in steps for line in step.lines)

    def look(self, frames: Frames) -> tuple[SeenThing, ...] | None:
        """Return what is in view; None: the camera shows nothing usable."""
        view = frames.views.get(self._parameters.camera)
        if view is None or view.pose_fault or view.k is None or view.T_base_camera is None:
            return None
        camera = PinholeCamera(view.k, view.T_base_camera)
        return things_in_view(view.image, camera, self._parameters.table_height_m)

    def holding(self, frames: Frames, joint_state: JointState) -> str:
        """Return what is in the hand, in words; empty: nothing."""
        view = frames.views.get(self._parameters.camera)
        if view is None or view.pose_fault or view.k is None or view.T_base_camera is None:
            return "something" if self._skills.holds_something(joint_state) else ""
        self._skills.observe(frames.stamp_ns, view.image, PinholeCamera(view.k, view.T_base_camera), joint_state)
        return self._skills.in_hand()

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
                self._activities = self._execute(parse_steps(self._grammar, instruction.text))
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

    def _execute(self, steps: tuple[InstructionStep, ...]) -> Iterator[Activity]:
        self._steps = len(steps)
        for self._number, step in enumerate(steps):
            self._skills.step_progress, self._goal = 0.0, None
            yield from self._empty_hand_for(step)
            reasons = []
            for _ in range(self._parameters.attempts):
                try:
                    yield from self._recipe(step)
                    break
                except AttemptFailed as miss:
                    reasons.append(str(miss))
                    yield from self._skills.let_go()
            else:
                raise StepImpossible(f"{step}: tried {len(reasons)} times: {'; '.join(dict.fromkeys(reasons))}")
            while np.abs(self._skills.now.dq).max() > AT_REST:
                yield self._skills.activity
        self._skills.step_progress = 1.0

    def _empty_hand_for(self, step: InstructionStep) -> Iterator[Activity]:
        """Put away what is in the hand and is not what the step is about."""
        skills = self._skills
        if step.object is None or step.action is StepAction.PUT_DOWN:
            return
        pushes = step.action is StepAction.PUSH
        if skills.held is None and skills.grips and (pushes or not skills.adopt(step.object)):
            yield from skills.put_down()
        elif skills.held is not None and (pushes or not skills.held.is_called(step.object)):
            yield from skills.put_back(skills.held)

    def _recipe(self, step: InstructionStep) -> Iterator[Activity]:
        """Return how a step is done."""
        skills = self._skills
        if step.action is StepAction.PLACE:
            if step.relation not in (Relation.IN, Relation.ON):
                return self._put_beside(step)
            return self._place(step) if step.targets[0].shape in CONTAINERS else self._stack(step)
        if step.action is StepAction.REACH:
            return skills.reach(step.direction, step.distance_m)
        if step.action is StepAction.OPEN:
            return skills.set_gripper(FINGER_OPEN_M, "open the gripper")
        if step.action is StepAction.CLOSE:
            return skills.set_gripper(FINGER_CLOSED_M, "close the gripper")
        if step.action is StepAction.HOME:
            return skills.home()
        if step.action is StepAction.PUT_DOWN:
            return skills.put_down()
        return {StepAction.PICK: self._pick, StepAction.PUSH: self._push, StepAction.SHIFT: self._shift}[step.action](
            step
        )

    def _pick(self, step: InstructionStep) -> Iterator[Activity]:
        assert step.object is not None
        yield from self._skills.take(step.object)

    def _place(self, step: InstructionStep) -> Iterator[Activity]:
        assert step.object is not None
        target = yield from self._skills.find(step.targets[0])
        there = self._skills.inside(target, self._colour_of(step))
        item = yield from self._skills.take(step.object)
        rest = target.fitted.floor
        height = rest + item.fitted.height / 2 + RELEASE_GAP_M
        if rest < target.fitted.height:  # a bowl: open fingers are wider than it, so they stay above its rim
            height = max(height, target.fitted.height + FINGERTIP_M + RELEASE_GAP_M)
        centre = target.fitted.p_base[:2]
        spot = place_among(centre, target.fitted.foot_radius - OBJECT_HALF_WIDTH_M, there)
        where = f"{'in' if target.fitted.shape == 'bowl' else 'on'} {target}"
        yield from self._skills.release(item, spot, height, where)
        within = target.fitted.width / 2  # what stands at the rim shows its upper part, which seems to be farther out
        yield from self._skills.verify(item, centre, rest, within, f"{item} did not stay with {target}")

    def _stack(self, step: InstructionStep) -> Iterator[Activity]:
        assert step.object is not None
        target = yield from self._skills.find(step.targets[0])
        if target.fitted.shape == "ball":
            raise StepImpossible(f"{target}: nothing stays on a ball")
        item = yield from self._skills.take(step.object)
        top = target.fitted.height
        spot = target.fitted.p_base[:2]
        yield from self._skills.release(item, spot, top + item.fitted.height / 2 + RELEASE_GAP_M, f"on {target}")
        yield from self._skills.verify(item, spot, top, STACK_OFFSET_M, f"{item} does not stand on {target}")

    def _put_beside(self, step: InstructionStep) -> Iterator[Activity]:
        """Put an object next to, left of, behind … another, or between two."""
        assert step.object is not None and step.relation is not None
        marks: list[DetectedObject] = []
        for target in step.targets:
            marks.append((yield from self._skills.find(target)))
        where = related(step.relation, step.targets)
        landmarks = [(mark.fitted.p_base[:2], radius_of(mark.fitted.shape)) for mark in marks]
        places = places_beside(step.relation, landmarks, OBJECT_HALF_WIDTH_M)
        spot = self._skills.free_spot(places, OBJECT_HALF_WIDTH_M, self._colour_of(step))
        if spot is None:
            raise StepImpossible(f"there is no room {where}")
        yield from self._put_at(step, spot, where, PLACE_OFFSET_M)
        for target, mark in zip(step.targets, marks, strict=True):
            again = self._skills.seen(target)  # None: what was put down may hide it
            if again is not None and np.linalg.norm((again.fitted.p_base - mark.fitted.p_base)[:2]) > LANDMARK_M:
                raise AttemptFailed(f"{mark} has been moved")

    def _shift(self, step: InstructionStep) -> Iterator[Activity]:
        """Carry an object by a distance."""
        assert step.object is not None
        if self._goal is None:
            start = (yield from self._skills.find(step.object)).fitted.p_base[:2]
            self._goal = start + step.distance_m * np.array(DIRECTIONS[step.direction])
        others = self._skills.places(self._colour_of(step))
        if not is_free(self._goal, OBJECT_HALF_WIDTH_M, others):
            raise StepImpossible(f"there is no room {100 * step.distance_m:g} cm {step.direction} of where it is")
        yield from self._put_at(step, self._goal, "where it was to go", DISTANCE_M)

    def _colour_of(self, step: InstructionStep) -> str:
        """Return the colour of the object of a step, which is not in its own way."""
        assert step.object is not None
        held = self._skills.held
        if step.object.colour or held is not None:
            return step.object.colour or (held.colour if held else "")
        seen = things_in_view(self._skills.now.image, self._skills.now.camera, self._parameters.table_height_m)
        return next((thing.colour for thing in seen if thing.shape == step.object.shape), "")

    def _put_at(self, step: InstructionStep, spot: Array, where: str, tolerance: float) -> Iterator[Activity]:
        assert step.object is not None
        item = yield from self._skills.take(step.object)
        yield from self._skills.release(item, spot, item.fitted.height / 2 + RELEASE_GAP_M, where)
        yield from self._skills.verify(item, spot, 0.0, tolerance, f"{item} is not {where}")

    def _push(self, step: InstructionStep) -> Iterator[Activity]:
        assert step.object is not None
        item = yield from self._skills.find(step.object)
        at = item.fitted.p_base[:2]
        length_m = step.distance_m or PUSH_LENGTH_M
        if step.targets:
            target = (yield from self._skills.find(step.targets[0])).fitted
            to_target = target.p_base[:2] - at
            distance = float(np.linalg.norm(to_target))
            # The fingers turn a cube until its face lies flat on them: then it reaches half its width.
            way = to_target * (1 - (item.fitted.width / 2 + target.extent(to_target) + PUSH_GAP_M) / distance)
            if way @ to_target < 0:
                way = np.zeros(2)
        else:
            if self._goal is None:
                self._goal = at + length_m * np.array(DIRECTIONS[step.direction])
            way = self._goal - at
        length = float(np.linalg.norm(way))
        if length > PUSH_GAP_M:
            yield from self._skills.push(item, way / length, length)
        yield from self._skills.to_lookout("look whether it is done")
        now = (yield from self._skills.find(step.object)).fitted
        if step.targets:
            to_target = target.p_base[:2] - now.p_base[:2]
            if np.linalg.norm(to_target) > now.extent(to_target) + target.extent(to_target) + 3 * PUSH_GAP_M:
                raise AttemptFailed(f"{item} did not come to {step.targets[0]}")
        elif self._goal is not None:
            left = float((self._goal - now.p_base[:2]) @ np.array(DIRECTIONS[step.direction]))
            if left > PUSH_LENGTH_M - PUSH_ENOUGH_M if not step.distance_m else abs(left) > DISTANCE_M:
                raise AttemptFailed(f"{item} did not move by {100 * length_m:g} cm")
