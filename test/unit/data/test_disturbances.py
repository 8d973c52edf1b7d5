"""What goes wrong in a demonstration fits its task, and leaves space around what it moves."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.data import disturbances
from vla_ros.data.disturbances import draw, move_to_free_place
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.variation import X_RANGE, Y_RANGE


@pytest.fixture(scope="module")
def pushing() -> Simulation:
    return Simulation(1, "push")


def test_a_push_has_no_grasp_that_could_slip(pushing: Simulation) -> None:
    kinds = {draw(np.random.default_rng(seed), pushing).kind for seed in range(60)}
    assert kinds.isdisjoint({"slip", "drop"}) and {"none", "moved", "kick"} <= kinds


def test_what_is_wrongly_held_is_no_object_of_the_task(pushing: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disturbances, "SHARES", {"wrong object": 1.0})
    step = pushing.task.steps[0]
    for seed in range(5):
        held = draw(np.random.default_rng(seed), pushing).held
        assert held not in (step.x, step.y, "bowl", "plate") and pushing.scene.find(held)


def test_an_object_is_moved_inside_the_workspace_and_apart_from_others() -> None:
    simulation = Simulation(4, "pick")
    name = simulation.task.steps[0].x
    before = simulation.object_pose(name)[:2, 3].copy()
    assert move_to_free_place(simulation, name, np.random.default_rng(0))
    at = simulation.object_pose(name)[:2, 3]
    assert 0.019 < np.linalg.norm(at - before) < 0.101
    assert X_RANGE[0] < at[0] < X_RANGE[1] and Y_RANGE[0] < at[1] < Y_RANGE[1]
