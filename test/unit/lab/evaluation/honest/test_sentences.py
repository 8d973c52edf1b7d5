"""The sentences are many, half of them cannot be done, and nobody else has written them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from vla_ros.lab.evaluation.honest.goals import steps_of
from vla_ros.lab.evaluation.honest.sentence import ANSWER, WORDS
from vla_ros.lab.evaluation.honest.sentences import GROUPS, IMPOSSIBLE, POSSIBLE
from vla_ros.tasks import phrasings
from vla_ros.tasks.task import KINDS

ROOT = Path(__file__).parents[5]
SENTENCES = [sentence for group in GROUPS.values() for sentence in group]


def test_there_are_enough_and_half_of_them_cannot_be_done() -> None:
    assert len(SENTENCES) >= 150
    impossible = sum(not sentence.possible for sentence in SENTENCES)
    assert 0.4 < impossible / len(SENTENCES) < 0.6
    assert all(sentence.possible for group in POSSIBLE.values() for sentence in group)
    assert not any(sentence.possible for group in IMPOSSIBLE.values() for sentence in group)


def test_no_sentence_is_there_twice() -> None:
    assert Counter(sentence.text for sentence in SENTENCES).most_common(1)[0][1] == 1


def test_every_sentence_has_a_scene_in_which_its_words_and_goal_make_sense() -> None:
    for sentence in SENTENCES:
        assert sentence.kind in KINDS
        scene, task = sentence.sample(5)
        words = sentence.words(scene, task)
        assert words and "{" not in words
        if sentence.goal not in ("", ANSWER):
            steps_of(sentence.goal, {})


def test_nobody_else_has_written_them() -> None:
    """A sentence that was practised shows nothing: none is a phrasing, and none stands in a grammar or another test."""
    known = {
        _plain(phrase)
        for table in (phrasings.PLAIN, phrasings.TRAINING, phrasings.HELD_OUT)
        for phrases in table.values()
        for phrase in phrases
    }
    # What the scene alone makes impossible is said plainly.
    assert not [s.text for s in SENTENCES if s.told_by == WORDS and _plain(s.text) in known]
    texts = [path for folder in ("config", "test", "vla_ros/language") for path in (ROOT / folder).rglob("*.*")]
    others = " ".join(
        " ".join(path.read_text(errors="ignore").lower().split())
        for path in texts
        if path.suffix in (".py", ".yaml") and path.parent != Path(__file__).parent
    )
    written = [s.text for s in SENTENCES if s.told_by == WORDS and len(s.text.split()) > 2]
    patterns = {text: _pattern(text) for text in written}
    assert not [text for text, pattern in patterns.items() if pattern.search(others)]


def _plain(text: str) -> str:
    return re.sub(r"(the )?\{\w+\}", "*", text)


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(
        '"' + re.sub(r"\\\{\w+\\\}", r"[\\w{}]+( \\w+)?", re.escape(" ".join(text.lower().split()))) + '"'
    )
