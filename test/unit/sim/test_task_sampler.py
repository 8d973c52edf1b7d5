"""Plain scenes and tasks: the same for the same seed, and solvable."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.language.grammar import load_grammar
from vla_ros.language.parser import parse_steps
from vla_ros.sim.scene import GAP_M, X_RANGE, Y_RANGE
from vla_ros.sim.task_sampler import sample_task
from vla_ros.tasks.task import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_one_scene(kind: str) -> None:
    assert sample_task(7, kind) == sample_task(7, kind)
    assert sample_task(7, kind) != sample_task(8, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_objects_have_free_space_and_a_colour_of_their_own(kind: str) -> None:
    for seed in range(60):
        scene, task = sample_task(seed, kind)
        assert task.kind == kind
        things = scene.objects
        colours = [thing.colour for thing in things[2:]]
        assert len(set(colours)) == len(colours)
        assert 3 <= len(colours) <= 6
        for i, a in enumerate(things):
            assert X_RANGE[0] <= a.x <= X_RANGE[1]
            assert Y_RANGE[0] <= a.y <= Y_RANGE[1]
            for b in things[:i]:
                assert np.hypot(a.x - b.x, a.y - b.y) > a.radius + b.radius + GAP_M
        names = {thing.name for thing in things}
        assert all(step.x in names and (step.y in names or step.kind in ("pick", "push")) for step in task.steps)


@pytest.mark.parametrize("kind", KINDS)
def test_every_instruction_is_one_that_the_baseline_reads(kind: str) -> None:
    for seed in range(40):
        task = sample_task(seed, kind)[1]
        assert len(parse_steps(load_grammar("en"), task.instruction)) == len(task.steps)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind 'juggle'"):
        sample_task(7, "juggle")
