"""Scenes and tasks: the same for the same seed, and solvable."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.policies.classical.language import parse
from vla_ros.sim.scene import GAP, X_RANGE, Y_RANGE
from vla_ros.sim.tasks import KINDS, PHRASES, Body, Step, Task, judge, sample_task


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_one_scene(kind: str) -> None:
    assert sample_task(7, kind) == sample_task(7, kind)
    assert sample_task(7, kind) != sample_task(8, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_things_have_room_and_colours_of_their_own(kind: str) -> None:
    for seed in range(60):
        scene, task = sample_task(seed, kind)
        assert task.kind == kind
        things = scene.things
        colours = [thing.colour for thing in things[2:]]
        assert len(set(colours)) == len(colours)
        assert 3 <= len(colours) <= 6
        for i, a in enumerate(things):
            assert X_RANGE[0] <= a.x <= X_RANGE[1]
            assert Y_RANGE[0] <= a.y <= Y_RANGE[1]
            for b in things[:i]:
                assert np.hypot(a.x - b.x, a.y - b.y) > a.radius + b.radius + GAP
        names = {thing.name for thing in things}
        assert all(step.x in names and (step.y in names or step.kind in ("pick", "push")) for step in task.steps)


@pytest.mark.parametrize("kind", KINDS)
def test_every_instruction_is_one_that_the_baseline_reads(kind: str) -> None:
    for seed in range(40):
        task = sample_task(seed, kind)[1]
        assert len(list(parse(task.instruction))) == len(task.steps)


def test_phrasings_differ() -> None:
    assert all(len(set(phrases)) == len(phrases) >= 3 for phrases in PHRASES.values())


def body(x: float, y: float, z: float, speed: float = 0.0, highest: float | None = None, held: bool = False) -> Body:
    return Body(np.array([x, y, z]), speed, z if highest is None else highest, held)


START = {"red cube": body(0.5, 0.0, 0.022), "blue cube": body(0.5, 0.2, 0.022), "bowl": body(0.4, -0.2, 0.0225)}


@pytest.mark.parametrize(
    ("step", "now", "success"),
    [
        (Step("pick", "red cube"), {"red cube": body(0.5, 0.0, 0.15, held=True)}, True),
        (Step("pick", "red cube"), {"red cube": body(0.5, 0.0, 0.15, held=False)}, False),
        (Step("pick", "red cube"), {"red cube": body(0.5, 0.0, 0.15, speed=0.4, held=True)}, False),
        (Step("pick", "red cube"), {"red cube": body(0.5, 0.0, 0.09, held=True)}, False),
        (Step("place", "red cube", "bowl"), {"red cube": body(0.41, -0.2, 0.03)}, True),
        (Step("place", "red cube", "bowl"), {"red cube": body(0.41, -0.2, 0.03, held=True)}, False),
        (Step("place", "red cube", "bowl"), {"red cube": body(0.48, -0.2, 0.03)}, False),
        (Step("push", "red cube", "left"), {"red cube": body(0.5, 0.1, 0.022)}, True),
        (Step("push", "red cube", "right"), {"red cube": body(0.5, 0.1, 0.022)}, False),
        (Step("push", "red cube", "left"), {"red cube": body(0.5, 0.1, 0.022, highest=0.1)}, False),
        (Step("stack", "red cube", "blue cube"), {"red cube": body(0.5, 0.2, 0.066)}, True),
        (Step("stack", "red cube", "blue cube"), {"red cube": body(0.5, 0.23, 0.066)}, False),
        (Step("stack", "red cube", "blue cube"), {"red cube": body(0.5, 0.2, 0.022)}, False),
    ],
)
def test_the_judge(step: Step, now: dict[str, Body], success: bool) -> None:
    task = Task(step.kind, (step,), "")
    assert judge(task, START, {**START, **now})[0] is success
