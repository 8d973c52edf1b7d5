"""Goals are judged by the true state: reached where they should be, and nowhere near it."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.arrays import Array
from vla_ros.lab.evaluation.honest.goals import FINGER, is_reached, steps_of
from vla_ros.lab.evaluation.honest.sentence import Sentence, roles
from vla_ros.sim.arm_description import HOME
from vla_ros.sim.simulation import Simulation
from vla_ros.tasks.objects import BOWL_FLOOR_M
from vla_ros.tasks.task import Step


@pytest.fixture(scope="module")
def world() -> Simulation:
    return Simulation.of(*Sentence("", needs="stable").sample(2))


@pytest.fixture(autouse=True)
def _put_back(world: Simulation) -> None:
    for name, body in world.start.items():
        world.move_object(name, body.p_base)
    world.place_arm(HOME)


def put(world: Simulation, at: str, offset: tuple[float, float, float]) -> None:
    """Put x beside the start of another object; offset: m."""
    x = roles(world.scene, world.task)["x"]
    p: Array = world.start[at].p_base.copy()
    p[2] = world.start[x].p_base[2]
    world.move_object(x, p + offset)


@pytest.mark.parametrize(
    ("goal", "offset", "reached"),
    [
        ("place x bowl", (0, 0, BOWL_FLOOR_M), True),
        ("place x bowl", (0, 0.15, 0), False),
        ("beside x bowl", (0, 0.15, 0), True),
        ("beside x bowl", (0, 0.25, 0), False),
        ("beside x bowl", (0, 0.15, 0.05), False),
        ("left_of x bowl", (0.02, 0.15, 0), True),
        ("left_of x bowl", (0.02, -0.15, 0), False),
        ("left_of x bowl", (0.15, 0.02, 0), False),
        ("right_of x bowl", (0.02, -0.15, 0), True),
        ("ahead x bowl", (-0.15, 0.02, 0), True),
        ("ahead x bowl", (0.02, 0.15, 0), False),
    ],
)
def test_places(world: Simulation, goal: str, offset: tuple[float, float, float], reached: bool) -> None:
    assert not is_reached("place x bowl", world)
    put(world, "bowl", offset)
    assert is_reached(goal, world) is reached


def test_between_lengths_and_table(world: Simulation) -> None:
    x = roles(world.scene, world.task)["x"]
    middle = (world.start["bowl"].p_base + world.start["plate"].p_base) / 2
    put(world, "bowl", tuple(middle - world.start["bowl"].p_base)[:2] + (0.0,))  # type: ignore[arg-type]
    assert is_reached("between x bowl plate", world)
    put(world, x, (0, 0.1, 0))
    assert is_reached("by x left 0.10", world) and is_reached("table x", world)
    assert is_reached("by x side 0.10", world) and not is_reached("by x other_side 0.10", world)  # side: left
    assert not is_reached("by x right 0.10", world) and not is_reached("by x left 0.15", world)
    put(world, x, (0, 0, 0.1))
    assert not is_reached("table x", world)


def test_all_conditions_must_hold(world: Simulation) -> None:
    put(world, "bowl", (0, 0, BOWL_FLOOR_M))
    assert not is_reached("place x bowl; pick b", world)


def test_hand_and_arm(world: Simulation) -> None:
    assert is_reached("home", world) and is_reached("open", world) and not is_reached("closed", world)
    q = HOME.copy()
    q[0], q[FINGER] = 0.5, 0.001
    world.place_arm(q)
    assert is_reached("closed", world) and not is_reached("home", world) and not is_reached("open", world)
    world.place_arm(HOME)
    put(world, "bowl", (0, 0.15, 0))
    assert not is_reached("open", world)  # something else was moved


def test_goals_of_tasks_are_steps() -> None:
    assert steps_of("place x bowl; pick b", {"x": "red cube", "b": "blue ball"}) == (
        Step("place", "red cube", "bowl"),
        Step("pick", "blue ball"),
    )
    assert steps_of("beside x bowl", {}) is None
    assert np.isclose(HOME[FINGER], 0.04, atol=0.01)
