"""A planner's core among scripted neighbours, on a clock of its own."""

from __future__ import annotations

import numpy as np

from vla_ros.control.planner import (
    AnswerOutput,
    Level,
    LogOutput,
    PlannerCore,
    PlanOutput,
    PlanRequest,
    QuestionOutput,
)
from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.guard import Guard, load_prompt, load_rules
from vla_ros.monitors import Monitors, TrainingStatistics
from vla_ros.monitors.training_statistics import ImageStatistics
from vla_ros.parameters import from_mapping
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.policies.contract import JointState, Plan, PlanState
from vla_ros.safety.states import State
from vla_ros.time import NS_PER_S

TASK = "put the red cube in the bowl"
JOINTS = ("shoulder", "finger")
PARAMETERS = {
    "joint_names": list(JOINTS),
    "required_cameras": ["front"],
    "rate_hz": 10.0,
    "frames_timeout_s": 0.5,
    "valid_for_s": 0.6,
}
PERIOD_NS = NS_PER_S // 10
GUARD = Guard(load_rules("guard"))
DARK = TrainingStatistics({"front": ImageStatistics(np.full(3, 0.02), np.full(3, 0.01))}, np.zeros(0), np.zeros(0))


class Policy:
    """Says what it is told to say. heard: what it was asked for."""

    def __init__(self) -> None:
        self.state, self.reasoning, self.progress = PlanState.ACTIVE, "", 0.4
        self.takes_s = 0.02
        self.error: Exception | None = None
        self.heard: list[PlanRequest] = []

    def plan(self, request: PlanRequest) -> Plan:
        self.heard.append(request)
        if self.error is not None:
            raise self.error
        stamp_ns = request.frames.stamp_ns
        return Plan(stamp_ns, request.instruction, self.state, reasoning=self.reasoning, progress=self.progress)


class Desk:
    """A planner's core, its policy, what is put to it and what it says, on a clock that moves when it is told to."""

    def __init__(self, statistics: TrainingStatistics | None = None, **changes: object) -> None:
        self.parameters = from_mapping(PlannerParameters, {**PARAMETERS, **changes}, "planner.")
        monitors = Monitors(self.parameters.monitors, JOINTS, statistics)
        self.core = PlannerCore(self.parameters, GUARD, load_prompt(self.parameters.prompt), monitors)
        self.core.checkpoint = "0123"
        self.core.on_activate()
        self.policy = Policy()
        self.now_ns = 1000 * NS_PER_S
        self.stamp_ns = 0
        self.instructions = 0
        self.view = CameraView(np.full((8, 8, 3), 5, np.uint8))
        self.plans: list[Plan] = []
        self.inferences_s: list[float] = []
        self.questions: list[str] = []
        self.log: list[tuple[Level, str]] = []
        self.answers: list[str] = []
        self.core.on_joint_state(0, JointState(0, np.zeros(2), np.zeros(2)))
        self.core.on_safety_status(0, State.HOLDING, "", (), ())

    def look(self) -> None:
        """A set of frames comes, a period later."""
        self.now_ns += PERIOD_NS
        self.stamp_ns += PERIOD_NS
        self.core.on_frames(Frames(self.stamp_ns, {"front": self.view}), self.now_ns)
        self.work()

    def say(self, text: str) -> Plan:
        """Return the plan for an instruction."""
        if self.core._frames is None:
            self.look()
        self.instructions += 1
        self.core.on_instruction(self.instructions, text)
        self.work()
        return self.plans[-1]

    def work(self) -> None:
        """Do what the node does after frames and instructions."""
        request = self.core.request(self.now_ns) if self.core.due(self.now_ns) else None
        if request is not None:
            self.now_ns += round(self.policy.takes_s * NS_PER_S)
            try:
                self.core.on_plan(self.policy.plan(request), self.now_ns)
            except Exception as error:
                self.core.on_policy_error(error, self.now_ns)
        self.hear()

    def tick(self) -> None:
        self.core.tick(self.now_ns)
        self.hear()

    def hear(self) -> None:
        """Sort what the core says."""
        for output in self.core.take_outputs():
            match output:
                case PlanOutput(plan, inference_s):
                    self.plans.append(plan)
                    self.inferences_s.append(inference_s)
                case QuestionOutput(text):
                    self.questions.append(text)
                case AnswerOutput(text):
                    self.answers.append(text)
                case LogOutput(level, text):
                    self.log.append((level, text))

    def give_up_by_monitor(self) -> None:
        """Let a monitor end the instruction."""
        self.core.monitors.question = lambda: "progress: no progress for 30 s. What shall I do?"  # type: ignore[method-assign]
        self.tick()
        del self.core.monitors.question

    @property
    def question(self) -> str:
        return self.questions[-1] if self.questions else ""

    @property
    def report(self) -> tuple[Level, str]:
        return self.core.report(self.now_ns)
