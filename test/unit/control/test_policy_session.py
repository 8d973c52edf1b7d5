"""A policy whose chunks are played elsewhere: the way goes on from chunk to chunk, and every end of a plan holds the arm."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vla_ros.control.policy_session import HELD_ROWS, PolicySession, arm_mask
from vla_ros.guard import Guard, load_prompt, load_rules
from vla_ros.perception.frames import Frames
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.registry import Robot, system1, system2
from vla_ros.sim.arm_description import FINGER_JOINT, HOME, JOINT_NAMES, urdf
from vla_ros.time import NS_PER_S

ROBOT = Robot(urdf(), JOINT_NAMES)
RATE_HZ = 50.0


class RecordedSystem2:
    """Says what the test wants, and remembers what it was asked."""

    checkpoint = "c"

    def __init__(self) -> None:
        self.state, self.asked = PlanState.ACTIVE, list[Instruction]()

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        self.asked.append(instruction)
        return Plan(frames.stamp_ns, instruction, self.state, reasoning="so it is")


def session(plans: object = None) -> PolicySession:
    options = {"speed_scale": 1.0}
    return PolicySession(
        plans or system2("scripted", ROBOT, options),  # type: ignore[arg-type]
        system1("scripted", ROBOT, options),
        Guard(load_rules("guard")),
        load_prompt("plain.v1"),
        arm_mask(JOINT_NAMES, FINGER_JOINT),
        RATE_HZ,
        0.08,
    )


def at(stamp_s: float, q: np.ndarray = HOME) -> tuple[Frames, JointState]:
    stamp_ns = round(stamp_s * NS_PER_S)
    return Frames(stamp_ns, {}), JointState(stamp_ns, q.copy(), np.zeros(len(q)))


def test_the_way_begins_at_the_arm_and_goes_on_smoothly_from_answer_to_answer() -> None:
    made = session()
    made.instruct("run", 1)
    q, played = HOME.copy(), [HOME.copy()]
    for request in range(30):
        plan, rows = made.answer(*at(1.0 + 0.1 * request, q))
        assert plan.state is PlanState.ACTIVE and rows.shape[1] == 8
        if request == 0:
            assert np.allclose(rows[0], HOME, atol=1e-6)
        played += list(rows[1:6])  # for 0.1 s, then the next answer
        q = played[-1]
    way = np.stack(played)
    assert np.abs(np.diff(way, axis=0)).max() * RATE_HZ < 1.2  # rad/s; wave.yaml at full speed
    assert np.abs(np.diff(way, 2, axis=0)).max() * RATE_HZ**2 < 8.0  # rad/s²: no step in velocity
    assert np.abs(way - HOME).max() > 0.05


def test_a_plan_that_does_not_move_holds_the_arm_where_it_is() -> None:
    plans = RecordedSystem2()
    made = session(plans)
    made.instruct("run", 1)
    for state in (PlanState.HOLD, PlanState.DONE, PlanState.FAILED, PlanState.REFUSED):
        plans.state = state
        plan, rows = made.answer(*at(1.0, HOME + 0.1))
        assert (plan.state, plan.reasoning) == (state, "so it is")
        assert np.array_equal(rows, np.repeat((HOME + 0.1)[None], HELD_ROWS, axis=0))


def test_new_words_and_a_new_episode_are_a_new_instruction() -> None:
    plans = RecordedSystem2()
    made = session(plans)
    plans.state = PlanState.HOLD
    for text, episode in [("run", 1), ("run", 1), ("run", 2), ("wave", 2), ("wave", None)]:
        made.instruct(text, episode)
        made.answer(*at(1.0))
    assert [each.id for each in plans.asked] == [1, 1, 2, 3, 4]
    made.forget()
    made.instruct("wave", None)
    made.answer(*at(1.1))
    assert plans.asked[-1].id == 5


@pytest.mark.parametrize(
    ("text", "state"), [("pick up the knife", PlanState.REFUSED), ("stop!", PlanState.DONE), ("run", PlanState.HOLD)]
)
def test_the_guard_judges_what_a_client_says(text: str, state: PlanState) -> None:
    plans = RecordedSystem2()
    plans.state = PlanState.HOLD
    made = session(plans)
    made.instruct(text, 1)
    plan, _ = made.answer(*at(1.0))
    assert plan.state is state and len(plans.asked) == (state is PlanState.HOLD)


@pytest.mark.parametrize("later_s", [-5.0, 30.0])
def test_stamps_that_jump_begin_a_new_path_from_rest(later_s: float) -> None:
    made = session()
    made.instruct("run", 1)
    for request in range(10):
        _, rows = made.answer(*at(10.0 + 0.1 * request))
    elsewhere = HOME + 0.05
    _, rows = made.answer(*at(11.0 + later_s, elsewhere))
    assert np.allclose(rows[0], elsewhere, atol=1e-6) and math.isclose(rows[1, 0], elsewhere[0], abs_tol=1e-3)


def test_an_arm_that_is_elsewhere_is_started_from_where_it_is() -> None:
    made = session()
    made.instruct("run", 1)
    made.answer(*at(1.0))
    moved = HOME.copy()
    moved[0] += 0.5
    _, rows = made.answer(*at(1.1, moved))
    assert np.allclose(rows[0], moved, atol=1e-6)
