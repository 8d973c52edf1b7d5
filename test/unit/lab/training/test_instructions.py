"""Instructions of training: phrasings, held-out objects, words that are unknown."""

import numpy as np

from vla_ros.lab.training import instructions
from vla_ros.policies.compact.vocabulary import Vocabulary
from vla_ros.tasks import phrasings


def test_instructions_are_those_of_training():
    rng = np.random.default_rng(0)
    texts = {instructions.compose(rng, [instructions.random_step(rng)], ["cube", "cube", "ball"]) for _ in range(300)}
    assert len(texts) > 200
    held_out = {phrase.split("{x}")[0].strip() for phrases in phrasings.HELD_OUT.values() for phrase in phrases} - {""}
    allowed = {phrase.split("{x}")[0].strip() for phrases in phrasings.TRAINING.values() for phrase in phrases}
    assert not {text for text in texts for start in held_out - allowed if text.startswith(start + " the")}


def test_objects_of_a_colour_held_out_for_a_shape_are_misleading():
    there = [("purple", "ball"), ("red", "cube"), ("none", "bowl")]
    assert instructions.misleading_objects(("blue", "cube"), "lift the cube", there) == [True, False, False]
    assert instructions.misleading_objects(("blue", "ball"), "lift the ball, please", there) == [False, True, False]
    assert not any(instructions.misleading_objects(("blue", "cube"), "lift the blue cube", there))


def test_a_step_that_goes_on_with_an_object_calls_it_it() -> None:
    rng = np.random.default_rng(0)
    first = instructions.ParsedStep("push", "left", ("red", "cube"), ("none", "none"))
    second = instructions.ParsedStep("place", "none", ("red", "cube"), ("none", "bowl"))
    parts = instructions.clauses(rng, [first, second], ["cube", "bowl"], 0.0)
    assert " it" in f" {parts[1][0]}" and parts[1][1].x == ("red", "cube")


def test_the_vocabulary_has_every_word_but_those_that_stand_for_unknown_ones() -> None:
    rng, vocabulary = np.random.default_rng(1), Vocabulary.of(instructions.corpus())
    for _ in range(100):
        text = instructions.compose(rng, instructions.random_steps(rng, 2), ["cube", "cube", "ball", "ball"])
        assert vocabulary.unknown(text) == []
    assert vocabulary.unknown(instructions.UNKNOWN_WORD)
