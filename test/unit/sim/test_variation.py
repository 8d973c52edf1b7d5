"""Varied scenes: the same for the same seed, solvable, and nothing of evaluation in training."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vla_ros.sim.scene import CONTAINERS, DISTRACTORS, SHAPES, Look
from vla_ros.sim.tasks import KINDS, Body, Step, Task, judge
from vla_ros.sim.variation import (
    CAMERA_TURN_RAD,
    FRONT_SHIFT_M,
    GAP,
    PUSH_AWAY,
    TRAINING,
    WRIST_SHIFT_M,
    X_RANGE,
    Y_RANGE,
    Variation,
    sample_varied,
)
from vla_ros.tasks import phrasings

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
        objects = [thing for thing in scene.things if thing.shape in SHAPES]
        counts.add(len(objects))
        assert len({thing.colour for thing in objects}) == len(objects)
        assert sum(thing.shape in DISTRACTORS for thing in scene.things) <= TRAINING.distractors
        assert {thing.shape for thing in scene.things} >= set(CONTAINERS)
        names = [thing.name for thing in scene.things]
        assert len(set(names)) == len(names)
        for i, a in enumerate(scene.things):
            assert X_RANGE[0] <= a.x <= X_RANGE[1] and Y_RANGE[0] <= a.y <= Y_RANGE[1]
            assert all(np.hypot(a.x - b.x, a.y - b.y) > a.radius + b.radius + GAP for b in scene.things[:i])
        assert task.kind == kind and len(task.steps) == 1 + (kind == "sequence")
        assert len({step.x for step in task.steps}) == len(task.steps)
        for step in task.steps:
            assert step.x in names and (step.y in (*names, "left", "right", "") and step.y != step.x)
            if step.kind == "stack":
                assert scene.thing(step.y).shape == "cube" and scene.thing(step.x).shape != "ball"
            if step.kind == "push" and step.y in names:
                x, y = scene.thing(step.x), scene.thing(step.y)
                assert PUSH_AWAY[0] < math.hypot(x.x - y.x, x.y - y.y) - step.reach < PUSH_AWAY[1]
    assert min(counts) >= 3 and max(counts) <= 6 and len(counts) >= 3


@pytest.mark.parametrize("kind", KINDS)
def test_training_holds_nothing_that_is_held_out(kind: str) -> None:
    for seed in SEEDS:
        scene, task = sample_varied(seed, kind, TRAINING)
        assert not {(thing.colour, thing.shape) for thing in scene.things} & set(phrasings.HELD_OUT_OBJECTS)
        for step in task.steps:
            target = step.y if step.y in ("left", "right", "") else scene.thing(step.y).shape
            assert (scene.thing(step.x).colour, target) not in phrasings.HELD_OUT_TARGETS


@pytest.mark.parametrize("kind", ("pick", "place", "push"))
def test_held_out_pairs_are_all_that_is_asked_for(kind: str) -> None:
    for seed in range(1000, 1010):
        scene, task = sample_varied(seed, kind, Variation(pairs="held-out"))
        (step,) = task.steps
        x = scene.thing(step.x)
        target = step.y if step.y in ("left", "right", "") else scene.thing(step.y).shape
        held = (x.colour, x.shape) in phrasings.HELD_OUT_OBJECTS or (x.colour, target) in phrasings.HELD_OUT_TARGETS
        assert held


def test_phrasings_are_many_and_apart() -> None:
    for kind, phrases in phrasings.TRAINING.items():
        assert len(set(phrases)) == len(phrases) >= 20, kind
        assert len(phrasings.HELD_OUT[kind]) >= 6
        assert not set(phrases) & set(phrasings.HELD_OUT[kind])


def test_held_out_words_are_words_of_training_but_for_a_few() -> None:
    known = " ".join(phrase for phrases in phrasings.TRAINING.values() for phrase in phrases).replace(",", " ")
    strange = {
        word
        for phrases in phrasings.HELD_OUT.values()
        for phrase in phrases
        for word in phrase.replace(",", " ").replace(":", " ").replace(".", " ").split()
    } - set(known.replace(":", " ").replace(";", " ").replace(".", " ").split())
    assert strange <= {"would", "for", "me", "all", "of", "when", "is", "done", "lifted", "moved"}


def test_looks_differ_only_where_they_may() -> None:
    plain = Variation()
    assert sample_varied(5, "pick", plain)[0].look == Look()
    assert all(not thing.tint for thing in sample_varied(5, "pick", plain)[0].things)
    for seed in SEEDS:
        look = sample_varied(seed, "pick", TRAINING)[0].look
        for shift, most_m in ((look.front, FRONT_SHIFT_M), (look.wrist, WRIST_SHIFT_M)):
            assert np.linalg.norm(shift[:3]) <= most_m and np.linalg.norm(shift[3:]) <= CAMERA_TURN_RAD


def body(x: float, y: float, z: float, highest: float | None = None) -> Body:
    return Body(np.array([x, y, z]), 0.0, z if highest is None else highest, False)


@pytest.mark.parametrize(
    ("now", "success"),
    [
        (body(0.5, 0.10, 0.022), True),
        (body(0.5, 0.05, 0.022), False),
        (body(0.5, 0.10, 0.022, highest=0.1), False),
    ],
)
def test_the_judge_of_a_push_to_a_thing(now: Body, success: bool) -> None:
    start = {"red cube": body(0.5, 0.0, 0.022), "bowl": body(0.5, 0.22, 0.0225)}
    task = Task("push", (Step("push", "red cube", "bowl", 0.106),), "")
    assert judge(task, start, {**start, "red cube": now})[0] is success
