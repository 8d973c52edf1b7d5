"""System 2 of `compact`: images, instruction and joints become latent tokens, a subtask in words and waypoints."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.language.steps import InstructionStep
from vla_ros.language.view import SeenThing
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.policies.classical.sense_plan_act import SensePlanAct
from vla_ros.policies.compact.checkpoint import bind, load, observations
from vla_ros.policies.compact.checkpoint_folder import folder_of
from vla_ros.policies.compact.features import object_features, state_features, yaw_of
from vla_ros.policies.compact.final_check import ArmPosture, FinalCheck, StepMemory, name_of
from vla_ros.policies.compact.graphs import Graphs
from vla_ros.policies.compact.grasp_counter import GraspCounter
from vla_ros.policies.compact.instruction_parser import InstructionParser, ParsedInstruction
from vla_ros.policies.compact.model_config import SUBTASKS
from vla_ros.policies.compact.object_localizer import ObjectLocalizer
from vla_ros.policies.compact.object_tracker import ObjectTracker
from vla_ros.policies.compact.sentences import helper_parameters, reads_as, sentence_of
from vla_ros.policies.compact.subtask_selector import SubtaskSelector
from vla_ros.policies.compact.waypoint_decoder import WaypointDecoder
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.policy_parameters import CompactParameters
from vla_ros.policies.registry import Robot
from vla_ros.robot.kinematics import Kinematics
from vla_ros.tasks.completion import Completion, SeenHand, StepCheck
from vla_ros.tasks.hand import HOLDING_FINGER_M
from vla_ros.tasks.objects import OBJECT_HALF_WIDTH_M
from vla_ros.tasks.phrasings import EXAMPLES
from vla_ros.time import NS_PER_S

KIND = "features"
PUSH = "push {x}"
CARRYING = ("lift {x}", "carry {x} to {y}", "put {x} on {y}", "let go of {x}", PUSH)  # x may move with the hand
PASSED = (
    "lift {x}",
)  # the hand need not stop after these; after others it waits until they are detected to have ended
MAX_DISTANCE_M = 0.1  # horizontal, of x from hand, container or stack; farther away it is not in it or on it
DONE_UPDATES = 3  # in a row that must predict "done" before a step ends, and the arm rests by then
REST_RAD_S = 0.03  # of every joint; commands that end in mid-motion are a stop of the filter
UNSEEN_LIMIT_S = 1.5  # that an object may be out of view before the instruction ends
STEP_LIMIT_S = 40.0  # that a step may take while the arm may move
LOOKING = "look whether it is done"
GAP_LIMIT_S = 1.0  # between two images; time beyond it does not count


class CompactSystem2:
    """The planning half.

    Args:
        robot: the arm.
        parameters: options of the policy.

    Raises:
        ParameterError: there is no such checkpoint.
        JointNamesError: it is of another robot.
    """

    skills = EXAMPLES
    """Sentences of the kind that it was trained on, as examples for a VLM in front of it."""
    reads_context = False
    """It was trained on imperatives alone, not on what has been reached before."""

    def __init__(self, robot: Robot, parameters: CompactParameters) -> None:
        checkpoint = load(folder_of(parameters))
        self.checkpoint = checkpoint.hash
        self.statistics = observations(checkpoint, robot.joint_names)
        self._order, self._sizes, self._parameters = bind(checkpoint, robot.joint_names), checkpoint.sizes, parameters
        self._gripper = checkpoint.joint_names.index(checkpoint.gripper)
        self._finger = list(robot.joint_names).index(checkpoint.gripper)
        self._kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        self._graphs = Graphs(checkpoint, ("language", "locate", "refine", "fuse"))
        self._parser = InstructionParser(checkpoint, self._graphs, parameters.least_understood)
        self._localizer = ObjectLocalizer(self._graphs, checkpoint.sizes, parameters.table_height_m)
        self._decoder = WaypointDecoder(self._kinematics, parameters)
        self.helper = SensePlanAct(robot, helper_parameters(parameters, checkpoint.gripper))
        self._parsed: ParsedInstruction | None = None
        self._end: Plan | None = None
        self._begin(Instruction(0, ""))

    def words_for(self, steps: Sequence[InstructionStep]) -> str:
        """Return the sentence that the network reads as just these steps; empty: there is none. See `stepwise`."""
        text = sentence_of(steps)
        if not text:
            return ""
        parsed = self._parser.parse(text)
        return text if not parsed.refusal and reads_as(steps, parsed.parsed_steps) else ""

    def look(self, frames: Frames) -> tuple[SeenThing, ...] | None:
        """Return what is in view; None: the images are not usable."""
        return self.helper.look(frames)

    def holding(self, frames: Frames, joint_state: JointState) -> str:
        """Return what is in the hand, in words; empty: nothing."""
        return self.helper.holding(frames, joint_state)

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return the plan for now; see `contract.System2`."""
        if instruction != self._instruction:
            self._begin(instruction)
        hold = Plan(frames.stamp_ns, instruction, PlanState.HOLD)
        if not instruction.text.strip():
            return hold
        if self._end is not None:
            return replace(self._end, frame_stamp_ns=frames.stamp_ns)
        views = []
        for name in self._sizes.cameras:
            view = frames.views.get(name)
            if view is None or (fault := view.pose_fault):
                return replace(hold, reasoning=f"camera {name!r}: {'is absent' if view is None else fault}")
            views.append(view)
        if self._parsed is None:
            parsed = self._parse_instruction(instruction.text)
            if parsed.refusal:
                return self._ended(hold, PlanState.REFUSED, parsed.refusal, parsed.understood)
            self._parsed = parsed
            self._begin_step(frames.stamp_ns)
        if self._final is not None:
            return self._plan_final_check(hold, self._final, views, joint_state)
        return self._plan_step(hold, self._parsed, views, joint_state)

    def _begin(self, instruction: Instruction) -> None:
        self._instruction = instruction
        self._parsed, self._end, self._step = None, None, 0
        self._final: FinalCheck | None = None
        self._memories: list[StepMemory] = []
        self._begin_step(0)

    def _begin_step(self, stamp_ns: int) -> None:
        self._localizer.begin_step(self._parsed.parsed_steps[self._step] if self._parsed else {})
        self._start: Array | None = None
        self._pushed = False
        self._grasps = GraspCounter()
        self._selector, self._done = SubtaskSelector(self._parameters.hysteresis), 0
        self._stamp_ns = stamp_ns
        self._watched_s = self._tried_s = 0.0

    def _parse_instruction(self, text: str) -> ParsedInstruction:
        return self._parser.parse(text)

    def _plan_step(
        self, hold: Plan, parsed: ParsedInstruction, views: list[CameraView], joint_state: JointState
    ) -> Plan:
        """Plan the present step from new images."""
        step = parsed.parsed_steps[self._step]
        elapsed_s = self._elapsed_s(hold.frame_stamp_ns, joint_state.may_move)
        T_base_tool = self._kinematics.forward(joint_state.q)
        p_tool, yaw = T_base_tool[:3, 3] - (0.0, 0.0, self._parameters.table_height_m), yaw_of(T_base_tool[:3, :3])
        active = self._selector.subtask
        carried = active >= 0 and SUBTASKS[active] in CARRYING
        coarse = self._localizer.update(views, parsed.queries[:, self._step], elapsed_s, p_tool, carried)
        x, y = self._localizer.trackers
        needed = [x] + ([y] if step["y_shape"] != "none" else [])
        confidence = parsed.understood * min(tracker.presence for tracker in needed)
        if not all(tracker.known for tracker in needed):
            return self._unseen(hold, name_of(step, "x" if not x.known else "y"), confidence)
        if self._start is None:
            self._start = x.p.copy()
        objects, state = self._features(step, self._start, p_tool, yaw, joint_state)
        self._latents, logits, progress, waypoints, anchors = self._graphs(
            "fuse", parsed.embeddings[:, self._step], objects, state, coarse
        )
        self._memories[self._step :] = [StepMemory.of(self._start, x, y)]
        at_rest = self._at_rest(joint_state)
        probabilities = _probabilities(logits[0], contradicts_done(step["verb"], x.p, y.p, p_tool))
        subtask = self._selector.update(probabilities, at_rest and joint_state.may_move)
        confidence = float(confidence * probabilities[subtask])
        if self._is_done(subtask, probabilities, step, at_rest):
            return self._finish_step(hold, len(parsed.parsed_steps), confidence)
        words = _subtask_words(subtask, step)
        self._grasps.update(SUBTASKS[subtask], float(joint_state.q[self._finger]))
        if self._grasps.exhausted:
            reason = f"{self._grasps.futile} grasps of {name_of(step, 'x')} have closed on nothing"
            return self._ended(hold, PlanState.FAILED, reason, confidence)
        if self._tried_s > STEP_LIMIT_S:
            return self._ended(hold, PlanState.FAILED, f"{words}: it takes too long", confidence)
        rows = self._decoder.decode(
            subtask,
            waypoints[0, subtask],
            anchors[0, subtask],
            self._localizer.trackers,
            self._start,
            step["side"],
            p_tool,
            float(yaw),
            joint_state.q,
        )
        step_progress = 1 / (1 + math.exp(-float(progress[0])))
        return Plan(
            hold.frame_stamp_ns,
            self._instruction,
            PlanState.ACTIVE,
            subtask=words,
            reasoning=self._explanation(parsed, needed),
            kind=KIND,
            data=self._data(subtask, self._latents[0], rows),
            path=np.stack([self._decoder.pose(row) for row in rows]),
            progress=(self._step + step_progress) / len(parsed.parsed_steps),
            confidence=confidence,
        )

    def _elapsed_s(self, stamp_ns: int, may_move: bool) -> float:
        """Return the time since the last images, and count it for the limits of the step."""
        elapsed_s, self._stamp_ns = (stamp_ns - self._stamp_ns) / NS_PER_S, stamp_ns
        counted_s = min(elapsed_s, GAP_LIMIT_S)
        self._watched_s += counted_s
        self._tried_s += counted_s if may_move else 0.0
        return elapsed_s

    def _unseen(self, hold: Plan, name: str, confidence: float) -> Plan:
        """Wait for an object that has not been seen yet, for a limited time."""
        reason = f"cannot see {name}"
        if self._watched_s > UNSEEN_LIMIT_S:
            state = PlanState.FAILED if self._step > 0 else PlanState.REFUSED
            return self._ended(hold, state, reason, confidence)
        return replace(hold, reasoning=reason, confidence=confidence)

    def _features(
        self, step: Mapping[str, str], start: Array, p_tool: Array, yaw: Array, joint_state: JointState
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return (1, 2, OBJECT_FEATURES) and (1, STATE_FEATURES); an object that the step does not have is zero."""
        x, y = self._localizer.trackers
        present = np.array([1.0, float(y.known and step["y_shape"] != "none")])
        objects = object_features(
            np.stack([x.p, y.p if y.known else np.zeros(3)]) * present[:, None],
            np.stack([x.yaw4, y.yaw4]) * present[:, None],
            np.array([x.presence, y.presence]) * present,
            np.array([x.std_m, y.std_m]),
            p_tool,
            np.stack([start, x.p]),
        )
        q, dq = joint_state.q[self._order], joint_state.dq[self._order]
        finger, finger_velocity = np.array(float(q[self._gripper])), np.array(float(dq[self._gripper]))
        state = state_features(np.delete(q, self._gripper), finger, finger_velocity, p_tool, yaw)
        return (objects * present[:, None]).astype(np.float32)[None], state.astype(np.float32)[None]

    def _is_done(
        self, subtask: int, probabilities: NDArray[np.floating], step: Mapping[str, str], at_rest: bool
    ) -> bool:
        """Return whether the step has ended: "done" was predicted DONE_UPDATES times in a row and the arm rests."""
        self._pushed |= SUBTASKS[subtask] == PUSH
        if SUBTASKS[subtask] != "done" or probabilities[subtask] <= 0.5:
            self._done = 0
            return False
        self._done += 1
        if self._done == DONE_UPDATES and step["side"] != "none" and not self._pushed:
            # Nothing has been pushed yet: the position at the start of the step was wrong.
            self._start, self._done = self._localizer.trackers[0].p.copy(), 0
        return self._done >= DONE_UPDATES and at_rest

    def _data(self, subtask: int, latents: NDArray[np.float32], rows: Array) -> NDArray[np.float32]:
        """Return the latents, then the waypoints, one a row. Where the hand is to stop, all rows are the first waypoint."""
        data = np.zeros((self._sizes.latents + len(rows), self._sizes.latent), np.float32)
        data[: self._sizes.latents] = latents
        data[self._sizes.latents :, : rows.shape[1]] = rows if SUBTASKS[subtask] in PASSED else rows[:1]
        return data

    def _explanation(self, parsed: ParsedInstruction, needed: list[ObjectTracker]) -> str:
        """Return on what the subtask was selected: the step, and where its objects are, to the centimetre."""
        step = parsed.parsed_steps[self._step]
        positions = (
            f"{name_of(step, role)} at {tracker.p[0]:.2f}, {tracker.p[1]:.2f} m"
            for role, tracker in zip("xy", needed, strict=False)
        )
        return f"step {self._step + 1} of {len(parsed.parsed_steps)}; {', '.join(positions)}"

    def _at_rest(self, joint_state: JointState) -> bool:
        return bool(np.abs(np.delete(joint_state.dq, self._finger)).max() < REST_RAD_S)

    def _plan_final_check(
        self, hold: Plan, final: FinalCheck, views: list[CameraView], joint_state: JointState
    ) -> Plan:
        """Look whether all steps are done, where it must be with the hand out of the way."""
        elapsed_s = self._elapsed_s(hold.frame_stamp_ns, joint_state.may_move)
        T_base_tool, finger = self._kinematics.forward(joint_state.q), float(joint_state.q[self._finger])
        p_tool = T_base_tool[:3, 3] - (0.0, 0.0, self._parameters.table_height_m)
        hand = SeenHand(p_tool, HOLDING_FINGER_M < finger < OBJECT_HALF_WIDTH_M + HOLDING_FINGER_M / 2)
        yaw = float(yaw_of(T_base_tool[:3, :3]))
        arm = ArmPosture(hand, yaw, joint_state.q, self._at_rest(joint_state), joint_state.may_move)
        found = final.update(views, elapsed_s, arm, finger)
        hold = replace(hold, subtask=LOOKING, progress=1.0, confidence=self._confidence)
        if isinstance(found, StepCheck):
            return self._told(hold, found)
        if found is None:
            return hold
        data = self._data(SUBTASKS.index("done"), self._latents[0], found)
        path = np.stack([self._decoder.pose(row) for row in found])
        return replace(hold, state=PlanState.ACTIVE, kind=KIND, data=data, path=path)

    def _told(self, hold: Plan, found: StepCheck) -> Plan:
        """Return the end of the instruction in words."""
        if found.verdict is Completion.DONE:
            return self._ended(hold, PlanState.DONE, "seen to be done", self._confidence)
        reason = found.reason if found.verdict is Completion.FAILED else f"cannot tell: {found.reason}; is it done?"
        return self._ended(hold, PlanState.FAILED, reason, self._confidence)

    def _finish_step(self, hold: Plan, count: int, confidence: float) -> Plan:
        """Go on to the next step, or look at all of them after the last."""
        if self._step + 1 == count:
            assert self._parsed is not None
            self._confidence = confidence
            self._final = FinalCheck(self._localizer, self._decoder, self._parsed, self._memories)
            return replace(hold, subtask=LOOKING, progress=1.0, confidence=confidence)
        self._step += 1
        self._begin_step(hold.frame_stamp_ns)
        return replace(hold, subtask="done", reasoning=f"next: step {self._step + 1}", progress=self._step / count)

    def _ended(self, hold: Plan, state: PlanState, reason: str, confidence: float) -> Plan:
        """Return the last plan of the instruction, which is repeated until there is another one."""
        done = state is PlanState.DONE
        self._end = replace(
            hold,
            state=state,
            subtask="done" if done else "",
            reasoning=reason,
            progress=1.0 if done else math.nan,
            confidence=confidence,
        )
        return self._end


def contradicts_done(verb: str, x: Array, y: Array, p_tool: Array) -> bool:
    """Return whether x (3,) is so far from the hand, or from y (3,), that a step with this verb cannot be done."""
    target = {"pick": p_tool, "place": y, "stack": y}.get(verb, x)
    return float(np.hypot(*(x - target)[:2])) > MAX_DISTANCE_M


def _probabilities(logits: NDArray[np.float32], not_done: bool) -> NDArray[np.float32]:
    """Return (subtasks,) probabilities; that of "done" is zero where it is contradicted."""
    share = np.exp(logits - logits.max())
    if not_done:
        share[SUBTASKS.index("done")] = 0.0
    share /= share.sum()
    return share


def _subtask_words(subtask: int, step: Mapping[str, str]) -> str:
    """Return a subtask in words."""
    words = SUBTASKS[subtask]
    if step["y_shape"] == "bowl":
        words = words.replace(" on ", " in ")
    return words.format(x=name_of(step, "x"), y=name_of(step, "y"))
