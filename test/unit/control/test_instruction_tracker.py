"""Which plans count: those of the newest sentence, also where that was missed."""

from __future__ import annotations

import pytest

from vla_ros.control.instruction_tracker import MISSED_NS, NewestSentence

S = 1_000_000_000


@pytest.mark.parametrize(
    ("heard", "comes", "active", "now_ns", "counts"),
    [
        ((7,), 7, True, 10 * S, True),
        ((), 5, True, 10 * S, True),
        ((5, 7), 5, True, 20 * S, False),
        ((5, 7), 5, False, 20 * S, False),
        ((7,), 9, True, 10 * S + MISSED_NS - 1, False),
        ((7,), 9, True, 10 * S + MISSED_NS, True),
        ((7,), 9, False, 10 * S, True),
        ((7,), 7, False, 10 * S, True),
    ],
    ids=["newest", "first", "superseded", "superseded, ended", "too early", "missed", "missed, ended", "ended"],
)
def test_plans_of_the_newest_sentence_count(
    heard: tuple[int, ...], comes: int, active: bool, now_ns: int, counts: bool
) -> None:
    sentence = NewestSentence()
    for sentence_id in heard:
        assert sentence.hear(sentence_id, 10 * S)
    assert sentence.counts(comes, active, now_ns) is counts
    assert sentence.id == (comes if active and counts else heard[-1])


def test_a_sentence_that_comes_after_its_plan_is_the_same() -> None:
    sentence = NewestSentence()
    sentence.hear(7, 10 * S)
    assert sentence.counts(9, True, 20 * S)
    assert not sentence.hear(9, 21 * S)
    assert sentence.heard_ns == 21 * S
    assert not sentence.counts(7, True, 30 * S)
