"""Scenes fit their sentences, and the same seed gives the same ones."""

from __future__ import annotations

from collections import Counter

import pytest

from vla_ros.lab.evaluation.honest.sentence import Sentence, roles
from vla_ros.tasks.vocabulary import STABLE_SHAPES


@pytest.mark.parametrize("seed", range(0, 60, 7))
@pytest.mark.parametrize("needs", ["alone", "pair", "stable"])
def test_a_scene_has_what_the_sentence_needs(seed: int, needs: str) -> None:
    scene, task = Sentence("pick up the {xs}", "pick x", needs=needs).sample(seed)
    shape = scene.find(task.steps[0].x).shape
    of_shape = Counter(item.shape for item in scene.objects)[shape]
    assert {"alone": of_shape == 1, "pair": of_shape == 2, "stable": shape in STABLE_SHAPES}[needs]


def test_roles_name_what_is_there_and_what_is_not() -> None:
    scene, task = Sentence("", needs="pair").sample(3)
    named = roles(scene, task)
    there = {item.name for item in scene.objects}
    assert {named[role] for role in ("x", "b", "c", "twin", "leftmost", "rightmost", "nearest")} <= there
    assert len({named["x"], named["b"], named["c"]}) == 3
    assert named["absent"] not in there
    assert named["absent_colour"] not in {item.colour for item in scene.objects}
    left, right = scene.find(named["leftmost"]), scene.find(named["rightmost"])
    assert left.y > right.y and left.shape == right.shape


def test_words_are_those_of_the_scene() -> None:
    sentence = Sentence("shove the {x} {side}, not {other_side}", "push x side", "push")
    words = sentence.words(*sentence.sample(4))
    assert words == sentence.words(*sentence.sample(4))
    side = sentence.sample(4)[1].steps[0].y
    assert f" {side}, not {'left' if side == 'right' else 'right'}" in words
