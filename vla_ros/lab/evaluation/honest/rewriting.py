"""Other sentences of the same meaning, or spoilt ones, by rules: what nobody wrote, and nobody can have practised.

A rule that keeps the meaning swaps synonyms, frames or signs. A rule that spoils it names what is not there, misspells what
is, or asks for more. The same seed gives the same sentences.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from vla_ros.lab.evaluation.honest.sentence import ANSWER, Sentence

SYNONYMS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("pick up", ("grab", "lift up", "take")),
    ("grab", ("take", "pick up")),
    ("lift", ("raise",)),
    ("put", ("place", "set", "lay")),
    ("drop", ("put", "place")),
    ("place", ("put", "set")),
    ("push", ("shove", "slide")),
    ("slide", ("push", "shift")),
    ("bowl", ("basin",)),
    ("plate", ("saucer",)),
    ("next to", ("beside", "near")),
    ("on the left", ("to the left",)),
)
FRAMES = ("please {}", "{} please", "robot, {}", "{} now", "could you {}", "{}, thank you", "i want you to {}")
MISSING_COLOURS = ("turquoise", "pink", "beige", "white", "lilac", "silver")
UNKNOWN_NOUNS = ("stapler", "carrot", "helmet", "lamp", "pencil", "shoe")
LEFTOVERS = (" with the {n}", " and the {n}", " under the {n}", " 3 times", " like a {n}", ", then eat it")
MISSPELLABLE = ("bowl", "plate", "left", "right", "table")
FRAMED = re.compile(r"^(pick|grab|lift|put|place|drop|push|slide|take|set|raise|move|open|close|stack)\b")


def rewritten(groups: Mapping[str, tuple[Sentence, ...]], seed: int) -> dict[str, tuple[Sentence, ...]]:
    """Return each sentence that can be done in other words, and spoilt, as groups "reworded" and "spoilt".

    Args:
        groups: the sentences that were written.
        seed: of everything random.
    """
    rng = np.random.default_rng([seed, 8])
    possible = [s for group in groups.values() for s in group if s.goal not in ("", ANSWER)]
    reworded = [replace(sentence, text=_reworded(sentence.text, rng)) for sentence in possible]
    spoilt = [_spoilt(sentence, rng) for sentence in possible]
    return {"reworded": tuple(dict.fromkeys(reworded)), "spoilt": tuple(dict.fromkeys(spoilt))}


def _reworded(text: str, rng: np.random.Generator) -> str:
    """Return a text of the same meaning."""
    fitting = [(word, others) for word, others in SYNONYMS if re.search(rf"\b{word}\b", text)]
    if fitting:
        word, others = fitting[rng.integers(len(fitting))]
        text = re.sub(rf"\b{word}\b", str(rng.choice(others)), text, count=1)
    if FRAMED.match(text) and "please" not in text:
        text = str(rng.choice(FRAMES)).format(text)
    elif rng.random() < 0.5:
        text += "."
    return text


def _spoilt(sentence: Sentence, rng: np.random.Generator) -> Sentence:
    """Return a sentence that cannot be done: by a colour, a noun, a misspelling, or something more."""
    text, rule = sentence.text, int(rng.integers(4))
    if rule == 0 and "{x}" in text:
        text = text.replace("{x}", f"{rng.choice(MISSING_COLOURS)} {{xs}}")
    elif rule == 1 and "{x}" in text:
        text = text.replace("{x}", f"{{xc}} {rng.choice(UNKNOWN_NOUNS)}")
    elif rule == 2 and (words := [word for word in MISSPELLABLE if re.search(rf"\b{word}\b", text)]):
        text = re.sub(rf"\b{words[0]}\b", _misspelt(words[0], rng), text)
    else:
        text = text.rstrip(" !?.") + str(rng.choice(LEFTOVERS)).format(n=rng.choice(UNKNOWN_NOUNS))
    return replace(sentence, text=text, goal="")


def _misspelt(word: str, rng: np.random.Generator) -> str:
    """Return a word with two neighbouring letters swapped, that are not the same."""
    places = [i for i in range(len(word) - 1) if word[i] != word[i + 1]]
    i = int(rng.choice(places))
    return word[:i] + word[i + 1] + word[i] + word[i + 2 :]
