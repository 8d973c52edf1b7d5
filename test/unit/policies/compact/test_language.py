"""What the shipped checkpoint reads out of instructions, also with objects and phrasings that training never had."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vla_ros.lab.training import instructions
from vla_ros.policies.compact import checkpoint
from vla_ros.policies.compact.graphs import Graphs
from vla_ros.policies.compact.instruction_parser import names_objects
from vla_ros.policies.compact.model_config import STEP_FIELDS
from vla_ros.tasks import phrasings

SENTENCES = 150
SHAPES = ("cube", "cube", "cylinder", "cylinder", "ball", "ball")  # no colour goes without saying
FOLDER = Path(__file__).parents[4] / "checkpoints" / "compact"


@pytest.fixture(scope="module")
def read():
    """Text to rows of the indices of STEP_FIELDS, one per step."""
    found = checkpoint.load(FOLDER)
    graphs = Graphs(found, ("language",))

    def rows(text):
        logits = graphs("language", found.vocabulary.encode(text, found.sizes.words)[None])[2][0]
        ends = np.cumsum([len(words) for _, words in STEP_FIELDS])[:-1]
        return np.stack([part.argmax(-1) for part in np.split(logits, ends, -1)], 1)

    return rows


def held_out_step(parsed_step):
    """Whether training never asks for this."""
    where = parsed_step.side if parsed_step.side != "none" else parsed_step.y[1]
    return not (
        instructions.is_allowed_object(parsed_step.x)
        and instructions.is_allowed_object(parsed_step.y)
        and phrasings.is_trained_target(parsed_step.x[0], where)
    )


def asked(rng, held_out, clauses):
    """Steps, at least one of them held out if `held_out`, else none."""
    while True:
        parsed_steps = [instructions.random_step(rng) for _ in range(clauses)]
        if any(map(held_out_step, parsed_steps)) == held_out:
            return parsed_steps


@pytest.mark.parametrize(
    ("held_out", "said", "clauses", "least"),
    [
        (False, phrasings.TRAINING, 1, 0.98),
        (False, phrasings.TRAINING, 2, 0.95),
        (False, phrasings.TRAINING, 3, 0.92),
        (True, phrasings.TRAINING, 1, 0.94),
        (True, phrasings.TRAINING, 2, 0.92),
        (False, phrasings.HELD_OUT, 1, 0.91),
        (True, phrasings.HELD_OUT, 1, 0.88),
    ],
    ids=[
        "as taught",
        "two steps",
        "three steps",
        "strange things",
        "strange things, two steps",
        "strange words",
        "both",
    ],
)
def test_words_are_read_right(read, monkeypatch, held_out, said, clauses, least):
    monkeypatch.setattr(phrasings, "TRAINING", {**phrasings.TRAINING, **said})
    rng = np.random.default_rng(5)
    if held_out:
        monkeypatch.setattr(instructions, "random_step", anything)
    wrong = []
    for _ in range(SENTENCES):
        parts = instructions.clauses(rng, asked(rng, held_out, clauses), SHAPES)
        text = instructions.join(rng, [part for part, _ in parts])
        rows = read(text)
        parsed_steps = np.array([parsed_step.indices() for _, parsed_step in parts])
        generic = any(f" {word}" in text for word in ("one", "thing", "object"))
        columns = [0, 1, 2, 4] if generic else slice(None)  # which shape, such words do not tell
        if not np.array_equal(rows[: len(parts), columns], parsed_steps[:, columns]) or rows[len(parts) :, 0].any():
            wrong.append(text)
    print(f"{1 - len(wrong) / SENTENCES:.1%} of {SENTENCES} read right")
    assert len(wrong) <= (1 - least) * SENTENCES, wrong[:5]


def anything(rng, verb=""):
    """A step about any object and any target: as `instructions.random_step`, with nothing held out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instructions, "is_allowed_object", lambda thing: True)
        patch.setattr(phrasings, "is_trained_target", lambda colour, target: True)
        return ANY(rng, verb)


ANY = instructions.random_step


def test_it_is_what_has_been_named(read):
    asked = read("take the red cube, put it in the bowl")
    assert asked[0].tolist() == [2, 0, 1, 1, 0, 4] and not asked[1:, 0].any()
    assert read("push the red cube to the left, then put it in the bowl")[:2].tolist() == [
        [3, 1, 1, 1, 0, 0],
        [2, 0, 1, 1, 0, 4],
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("pick up the red cube", True),
        ("pick up the red one", True),
        ("pick up the cube", True),
        ("pick up the teddy bear", False),
        ("put the red cube on the teddy bear", False),
    ],
)
def test_an_object_is_named_by_a_word_that_is_known(text, told):
    found = checkpoint.load(FOLDER)
    logits = Graphs(found, ("language",))("language", found.vocabulary.encode(text, found.sizes.words)[None])[2]
    assert names_objects(logits[0, 0]) is told
