"""Why an episode failed, by the simulator's truth."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vla_ros.lab.evaluation.episode_monitor import REASONS, EpisodeMonitor
from vla_ros.policies.contract import Instruction, Plan, PlanState
from vla_ros.tasks.judge import ObjectState
from vla_ros.tasks.task import Step, Task

X, OTHER = "red cube", "blue cube"
PICKED = Task("pick", (Step("pick", X),), "pick up the red cube")
MISSED = [{"step": "pick", "x": X, "y": "", "success": False}]
PUSHING = Task("push", (Step("push", X, "left"),), "push the red cube to the left")
PUSHED = [{"step": "push", "x": X, "y": "left", "success": False}]


class Scene:
    """Stands for the simulation: tests say what is where, and what is touched."""

    def __init__(self, task: Task = PICKED) -> None:
        self.task = task
        self.controller = SimpleNamespace(q=np.zeros(8))
        self.places = {X: np.array([0.5, 0.0, 0.022]), OTHER: np.array([0.5, 0.2, 0.022])}
        self.touching: set[str] = set()
        self.hand = ""
        self.start = self.truth()

    def truth(self) -> dict[str, ObjectState]:
        return {
            name: ObjectState(at.copy(), 0.0, float(at[2]), name in self.touching or name == self.hand)
            for name, at in self.places.items()
        }

    def gripped(self) -> str:
        return self.hand


@pytest.fixture
def scene() -> Scene:
    return Scene()


def watch(scene: Any, *moments: dict[str, Any]) -> EpisodeMonitor:
    """Let a monitor observe these moments. hand: what is gripped, 5 cm up; fingers: told width; moved: name of a thing."""
    monitor = EpisodeMonitor(scene)
    for moment in moments:
        scene.hand, scene.touching = moment.get("hand", ""), moment.get("touching", set())
        scene.controller.q[-1] = moment.get("fingers", 0.0)
        for name, at in scene.places.items():
            at[2] = 0.072 if name == scene.hand else 0.022
            at[0] += 0.1 * (name == moment.get("moved"))
        monitor.observe()
    return monitor


@pytest.mark.parametrize(
    ("moments", "state", "reason"),
    [
        ([{}], PlanState.FAILED, "never reached"),
        ([{}], PlanState.REFUSED, "refused"),
        ([{"moved": OTHER}], PlanState.DONE, "wrong object"),
        ([{"hand": OTHER}], PlanState.DONE, "wrong object"),
        ([{"touching": {X}}, {"hand": OTHER}], PlanState.DONE, "wrong object"),
        ([{"touching": {X}}], PlanState.FAILED, "not grasped"),
        ([{"hand": X}, {"fingers": 0.0005}], PlanState.DONE, "slipped"),
        ([{"hand": X}, {"fingers": 0.0395}], PlanState.DONE, "misplaced"),
        ([{"hand": X}, {"fingers": 0.0005}, {"hand": X}, {"fingers": 0.0395}], PlanState.DONE, "misplaced"),
        ([{"hand": X}], PlanState.FAILED, "gave up"),
    ],
)
def test_a_reason_for_every_failed_pick(
    scene: Scene, moments: list[dict[str, Any]], state: PlanState, reason: str
) -> None:
    assert reason in REASONS
    assert watch(scene, *moments).failure_reason(MISSED, state, False) == reason


def test_a_push_that_does_not_count_is_misplaced(scene: Scene) -> None:
    assert watch(scene, {"touching": {X}}).failure_reason(PUSHED, PlanState.DONE, False) == "misplaced"


def test_a_latched_filter_comes_first(scene: Scene) -> None:
    assert watch(scene, {}).failure_reason(MISSED, PlanState.FAILED, True) == "stopped by the filter"


def test_what_was_achieved_once_is_undone(scene: Scene) -> None:
    monitor = EpisodeMonitor(scene)  # type: ignore[arg-type]
    scene.hand, scene.places[X][2] = X, 0.2
    monitor.observe()
    scene.hand, scene.places[X][2] = "", 0.022
    monitor.observe()
    assert monitor.failure_reason(MISSED, PlanState.DONE, False) == "undone"


def test_nothing_touched_and_nothing_moved_is_still(scene: Scene) -> None:
    assert watch(scene, {}).is_untouched()
    assert not watch(scene, {"moved": OTHER}).is_untouched()
    assert not watch(Scene(), {"touching": {X}}, {}).is_untouched()


def plan(x: float, y: float, confidence: float, state: PlanState = PlanState.ACTIVE) -> Plan:
    path = np.array([[x, y, 0.2, 0, 0, 0, 1]])
    return Plan(0, Instruction(1, "pick"), state, path=path, confidence=confidence)


def test_what_the_first_moving_plan_leads_to_is_what_was_meant(scene: Scene) -> None:
    right, wrong, nowhere = (EpisodeMonitor(scene) for _ in range(3))  # type: ignore[arg-type]
    right.on_plan(plan(0.5, 0.2, 0.2, PlanState.HOLD))
    assert right.meant is None and np.isnan(right.confidence)
    for y, confidence in ((0.01, 0.8), (0.2, 0.6)):
        right.on_plan(plan(0.5, y, confidence))
    assert right.meant is True and right.confidence == pytest.approx(0.7)
    wrong.on_plan(plan(0.5, 0.18, 0.9))
    nowhere.on_plan(plan(0.3, 0.0, 0.9))
    assert (wrong.meant, nowhere.meant) == (False, False)


def test_a_push_begins_behind_what_is_meant() -> None:
    right, wrong = (EpisodeMonitor(Scene(PUSHING)) for _ in range(2))  # type: ignore[arg-type]
    right.on_plan(plan(0.5, -0.062, 0.9))
    wrong.on_plan(plan(0.5, 0.2 - 0.062, 0.9))
    assert (right.meant, wrong.meant) == (True, False)


def test_a_refusal_is_as_sure_as_it_says_and_a_hold_says_nothing(scene: Scene) -> None:
    refusing, acting, holding = (EpisodeMonitor(scene) for _ in range(3))  # type: ignore[arg-type]
    refusing.on_plan(plan(0.5, 0.0, 0.1, PlanState.REFUSED))
    assert refusing.confidence == 0.1 and refusing.meant is None
    acting.on_plan(plan(0.5, 0.0, 0.9))
    acting.on_plan(plan(0.5, 0.0, 0.2, PlanState.FAILED))
    assert acting.confidence == 0.9
    holding.on_plan(plan(0.5, 0.0, 0.3, PlanState.HOLD))
    assert np.isnan(holding.confidence)
