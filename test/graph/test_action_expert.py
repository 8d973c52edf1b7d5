"""What the action expert does with instructions and plans; which of them count is `InstructionTracker`'s."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from vla_ros.control.instruction_tracker import InstructionTracker
from vla_ros.control.refusals import Refusals
from vla_ros.msg import LatentPlan, SafetyStatus
from vla_ros.nodes import action_expert
from vla_ros.nodes.action_expert import ActionExpertNode
from vla_ros.policies.contract import Instruction, Plan, PlanState
from vla_ros.policies.latents import LatentReader, LatentWriter
from vla_ros.ros.convert import plan_message

S = 1_000_000_000


def expert(monkeypatch: pytest.MonkeyPatch, *instructions: int) -> SimpleNamespace:
    """What `read_topics` and `on_plan` know, with a plan for the first of the instructions when the others come, at 10 s."""
    clock = SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=0))
    who = SimpleNamespace(
        plan="old",
        no_plan_reason="",
        latents=LatentReader(),
        checkpoint_mismatch="",
        instruction_tracker=InstructionTracker(),
        planned_for=0,
        worker=None,
        parameters=SimpleNamespace(policy="compact"),
        get_clock=lambda: clock,
        simulated_time=False,
        instructions=SimpleNamespace(heard=lambda now_ns: False, relayed=lambda: instructions[1:]),
        hear_joints=lambda now_ns: None,
        statuses=(),
        plans=(),
    )
    who.instruction_tracker.on_instruction(instructions[0], 0)
    monkeypatch.setattr(action_expert, "take", lambda arrived: arrived)
    ActionExpertNode.read_topics(who, 10 * S)
    return who


def plan(instruction_id: int, state: PlanState = PlanState.ACTIVE) -> LatentPlan:
    made = Plan(
        10 * S, Instruction(instruction_id, "go"), state, plan_id=3, kind="features", data=np.zeros((1, 1), np.float32)
    )
    return plan_message(made, "compact", "base", 0.0, None)


def test_a_new_instruction_voids_the_plan_and_the_same_one_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert expert(monkeypatch, 7, 7).plan == "old"
    assert expert(monkeypatch, 7, 9).plan is None


def test_what_is_said_voids_the_plan_before_the_planner_knows_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    who = expert(monkeypatch, 7)
    assert who.plan == "old"
    who.instructions = SimpleNamespace(heard=lambda now_ns: True, relayed=lambda: ())
    ActionExpertNode.read_topics(who, 10 * S)
    assert (who.plan, who.no_plan_reason) == (None, "waiting for a plan for the new instruction")
    ActionExpertNode.on_plan(who, plan(7), 20 * S)
    assert who.plan is None, "the planner serves what was said before"


def test_a_plan_that_counts_is_followed_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    who = expert(monkeypatch, 7)
    ActionExpertNode.on_plan(who, plan(9), S // 4)
    assert who.plan == "old"
    ActionExpertNode.on_plan(who, plan(7), 10 * S)
    assert who.plan.instruction.id == 7
    ActionExpertNode.on_plan(who, plan(7, PlanState.FAILED), 11 * S)
    assert (who.plan, who.no_plan_reason) == (None, "failed")


def test_an_old_plan_is_not_moved_on_and_its_age_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    who = expert(monkeypatch, 7)  # the frames of the plan are of 10 s
    ActionExpertNode.on_plan(who, plan(7), 10 * S)
    valid_s = who.plan.valid_for_s
    assert ActionExpertNode.plan_invalid(who, who.plan.frame_stamp_ns + S // 2)[1] == ""
    level, text = ActionExpertNode.plan_invalid(who, who.plan.frame_stamp_ns + 2 * S)
    assert text == f"the newest plan is 2.00 s old, and valid for {valid_s:g} s"
    # A policy that takes 3 s for a plan: it is too old when it comes, and what to do is said.
    who.clock_offset_ns = 3 * S
    ActionExpertNode.on_plan(who, plan(7), 10 * S)
    level, text = ActionExpertNode.plan_invalid(who, who.plan.frame_stamp_ns + 4 * S)
    assert level == action_expert.WARN
    assert text.startswith("the newest plan is 4.00 s old")
    assert text.endswith("it was 3.00 s old when it came: for a slow policy raise planner.valid_for_s")


def test_a_plan_whose_shared_memory_is_gone_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    who = expert(monkeypatch, 7)
    made = Plan(10 * S, Instruction(7, "go"), PlanState.ACTIVE, kind="features", data=np.ones((4, 4), np.float32))
    writer = LatentWriter("vla_ros_test_expert", 64)
    message = plan_message(made, "compact", "base", 0.0, writer)
    ActionExpertNode.on_plan(who, message, 10 * S)
    assert (who.plan.data == 1.0).all()
    writer.close()
    who.latents.close()
    ActionExpertNode.on_plan(who, message, 10 * S)
    assert "is gone, or on another machine" in who.no_plan_reason
    assert "planner.shared_memory_bytes" in who.no_plan_reason


def test_plans_of_two_planners_are_followed_by_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    who = expert(monkeypatch, 7)
    monkeypatch.setattr(action_expert, "several_publishers", lambda _node, topic: f"2 publishers for {topic}: /a, /b")
    who.plans = [(plan(7), {})]
    who.look_up_planners = lambda: ActionExpertNode.look_up_planners(who)
    who.on_plan = lambda *_: pytest.fail("followed")
    ActionExpertNode.read_topics(who, 10 * S)
    assert (who.plan, who.no_plan_reason) == (None, "2 publishers for vla/latent_plan: /a, /b")


def test_a_stop_voids_the_plan_and_those_that_come_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    who = expert(monkeypatch, 7)
    cleared: list[bool] = []
    who.refusals, who.expert = Refusals(), SimpleNamespace(clear=lambda: cleared.append(True))
    who.parameters.joint_names = []
    holding, stopped = SafetyStatus(state=SafetyStatus.HOLDING), SafetyStatus(state=SafetyStatus.STOPPING, stops=1)
    ActionExpertNode.on_status(who, holding, 10 * S)
    assert who.plan == "old" and not cleared
    ActionExpertNode.on_status(who, stopped, 10 * S)
    assert (who.plan, who.no_plan_reason, cleared) == (None, "a stop has ended the task", [True])
    ActionExpertNode.on_plan(who, plan(7), 12 * S)
    assert who.plan is None, "the planner has not heard of the stop yet"
    ActionExpertNode.on_plan(who, plan(8), 12 * S)
    assert who.plan.instruction.id == 8
