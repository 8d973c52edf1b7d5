"""Scenes: objects with free space around them, and the properties that follow from a shape."""

from __future__ import annotations

import math

import numpy as np

from vla_ros.sim.scene import GAP_M, PUSH_SPACE_M, Scene, SceneObject, sample_scene


def test_every_pair_of_objects_is_apart() -> None:
    for seed in range(30):
        scene = sample_scene(np.random.default_rng(seed), ["cube", "ball", "cylinder"], seed)
        assert [item.shape for item in scene.objects] == ["bowl", "plate", "cube", "ball", "cylinder"]
        for i, a in enumerate(scene.objects):
            assert all(math.hypot(a.x - b.x, a.y - b.y) > a.radius + b.radius + GAP_M for b in scene.objects[:i])


def test_nothing_stands_beside_an_object_that_is_pushed() -> None:
    for seed in range(30):
        scene = sample_scene(np.random.default_rng(seed), ["cube", "ball", "cylinder"], seed, "0", 1.0)
        pushed, others = scene.objects[2], [*scene.objects[:2], *scene.objects[3:]]
        for other in others:
            in_lane = abs(other.x - pushed.x) < other.radius + 0.02
            assert not (in_lane and 0 < other.y - pushed.y < PUSH_SPACE_M)


def test_an_object_is_found_by_its_name() -> None:
    scene = Scene((SceneObject("bowl", "", 0.5, 0.1, 0.0), SceneObject("cube", "red", 0.5, -0.1, 0.0)))
    assert scene.find("red cube") is scene.objects[1] and scene.find("bowl") is scene.objects[0]


def test_a_drawn_colour_stands_before_the_nominal_one() -> None:
    plain, drawn = (SceneObject("cube", "red", 0.5, 0.0, 0.0, rgb) for rgb in ((), (0.8, 0.1, 0.1)))
    assert plain.rgb == (0.85, 0.07, 0.06) and drawn.rgb == (0.8, 0.1, 0.1)
