"""System 2 of the compact policy with a tiny network of random weights: what it keeps whatever it has learned."""

import numpy as np
import pytest

from test.unit.policies.compact.tiny import ROBOT, SIZES, frames, state
from vla_ros.perception.frames import CameraHealth
from vla_ros.policies.compact.system2 import contradicts_done
from vla_ros.policies.contract import Frames, Instruction, PlanState
from vla_ros.policies.registry import system2
from vla_ros.time import NS_PER_S


def test_both_halves_carry_the_same_hash(halves):
    assert halves[0].checkpoint == halves[1].checkpoint


def test_a_plan_holds_latents_waypoints_and_words(halves):
    planner, _ = halves
    plan = planner.plan(frames(), Instruction(1, "pick up the red cube"), state())
    assert plan.state is PlanState.ACTIVE and plan.kind == "features"
    assert plan.data.shape == (SIZES.latents + SIZES.waypoints, SIZES.latent)
    assert plan.path.shape == (SIZES.waypoints, 7) and np.isfinite(plan.path).all()
    np.testing.assert_allclose(np.linalg.norm(plan.path[:, 3:], axis=1), 1.0, atol=1e-9)
    assert plan.subtask and "{" not in plan.subtask
    assert 0 <= plan.progress <= 1 and 0 <= plan.confidence <= 1


def test_without_a_camera_or_words_it_holds(halves):
    planner, _ = halves
    said = Instruction(2, "pick up the red cube")
    assert planner.plan(Frames(0, {}), said, state()).state is PlanState.HOLD
    plan = planner.plan(frames(health=CameraHealth.FROZEN), said, state())
    assert plan.state is PlanState.HOLD and "frozen" in plan.reasoning
    assert planner.plan(frames(), Instruction(3, "  "), state()).state is PlanState.HOLD


def test_time_in_which_the_arm_may_not_move_is_no_waiting(halves, monkeypatch):
    planner, _ = halves
    said, told = Instruction(4, "pick up the red cube"), []
    planner.plan(frames(), said, state())
    monkeypatch.setattr(planner._selector, "update", lambda probabilities, rests: told.append(rests) or 0)
    for may_move, first_s in ((False, 1), (True, 42)):
        times_ns = range(first_s * NS_PER_S, (first_s + 41) * NS_PER_S, NS_PER_S)
        plans = [planner.plan(frames(now_ns), said, state(may_move=may_move)) for now_ns in times_ns]
        assert set(told) == {may_move}
        assert (plans[-1].state is PlanState.FAILED) is may_move
        told.clear()
    assert plans[-1].reasoning.endswith("it takes too long")


def test_what_is_not_understood_is_refused_with_the_words_that_nobody_taught(folder):
    planner = system2("compact", ROBOT, {"checkpoint": str(folder), "least_understood": 1.0})
    plan = planner.plan(frames(), Instruction(1, "solder the red capacitor"), state())
    assert plan.state is PlanState.REFUSED
    assert "solder" in plan.reasoning and "capacitor" in plan.reasoning and "red" not in plan.reasoning


@pytest.mark.parametrize(("text", "taken"), [("the red spoon", False), ("the red cube quickly", True)])
def test_an_unknown_word_behind_a_colour_is_a_thing_that_nobody_taught(halves, text, taken):
    plan = halves[0].plan(frames(), Instruction(1, f"pick up {text}"), state())
    assert (plan.state is PlanState.REFUSED) is not taken
    assert taken or plan.reasoning == "not understood; unknown words: spoon"


@pytest.mark.parametrize(
    ("verb", "x", "y", "p_tool", "far"),
    [
        ("stack", (0.5, 0.0), (0.5, 0.01), (0.4, 0.2), False),
        ("stack", (0.5, 0.0), (0.5, 0.17), (0.5, 0.0), True),
        ("place", (0.5, 0.0), (0.4, 0.1), (0.5, 0.0), True),
        ("pick", (0.5, 0.0), (0.0, 0.0), (0.5, 0.02), False),
        ("pick", (0.5, 0.0), (0.0, 0.0), (0.5, 0.2), True),
        ("push", (0.5, 0.0), (0.0, 0.0), (0.9, 0.2), False),
    ],
)
def test_what_is_seen_elsewhere_cannot_be_done(verb, x, y, p_tool, far):
    places = (np.array([*place, height]) for place, height in ((x, 0.02), (y, 0.06), (p_tool, 0.2)))
    assert contradicts_done(verb, *places) is far
