"""Which plans the action expert follows: of the newest sentence, also where it missed that itself."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace

import numpy as np
import pytest

from vla_ros.msg import LatentPlan
from vla_ros.nodes import action_expert
from vla_ros.nodes.action_expert import MISSED_NS, ActionExpert
from vla_ros.nodes.convert import plan_message
from vla_ros.policies.contract import Instruction, Plan, PlanState

S = 1_000_000_000


def expert(heard: int | None, before: tuple[int, ...] = ()) -> SimpleNamespace:
    """What `consider` knows: the newest sentence heard, at 10 s, and those before it."""
    parameters = SimpleNamespace(policy="compact")
    return SimpleNamespace(
        plan="old",
        planless="",
        stranger="",
        instruction_id=heard,
        heard_ns=10 * S if heard else 0,
        superseded=deque(before, maxlen=16),
        worker=None,
        parameters=parameters,
    )


def plan(instruction_id: int, state: PlanState = PlanState.ACTIVE) -> LatentPlan:
    made = Plan(
        10 * S, Instruction(instruction_id, "go"), state, plan_id=3, kind="features", data=np.zeros((1, 1), np.float32)
    )
    return plan_message(made, "compact", "base", 0.0, None)


def test_a_sentence_that_comes_after_its_plan_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    who = expert(7)
    who.serve = lambda instruction_id: ActionExpert.serve(who, instruction_id)
    assert considered(who, plan(9), 20 * S) == 9
    queues = {"instructions": [(None, {"source_timestamp": 9})]}
    clock = SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=0))
    who.get_clock, who.simulated_time = lambda: clock, False
    who.instructions, who.joint_states, who.statuses, who.plans = "instructions", "", "", ""
    monkeypatch.setattr(action_expert, "take", lambda name: queues.get(name, []))
    ActionExpert.listen(who, 21 * S)
    assert (who.instruction_id, list(who.superseded), who.plan.instruction.id) == (9, [7], 9)


def considered(who: SimpleNamespace, message: LatentPlan, now_ns: int) -> int | None:
    """The sentence that is followed afterwards; 0: none."""
    who.serve = lambda instruction_id: ActionExpert.serve(who, instruction_id)
    ActionExpert.consider(who, message, now_ns)
    if who.plan is None:
        return 0
    return None if who.plan == "old" else who.plan.instruction.id


@pytest.mark.parametrize(
    ("heard", "before", "comes", "state", "now_ns", "followed"),
    [
        (7, (), 7, PlanState.ACTIVE, 10 * S, 7),
        (None, (), 5, PlanState.ACTIVE, 10 * S, 5),
        (7, (5,), 5, PlanState.ACTIVE, 20 * S, None),
        (7, (5,), 5, PlanState.DONE, 20 * S, None),
        (7, (), 9, PlanState.ACTIVE, 10 * S + MISSED_NS - 1, None),
        (7, (), 9, PlanState.ACTIVE, 10 * S + MISSED_NS, 9),
        (7, (), 9, PlanState.DONE, 10 * S, 0),
        (7, (), 7, PlanState.FAILED, 10 * S, 0),
    ],
    ids=["newest", "first", "superseded", "superseded, done", "too early", "missed", "missed stop", "failed"],
)
def test_plans_of_the_newest_sentence_are_followed(
    heard: int | None, before: tuple[int, ...], comes: int, state: PlanState, now_ns: int, followed: int | None
) -> None:
    assert considered(expert(heard, before), plan(comes, state), now_ns) == followed
