"""Varied scenes: the same for the same seed, solvable, and nothing of evaluation in training."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vla_ros.sim.appearance import CAMERA_TURN_RAD, FRONT_SHIFT_M, WRIST_SHIFT_M, Appearance
from vla_ros.sim.push_path import PUSH_TO_LENGTH_M
from vla_ros.sim.variation import GAP_M, TRAINING, X_RANGE, Y_RANGE, Variation, sample_varied
from vla_ros.tasks import phrasings
from vla_ros.tasks.objects import DISTRACTOR_HALF_SIZES_M
from vla_ros.tasks.task import KINDS
from vla_ros.tasks.vocabulary import CONTAINERS, MOVABLE_SHAPES

SEEDS = range(2_000_000, 2_000_040)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_gives_one_scene(kind: str) -> None:
    assert sample_varied(7, kind, TRAINING) == sample_varied(7, kind, TRAINING)
    assert sample_varied(7, kind, TRAINING) != sample_varied(8, kind, TRAINING)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind 'juggle'"):
        sample_varied(7, "juggle", TRAINING)


@pytest.mark.parametrize("kind", KINDS)
def test_scenes_are_as_promised(kind: str) -> None:
    counts = set()
    for seed in SEEDS:
        scene, task = sample_varied(seed, kind, TRAINING)
        objects = [thing for thing in scene.objects if thing.shape in MOVABLE_SHAPES]
        counts.add(len(objects))
        assert len({thing.colour for thing in objects}) == len(objects)
        assert sum(thing.shape in DISTRACTOR_HALF_SIZES_M for thing in scene.objects) <= TRAINING.distractors
        assert {thing.shape for thing in scene.objects} >= set(CONTAINERS)
        names = [thing.name for thing in scene.objects]
        assert len(set(names)) == len(names)
        for i, a in enumerate(scene.objects):
            assert X_RANGE[0] <= a.x <= X_RANGE[1] and Y_RANGE[0] <= a.y <= Y_RANGE[1]
            assert all(np.hypot(a.x - b.x, a.y - b.y) > a.radius + b.radius + GAP_M for b in scene.objects[:i])
        assert task.kind == kind and len(task.steps) == 1 + (kind == "sequence")
        assert len({step.x for step in task.steps}) == len(task.steps)
        for step in task.steps:
            assert step.x in names and (step.y in (*names, "left", "right", "") and step.y != step.x)
            if step.kind == "stack":
                assert scene.find(step.y).shape == "cube" and scene.find(step.x).shape != "ball"
            if step.kind == "push" and step.y in names:
                x, y = scene.find(step.x), scene.find(step.y)
                assert PUSH_TO_LENGTH_M[0] < math.hypot(x.x - y.x, x.y - y.y) - step.radius_sum_m < PUSH_TO_LENGTH_M[1]
    assert min(counts) >= 3 and max(counts) <= 6 and len(counts) >= 3


@pytest.mark.parametrize("kind", KINDS)
def test_training_holds_nothing_that_is_held_out(kind: str) -> None:
    for seed in SEEDS:
        scene, task = sample_varied(seed, kind, TRAINING)
        assert not {(thing.colour, thing.shape) for thing in scene.objects} & set(phrasings.HELD_OUT_OBJECTS)
        for step in task.steps:
            target = step.y if step.y in ("left", "right", "") else scene.find(step.y).shape
            assert (scene.find(step.x).colour, target) not in phrasings.HELD_OUT_TARGETS


@pytest.mark.parametrize("kind", ("pick", "place", "push"))
def test_held_out_pairs_are_all_that_is_asked_for(kind: str) -> None:
    for seed in range(1000, 1010):
        scene, task = sample_varied(seed, kind, Variation(pairs="held-out"))
        (step,) = task.steps
        x = scene.find(step.x)
        target = step.y if step.y in ("left", "right", "") else scene.find(step.y).shape
        held = (x.colour, x.shape) in phrasings.HELD_OUT_OBJECTS or (x.colour, target) in phrasings.HELD_OUT_TARGETS
        assert held


def test_appearances_differ_only_where_they_may() -> None:
    plain = Variation()
    assert sample_varied(5, "pick", plain)[0].appearance == Appearance()
    assert all(not thing.drawn_rgb for thing in sample_varied(5, "pick", plain)[0].objects)
    for seed in SEEDS:
        appearance = sample_varied(seed, "pick", TRAINING)[0].appearance
        for shift, most_m in ((appearance.front, FRONT_SHIFT_M), (appearance.wrist, WRIST_SHIFT_M)):
            assert np.linalg.norm(shift[:3]) <= most_m and np.linalg.norm(shift[3:]) <= CAMERA_TURN_RAD
