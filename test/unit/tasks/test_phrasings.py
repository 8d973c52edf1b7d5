"""How tasks are said: many ways in training, others in evaluation only, and no name that fits two objects."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.tasks import phrasings
from vla_ros.tasks.vocabulary import GENERIC_NOUNS, NOUNS


def test_plain_phrasings_differ() -> None:
    assert all(len(set(phrases)) == len(phrases) >= 3 for phrases in phrasings.PLAIN.values())


def test_objects_go_in_a_bowl_and_on_a_plate() -> None:
    rng = np.random.default_rng(0)
    said = {
        phrasings.plain_instruction("place", "red cube", y, "left", rng) for y in ("bowl", "plate") for _ in range(20)
    }
    assert said >= {"put the red cube in the bowl", "put the red cube on the plate"}
    assert not any("on the bowl" in text or "in the plate" in text for text in said)


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


@pytest.mark.parametrize("kind", list(phrasings.HELD_OUT))
def test_held_out_words_are_recognised(kind: str) -> None:
    words = {"x": "the blue can", "y": "the bowl", "side": "left", "in": "on top of", "a": "do this", "b": "do that"}
    joined = kind == "sequence"
    assert all(phrasings.is_held_out(phrase.format(**words), joined) for phrase in phrasings.HELD_OUT[kind])
    assert not any(phrasings.is_held_out(phrase.format(**words), joined) for phrase in phrasings.TRAINING[kind])


def test_a_noun_phrase_names_the_shape_alone_only_where_it_is_the_only_one() -> None:
    rng = np.random.default_rng(0)
    alone = {phrasings.noun_phrase("cube", "blue", ["cube", "ball"], rng, 1.0) for _ in range(200)}
    twice = {phrasings.noun_phrase("cube", "blue", ["cube", "cube"], rng, 1.0) for _ in range(200)}
    bare = {f"the {word}" for word in NOUNS["cube"]}
    assert bare <= alone and not bare & twice
    assert {f"the blue {word}" for word in GENERIC_NOUNS} <= twice


def test_a_container_is_named_without_a_colour() -> None:
    rng = np.random.default_rng(0)
    assert {phrasings.noun_phrase("bowl", "", ["cube"], rng) for _ in range(50)} == {"the bowl", "the basin"}


def test_targets_that_are_held_out_are_not_trained() -> None:
    assert not phrasings.is_trained_target("blue", "bowl") and phrasings.is_trained_target("blue", "plate")


@pytest.mark.parametrize("text", ["robot, please lift it", "now, robot, please lift the red cube to me"])
def test_a_held_out_phrasing_is_found_inside_other_words(text: str) -> None:
    assert phrasings.contains_held_out(text) and not phrasings.is_held_out(text, False)
