"""System 2's rules: what becomes of an instruction, when the policy is asked, and when the arm holds instead.

The core is told everything and reads no clock: the node, the offline evaluation and tests call it alike. now_ns is always a
monotonic time in ns that the caller chooses; stamps are ROS time in ns.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, TypeAlias

from vla_ros.arrays import Array
from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.control.stop_watch import StopWatch
from vla_ros.guard.guard import AGAIN, Guard, GuardAction, GuardDecision
from vla_ros.guard.prompt import Prompt
from vla_ros.language.reader import ReadInstruction
from vla_ros.language.telling import is_told
from vla_ros.monitors.monitors import Monitors
from vla_ros.perception.frames import Frames
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.safety.states import ACTIVE, State
from vla_ros.time import NS_PER_S, Rate, StampedBuffer

JOINT_STATES = 250
"""A second of joint states at 250 Hz: older than that frames are not planned with."""
JOINTS_APART_S, JOINTS_AHEAD_S = 0.2, 0.1
"""Between joint states further apart, and longer after the newest, nobody knows where the arm was."""
PERIOD_SHARE = 0.7
"""Frames that come sooner than this share of a plan period after the last call of the policy are left out."""
ENDED = (PlanState.FAILED, PlanState.REFUSED)
LATE_SHARE = 0.3
"""So many late plans of a second's are worth a warning: the first of an instruction comes when it comes."""
CONTINUE = "say --continue to go on, or say what to do"
"""What people are told of a task that a stop has ended."""
READ_APART = ("talk", "needed")
"""Refusals of the guard for want of known words: where an interpreter reads the sentence, it decides."""
LONGEST_READ = 400
"""Characters of a text that is read although it asks for a stop."""
NEGATION = "negation"
"""Refusal of the guard for "not" and "if": of no effect where an interpreter finds steps, "the cube that is not red"."""
LOGGED = 200
"""Characters of an instruction that a log repeats."""


class Level(enum.IntEnum):
    """How bad it is, as in diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


class PlanRequest(NamedTuple):
    """What `System2.plan` is to be called with."""

    frames: Frames
    instruction: Instruction
    joint_state: JointState


@dataclass(frozen=True)
class PlanOutput:
    """A plan to publish. inference_s: what the policy took; 0 for a plan that is not the policy's."""

    plan: Plan
    inference_s: float


@dataclass(frozen=True)
class QuestionOutput:
    """A question to people; empty: what was asked is answered."""

    text: str


@dataclass(frozen=True)
class AnswerOutput:
    """What people are told of their instruction, once: what will be done, an answer, or why it is refused."""

    text: str


@dataclass(frozen=True)
class LogOutput:
    """A line for the log. level: OK is for information."""

    level: Level
    text: str


class Interpreter(Protocol):
    """Reads instructions before the policy does, apart from it; see `stepwise`."""

    def read(self, text: str) -> ReadInstruction:
        """Return what a sentence means."""
        ...

    def help(self, frames: Frames | None) -> str:
        """Return what can be done instead, for a refusal. frames: the newest; None: there are none yet."""
        ...


Output: TypeAlias = PlanOutput | QuestionOutput | AnswerOutput | LogOutput


class PlannerCore:
    """Serves the newest instruction until it is done, stopped, refused, failed or superseded.

    After `on_instruction` and `on_frames`: when a plan is `due`, tell all joint states (`on_joint_state`), call the policy
    with what `request` returns, and hand over what comes of it (`on_plan`, `on_policy_error`); no other call in between.
    `tick` a few times a second. After each call publish what `take_outputs` returns, in that order.

    Args:
        parameters: the planner's.
        guard: judges instructions before the policy reads them.
        prompt: words the instruction for the policy.
        monitors: watch the run.

    Attributes:
        monitors, checkpoint, interpreter: of the policy that is loaded; to be replaced with it. interpreter None: the policy
            gets every sentence that the guard accepts.
        active: whether the policy may be asked.
        instruction: what was said last; id 0: nothing yet.
        instruction_active: whether the policy is asked for it. False: it was refused, stopped, ended by a monitor, or
            broke the policy.
        finished: the policy's last plan was DONE: monitors ask no more.
        stopped: a stop of the arm, or a deactivation, has ended the instruction; it goes on only when it is told to.
        frames_refused: why frames are not taken; empty: they are.
        question: what people have been asked and have not answered; empty: nothing.
        rate: of the policy's plans. plans: number of plans published.
    """

    def __init__(self, parameters: PlannerParameters, guard: Guard, prompt: Prompt, monitors: Monitors) -> None:
        self.monitors, self.checkpoint = monitors, ""
        self.interpreter: Interpreter | None = None
        self.active = False
        self.instruction = Instruction(0, "")
        self.instruction_active = self.finished = self.stopped = False
        self.question = self.frames_refused = ""
        self.rate = Rate(1.0 / parameters.rate_hz, 0.5 / parameters.rate_hz, 200)
        self.plans = 0
        self._parameters, self._guard, self._prompt = parameters, guard, prompt
        self._task = ""  # what the policy is asked for: the instruction, or with "again" the one before it
        self._frames: Frames | None = None
        self._frames_ns: int | None = None  # when they came
        self._requested_ns: int | None = None
        self._joint_states: StampedBuffer[JointState | None] = StampedBuffer(JOINT_STATES)
        self._may_move = False  # until the filter says so
        self._stop_watch, self._ended_by = StopWatch(), ""
        self._level, self._explanation = Level.OK, "waiting for frames"
        self._late = self._counted_ns = 0
        self._told_id = 0  # instruction of which people were told last
        self._outputs: list[Output] = []

    def take_outputs(self) -> list[Output]:
        """Return what is to be published and logged since the last call, oldest first."""
        outputs, self._outputs = self._outputs, []
        return outputs

    # What the planner is told.

    def on_activate(self) -> None:
        """The policy may be asked from now on."""
        self.active = True
        if self.stopped:
            self._hold(f"active again; {self.outlook()}")
        else:
            self._explanation = "waiting for an instruction"

    def on_deactivate(self) -> None:
        """The policy is not asked any more, and what was asked for before does not begin again by itself."""
        if self.instruction_active and not self.finished:
            self.stopped, self._ended_by = True, "when the planner was deactivated"
        self.active = self.instruction_active = False
        self._hold("the planner was deactivated", Level.OK)

    def on_instruction(self, instruction_id: int, text: str) -> None:
        """A new instruction: let the policy serve it, unless the guard stops or refuses it; an empty one holds."""
        text = text.strip()
        self._answer_replaced(text)
        self.instruction = Instruction(instruction_id, text)
        self._log(Level.OK, f"instruction: {text[:LOGGED] or '(hold)'}")
        self.instruction_active = self.finished = self.stopped = False
        self._stop_watch.on_instruction()
        decision, found = self._read(text)
        again = bool(self.question) and decision.rule == AGAIN
        refused = bool(text) and decision.action is GuardAction.REFUSE and not again
        if not refused:  # what is refused answers nothing
            self.monitors.on_instruction()
            if self.question:
                self._ask("")
        if not self.question:
            self._level = Level.OK
        if refused:
            self._end(PlanState.REFUSED, decision.reason)
            if found is not None and found.suggestion:  # "yes" takes it
                self._task = found.suggestion
                self._ask(f"did you mean {found.suggestion!r}?")
        elif not text:
            self._hold("the instruction is empty", Level.OK)
        elif decision.action is GuardAction.STOP:
            # Holding fulfils a stop; what else was said with it is not done.
            self._end(PlanState.REFUSED if decision.partial else PlanState.DONE, decision.reason)
        else:
            self._task = self._task if again else text
            self._begin()

    def _answer_replaced(self, text: str) -> None:
        """Answer the instruction before, where nobody has been told of it yet: the newest wins."""
        before = self.instruction
        if self.instruction_active and not self.finished and self._told_id != before.id:
            said = f"replaced by {text[:LOGGED]!r}" if text else "replaced by nothing"
            self._told_id = before.id
            self._outputs.append(AnswerOutput(f"{said}, before it began: {before.text[:LOGGED]!r} is not done"))

    def _read(self, text: str) -> tuple[GuardDecision, ReadInstruction | None]:
        """Return what becomes of a text, and what it means where the interpreter has read it."""
        decision = self._guard.check(text)
        if self.interpreter is None or not text:
            return decision, None
        accepted = decision.action is GuardAction.ACCEPT or decision.rule in READ_APART
        stops = decision.action is GuardAction.STOP
        if not (accepted or stops or decision.rule == NEGATION):
            return decision, None
        if stops and len(text) > LONGEST_READ:
            return decision, None  # it stops without being read first
        found = self.interpreter.read(text)
        if (
            stops and found.steps and not found.leans
        ):  # "hold it" alone stops; "take the ball and hold it" is read whole
            return GuardDecision(GuardAction.ACCEPT), found
        if stops:
            told = found.question is not None  # "help" holds the arm, and is answered
            reason = f"{decision.reason}; {self.interpreter.help(self._frames)}" if told else decision.reason
            besides = next((part for part in self._guard.beside_stop(text) if self.interpreter.read(part).steps), "")
            if besides and not decision.partial:
                reason = f"{reason}; {besides!r} is not done"
            return replace(decision, reason=reason, partial=decision.partial or bool(besides)), None
        if not (accepted or found.steps):
            return decision, None
        if found.refusal:
            reason = f"{found.refusal}; {self.interpreter.help(self._frames)}"
            return GuardDecision(GuardAction.REFUSE, "words", reason), found
        return GuardDecision(GuardAction.ACCEPT), found

    def on_continue(self, instruction_id: int) -> tuple[bool, str]:
        """Go on with the task that a stop has ended, as an instruction of its own; return whether, and what or why not."""
        if not self.stopped:
            return False, f"nothing to continue: {self.outlook() or 'no task was ended by a stop'}"
        if not self._stop_watch.armed:
            return False, "cannot continue: the arm is not armed; call vla/reset where a stop is latched, then vla/arm"
        self.instruction = Instruction(max(instruction_id, self.instruction.id + 1), self.instruction.text)
        self.stopped = False
        self._stop_watch.on_instruction()
        self.monitors.on_instruction()
        self._log(Level.OK, f"continuing: {self.instruction.text[:LOGGED]}")
        self._begin()
        return True, f"continuing {self.instruction.text[:LOGGED]!r}"

    def on_stops(self, state: State | int, stops: int, reason: str) -> None:
        """The filter's state and its count of stops: a stop ends the task in hand.

        Args:
            state: of the filter. stops: since it was started. reason: what it says of itself now; empty: nothing.
        """
        if not self._stop_watch.on_status(state, stops) or not self.instruction_active:
            return
        if self.finished:
            self._end(PlanState.DONE, "done before the arm was stopped")
            return
        self._end(PlanState.FAILED, f"ended by a stop{f' ({reason})' if reason else ''}: {CONTINUE}")
        self.stopped, self._ended_by = True, "by a stop"
        self._level = Level.WARN

    def outlook(self) -> str:
        """Return what the arm does next with regard to the task, for people; empty: there is no task."""
        task = f"the task {self.instruction.text[:LOGGED]!r}"
        if self.stopped:
            return f"{task} was ended {self._ended_by}: {CONTINUE}"
        return f"{task} is under way" if self.instruction_active and not self.finished else ""

    def on_frames(self, frames: Frames, now_ns: int) -> None:
        """A new set of frames."""
        self._frames, self._frames_ns = frames, now_ns

    def refuse_frames(self, reason: str) -> None:
        """Frames are not taken any more, and why; empty: they are. The arm does not move by frames of an unknown source."""
        begins, self.frames_refused = reason and not self.frames_refused, reason
        if begins and self.active and self.instruction_active:
            self._hold(reason)

    def on_joint_state(self, stamp_ns: int, state: JointState | None) -> None:
        """Measured joints. state: None: the message of this stamp has no usable values for the policy's joints."""
        self._joint_states.add(stamp_ns, state)

    def joints_at(self, stamp_ns: int) -> Array | None:
        """Return the joint positions (n,) of a moment, rad or m, between the measured ones; None: not known.

        After the newest ones the joints go on at their speed, for JOINTS_AHEAD_S at most.
        """
        found = self._joint_states.around(stamp_ns)
        if found is None:
            return None
        (before_ns, before), (after_ns, after) = found
        if before is None or after is None:
            return None
        since_s = (stamp_ns - before_ns) / NS_PER_S
        if after_ns == before_ns:
            return before.q + before.dq * since_s if since_s <= JOINTS_AHEAD_S else None
        apart_s = (after_ns - before_ns) / NS_PER_S
        return before.q + (after.q - before.q) * (since_s / apart_s) if apart_s <= JOINTS_APART_S else None

    def on_safety_status(
        self, stamp_ns: int, state: State | int, source: str, names: Sequence[str], positions: Sequence[float]
    ) -> None:
        """What the safety filter says.

        Args:
            stamp_ns: of the message.
            state: of the filter.
            source: whose setpoints it follows; empty: nobody's.
            names, positions: (n,) what it sends to the arm, rad or m; empty: nothing.
        """
        self._may_move = state in ACTIVE and source != "override"
        self.monitors.on_motion(stamp_ns, self._may_move, names, positions)

    def tick(self, now_ns: int) -> None:
        """Let a monitor ask, and hold when frames are lacking: the arm must not go on with what was seen last."""
        question = self.monitors.question() if self.instruction_active and not self.finished else ""
        if question:
            self._level = Level.WARN
            self.monitors.on_plan(now_ns, self._end(PlanState.FAILED, question))
            self._ask(question)
        if self.active and self.instruction_active and not self._seeing(now_ns):
            self._hold(self.frames_refused or "no frames from the camera node")

    # The policy.

    def due(self, now_ns: int) -> bool:
        """Return whether the policy is to be asked now: after new frames, and after a new instruction."""
        if self.frames_refused or not (self.active and self.instruction_active and self._seeing(now_ns)):
            return False
        period_ns = PERIOD_SHARE * NS_PER_S / self._parameters.rate_hz
        return self._requested_ns is None or now_ns - self._requested_ns >= period_ns

    def request(self, now_ns: int) -> PlanRequest | None:
        """Return what to ask the policy, and count it as asked; None when the arm is to hold instead. Call it when `due`."""
        assert self._frames is not None
        # Of the moment of the frames: a hand that has gone on since is not where the picture shows it.
        state = self._joint_states.nearest(self._frames.stamp_ns)
        if state is None:
            self._hold("no joint states with the policy's joints")
            return None
        for name in self._parameters.required_cameras:
            view = self._frames.views.get(name)
            fault = "absent" if view is None else view.fault
            if fault:
                self._hold(f"camera {name} is {fault}")
                return None
        self._requested_ns = now_ns
        self.monitors.on_observation(now_ns, self._frames.views, state.q)
        words = self._task if self.interpreter is not None else self._prompt.render(self._task)
        instruction = Instruction(self.instruction.id, words)
        return PlanRequest(self._frames, instruction, replace(state, may_move=self._may_move))

    def on_plan(self, plan: Plan, now_ns: int) -> None:
        """The policy has answered the newest request."""
        self._level = Level.OK
        self._conclude(replace(plan, instruction=self.instruction), now_ns)

    def on_policy_error(self, error: Exception, now_ns: int) -> None:
        """The policy has raised. The instruction has failed, and does not begin again by itself."""
        self._level = Level.ERROR
        self.instruction_active = False
        self.rate.pause()
        reason = f"the policy failed: {type(error).__name__}: {error}"
        self._log(Level.ERROR, reason)
        self._conclude(self._without_motion(PlanState.FAILED, reason), now_ns)

    def _conclude(self, plan: Plan, now_ns: int) -> None:
        """Publish a plan that was requested; ask people when the policy has given up, and take it back when it goes on."""
        assert self._requested_ns is not None and self._frames_ns is not None
        took_ns = now_ns - self._requested_ns
        self._frames_ns += took_ns  # meanwhile nothing could be heard: a slow policy is no silence of the camera's
        self.finished = plan.state is PlanState.DONE
        self.monitors.on_plan(self._requested_ns, plan)
        self.rate.tick(self._requested_ns)
        self._explanation = f"{plan.subtask or plan.state.name.lower()}{': ' if plan.reasoning else ''}{plan.reasoning}"
        self._publish(plan, took_ns / NS_PER_S)
        self._tell(plan)
        ended = plan.state in ENDED
        if ended != bool(self.question):
            question = plan.reasoning if plan.reasoning.endswith("?") else f"{self._explanation}. What shall I do?"
            self._ask(question if ended else "")

    def _tell(self, plan: Plan) -> None:
        """Tell people once what will be done, what was asked, or why not."""
        reason = plan.reasoning
        ends = plan.state in (PlanState.DONE, *ENDED)
        begins = is_told(reason)
        if (self._told_id == plan.instruction.id and not begins) or not (ends or begins):
            return
        self._told_id = plan.instruction.id
        self._outputs.append(AnswerOutput(reason))
        if begins:
            self._log(Level.OK, reason)

    # What it says.

    def report(self, now_ns: int) -> tuple[Level, str]:
        """Return how the planner is, and why, for diagnostics."""
        if now_ns - self._counted_ns > NS_PER_S:
            self._late, self._counted_ns = self.rate.newly_missed(), now_ns
        if not self.active:
            return Level.WARN, "not active"
        if not self.instruction.text:
            return Level.OK, "waiting for an instruction"
        # Of a run that goes on: what a monitor saw last is old once nothing is carried out.
        warnings = self.monitors.warnings() if self.instruction_active else {}
        if self._level is Level.OK and warnings:
            return Level.WARN, "; ".join(f"{name}: {text}" for name, text in warnings.items())
        if self._level is Level.OK and self._late > LATE_SHARE * self._parameters.rate_hz:
            return Level.WARN, f"{self._late} late plans in the last second: {self._explanation}"
        return self._level, self._explanation

    def _begin(self) -> None:
        """Ask the policy from now on."""
        self.instruction_active, self.finished = True, False
        self._requested_ns = None  # it does not wait for a period to end
        self.rate.pause()

    def _seeing(self, now_ns: int) -> bool:
        """Whether there are frames that are not too old."""
        timeout_ns = self._parameters.frames_timeout_s * NS_PER_S
        return self._frames_ns is not None and now_ns - self._frames_ns <= timeout_ns

    def _ask(self, question: str) -> None:
        self.question = question
        self._outputs.append(QuestionOutput(question))

    def _end(self, state: PlanState, reason: str) -> Plan:
        """End the instruction without the policy, which is not asked for it any more."""
        self.instruction_active = False
        self._log(Level.WARN, reason)
        plan = self._publish_state(state, reason)
        self._tell(plan)
        return plan

    def _hold(self, reason: str, level: Level = Level.WARN) -> None:
        """Let the arm hold; a warning where somebody wants it to move."""
        self._level = level
        self._publish_state(PlanState.HOLD, reason)

    def _publish_state(self, state: PlanState, reason: str) -> Plan:
        """Publish a plan without motion, and return it."""
        self._explanation = reason
        self.rate.pause()
        plan = self._without_motion(state, reason)
        self._publish(plan, 0.0)
        return plan

    def _without_motion(self, state: PlanState, reason: str) -> Plan:
        stamp_ns = 0 if self._frames is None else self._frames.stamp_ns
        return Plan(stamp_ns, self.instruction, state, reasoning=reason)

    def _publish(self, plan: Plan, inference_s: float) -> None:
        self.plans += 1
        valid_for_s = self._parameters.valid_for_s
        plan = replace(plan, plan_id=self.plans, valid_for_s=valid_for_s, checkpoint=self.checkpoint)
        self._outputs.append(PlanOutput(plan, inference_s))

    def _log(self, level: Level, text: str) -> None:
        self._outputs.append(LogOutput(level, text))
