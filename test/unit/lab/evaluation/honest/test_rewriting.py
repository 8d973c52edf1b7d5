"""Rules make other sentences: the same for a seed, with the meaning kept or spoilt."""

from __future__ import annotations

from vla_ros.lab.evaluation.honest.rewriting import LEFTOVERS, MISSING_COLOURS, UNKNOWN_NOUNS, rewritten
from vla_ros.lab.evaluation.honest.sentences import GROUPS, POSSIBLE
from vla_ros.tasks.vocabulary import COLOUR_OF_ADJECTIVE, SHAPE_OF_NOUN

WRITTEN = {sentence.text: sentence for group in GROUPS.values() for sentence in group}


def test_a_seed_gives_the_same_sentences_another_one_others() -> None:
    assert rewritten(GROUPS, 7) == rewritten(GROUPS, 7)
    assert rewritten(GROUPS, 7) != rewritten(GROUPS, 8)


def test_there_are_enough_of_both() -> None:
    made = rewritten(GROUPS, 7)
    assert min(len(made["reworded"]), len(made["spoilt"])) > 70


def test_reworded_ones_keep_goal_scene_and_objects() -> None:
    goals = {sentence.goal for group in POSSIBLE.values() for sentence in group}
    made = rewritten(GROUPS, 3)["reworded"]
    assert {sentence.goal for sentence in made} <= goals
    assert sum(sentence.text not in WRITTEN for sentence in made) > 0.8 * len(made)
    for sentence in made:
        sentence.words(*sentence.sample(1))


def test_spoilt_ones_cannot_be_done_and_say_so_in_their_words() -> None:
    for seed in range(5):
        for sentence in rewritten(GROUPS, seed)["spoilt"]:
            assert not sentence.possible and sentence.text not in WRITTEN


def test_what_spoils_is_unknown() -> None:
    assert not set(MISSING_COLOURS) & set(COLOUR_OF_ADJECTIVE)
    assert not set(UNKNOWN_NOUNS) & set(SHAPE_OF_NOUN)
    assert all(leftover.startswith((" ", ",")) for leftover in LEFTOVERS)
