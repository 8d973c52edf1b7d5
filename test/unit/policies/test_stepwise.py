"""What is understood is told before anything moves, then done one step after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from vla_ros.language.reader import InstructionReader, LanguageParameters
from vla_ros.language.steps import InstructionStep, StepAction
from vla_ros.language.view import SeenThing
from vla_ros.perception.frames import Frames
from vla_ros.policies import waypoints
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.stepwise import CheckedSystem2, StepwiseSystem2, interpreter_of, stepwise

READER = InstructionReader.of(LanguageParameters(["en"]))
STATE = JointState(0, np.zeros(8), np.zeros(8))
SEEN = (
    SeenThing("red", "cube", (0.5, 0.2), 0.044, 0.044),
    SeenThing("green", "cube", (0.5, 0.0), 0.044, 0.044),
    SeenThing("", "bowl", (0.5, -0.2), 0.15, 0.045),
)


class Underneath:
    """A policy that does steps of some kinds, two plans for each sentence."""

    checkpoint, statistics, skills = "c", None, ("pick up the red cube",)

    def __init__(self, actions: Sequence[StepAction], helper: Any = None) -> None:
        self._actions, self.helper = actions, helper
        self.asked: list[Instruction] = []
        self.ends_with = PlanState.DONE
        self.view: tuple[SeenThing, ...] | None = SEEN

    def words_for(self, steps: Sequence[InstructionStep]) -> str:
        able = all(step.action in self._actions for step in steps)
        return "; ".join(str(step) for step in steps) if able else ""

    def look(self, frames: Frames) -> tuple[SeenThing, ...] | None:
        return self.view

    def holding(self, frames: Frames, joint_state: JointState) -> str:
        return ""

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        plan = Plan(frames.stamp_ns, instruction, PlanState.ACTIVE, subtask="go", progress=0.5)
        if instruction in self.asked:
            return replace(plan, state=self.ends_with, reasoning="not in view" if self.ends_with else "")
        self.asked.append(instruction)
        rows = np.zeros((2, waypoints.pack([]).shape[-1] if waypoints.pack([]).ndim > 1 else 10))
        rows[:, 0] = [0, 1]
        return replace(plan, kind=waypoints.KIND, data=rows)


def run(system2: StepwiseSystem2 | CheckedSystem2, text: str, number: int = 1, most: int = 12) -> list[Plan]:
    plans: list[Plan] = []
    while len(plans) < most:
        plans.append(system2.plan(Frames(len(plans), {}), Instruction(number, text), STATE))
        if plans[-1].state not in (PlanState.HOLD, PlanState.ACTIVE):
            break
    return plans


def test_it_is_told_before_anything_moves() -> None:
    plans = run(StepwiseSystem2(Underneath([StepAction.PICK]), READER), "grab the left cube")
    assert (plans[0].state, plans[0].reasoning) == (PlanState.HOLD, "I will: pick up the red cube.")
    assert [plan.state.name for plan in plans[1:]] == ["ACTIVE", "DONE"]


def test_the_helper_does_what_the_policy_cannot() -> None:
    helper = Underneath([StepAction.HOME])
    policy = Underneath([StepAction.PICK], helper)
    plans = run(StepwiseSystem2(policy, READER), "grab the red cube and go home")
    assert plans[-1].state is PlanState.DONE
    assert [each.text for each in policy.asked + helper.asked] == ["pick up the red cube", "go home"]
    indices = [int(plan.data[-1, 0]) for plan in plans if plan.kind]
    assert indices == [1, 3]  # waypoints count on: System 1 knows one instruction
    assert all(plan.instruction == Instruction(1, "grab the red cube and go home") for plan in plans)


def test_the_second_object_in_one_bowl_is_the_helpers() -> None:
    helper = Underneath([StepAction.PLACE])
    policy = Underneath([StepAction.PLACE], helper)
    run(StepwiseSystem2(policy, READER), "put the red cube in the bowl and the green cube in the bowl")
    assert [["red" in each.text for each in asked] for asked in (policy.asked, helper.asked)] == [[True], [False]]
    alone = Underneath([StepAction.PLACE])
    run(StepwiseSystem2(alone, READER), "put the red cube in the bowl and the green cube in the bowl")
    assert len(alone.asked) == 1 and "green" in alone.asked[0].text  # nobody helps: both in one sentence


def test_what_nobody_can_do_is_refused_by_name() -> None:
    [plan] = run(StepwiseSystem2(Underneath([StepAction.PICK]), READER), "put the red cube in the bowl")
    assert plan.state is PlanState.REFUSED and "nothing that this policy can do" in plan.reasoning
    assert "in view: the red cube, the green cube, the bowl" in plan.reasoning


def test_an_unclear_object_is_refused_with_those_that_it_can_be() -> None:
    [plan] = run(StepwiseSystem2(Underneath([StepAction.PICK]), READER), "grab the cube")
    assert plan.state is PlanState.REFUSED and "the red cube or the green cube" in plan.reasoning


def test_a_question_is_answered_without_motion() -> None:
    policy = Underneath([])
    [plan] = run(StepwiseSystem2(policy, READER), "what do you see?")
    assert (plan.state, plan.reasoning) == (PlanState.DONE, "I see: the red cube, the green cube, the bowl")
    assert not policy.asked


def test_it_is_what_the_last_instruction_was_about() -> None:
    system2 = StepwiseSystem2(Underneath([StepAction.PICK, StepAction.PUSH]), READER)
    run(system2, "grab the red cube")
    assert run(system2, "push it to the left", 2)[0].reasoning == "I will: push the red cube to the left."
    assert run(system2, "grab the other one", 3)[0].reasoning == "I will: pick up the green cube."


def test_without_an_image_plain_names_go_on_and_others_wait() -> None:
    policy = Underneath([StepAction.PICK])
    policy.view = None
    system2 = StepwiseSystem2(policy, READER)
    assert run(system2, "grab the red cube")[-1].state is PlanState.DONE
    assert run(system2, "grab the left cube", 2)[-1].state is PlanState.HOLD


def test_what_the_policy_does_not_find_is_told_with_the_view() -> None:
    policy = Underneath([StepAction.PICK])
    policy.ends_with = PlanState.REFUSED
    plan = run(StepwiseSystem2(policy, READER), "grab the blue ball")[-1]
    assert (plan.state, plan.reasoning) == (
        PlanState.REFUSED,
        "not in view; in view: the red cube, the green cube, the bowl",
    )


class Foreign:
    """A policy of somebody else's: it takes any words."""

    checkpoint = "f"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        self.asked.append(instruction.text)
        return Plan(frames.stamp_ns, instruction, PlanState.DONE)


def test_a_policy_with_words_of_its_own_is_checked_only_when_asked_for() -> None:
    foreign = Foreign()
    assert stepwise(foreign, READER) is foreign and interpreter_of(foreign) is None
    checked = stepwise(foreign, READER, always=True, word=str.upper)
    assert isinstance(checked, CheckedSystem2)
    assert run(checked, "fold the towel")[-1].state is PlanState.REFUSED and not foreign.asked
    plans = run(checked, "grab the red cube", 2)
    assert plans[0].reasoning == "I will: pick up the red cube."
    assert plans[1].state is PlanState.DONE and foreign.asked == ["GRAB THE RED CUBE"]
    assert run(checked, "grab the left cube", 3)[0].state is PlanState.REFUSED


def test_an_errand_that_a_later_one_has_undone_is_named_at_the_end() -> None:
    policy = Underneath([StepAction.PLACE], Underneath([StepAction.OPEN]))
    system2 = StepwiseSystem2(policy, READER)
    text = "put the red cube in the bowl and open the gripper"
    [*_, end] = run(system2, text)
    assert end.state is PlanState.FAILED
    assert end.reasoning.startswith("not all is done: the red cube is not in the bowl: it is 32 cm off")
    policy.view = (replace(SEEN[0], p_base=(0.5, -0.2)), SEEN[2])
    assert run(system2, text, 2)[-1].state is PlanState.DONE
    policy.view = SEEN[2:]
    [*_, end] = run(system2, text, 3)
    assert (end.state, end.reasoning.endswith("at the end the red cube is not in view")) == (PlanState.DONE, True)
