"""Typed steps to the sentences that the network was taught."""

from __future__ import annotations

import pytest

from vla_ros.language.grammar import load_grammar
from vla_ros.language.parser import parse_steps
from vla_ros.policies.compact.sentences import expected_fields, reads_as, sentence_of

ENGLISH = load_grammar("en")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("grip the red brick", "pick up the red cube"),
        ("drop the orb into the dish", "put the ball in the bowl"),
        ("place the red cube atop the blue can", "stack the red cube on the blue cylinder"),
        ("scoot the tin leftwards", "push the cylinder to the left"),
        (
            "grab the ball and go on to put it in the bowl, then grab the red cube".replace(" go on to", ""),
            "put the ball in the bowl, then pick up the red cube",
        ),
        ("put the red cube behind the bowl", ""),
        ("push the red cube 5 cm to the left", ""),
        ("push the red cube forward", ""),
        ("push the ball to the left", ""),
        ("grab the left cube", ""),
        ("grab the thing", ""),
        ("go home", ""),
    ],
)
def test_a_step_has_one_sentence_or_none(said: str, sentence: str) -> None:
    assert sentence_of(parse_steps(ENGLISH, said)) == sentence


def test_another_reading_is_noticed() -> None:
    steps = parse_steps(ENGLISH, "put the red cube in the bowl")
    fields = expected_fields(steps[0])
    assert reads_as(steps, [fields])
    assert not reads_as(steps, [{**fields, "x_colour": "orange"}])
    assert not reads_as(steps, [fields, fields])
