"""Text normalisation: the many ways in which people type or disguise a word become one spelling."""

from __future__ import annotations

import itertools
import re
import unicodedata

# Letters of other alphabets, and digits, that look like Latin ones.
LOOK_ALIKES = str.maketrans(
    dict(zip("абеорсхуіјѕтԁһкмнв", "aбeopcxyijstdhkmhb", strict=True))
    | dict(zip("αεορτυικνχ", "aeoptuiknx", strict=True))
    | {"ı": "i", "ł": "l", "ø": "o", "’": "'", "‘": "'", "‛": "'", "′": "'", "ʼ": "'", "`": "'", "´": "'"}
)
DIGITS = str.maketrans("013457$@", "oieastsa")
SPACED = re.compile(r"\b\w(?: \w\b)+")


def normalize(text: str) -> str:
    """Return `text` in lower case with single spaces between words, without accents, signs, or invisible characters.

    Letters that look like Latin ones become Latin. In a word that mixes letters and digits, digits become the letters that
    they look like. Letters with something between each ("s-t-o-p") are joined. Apostrophes are dropped ("dont").
    """
    open_text = unicodedata.normalize("NFKD", text.translate(LOOK_ALIKES)).casefold().translate(LOOK_ALIKES)
    kept = (" " if not (c.isalnum() or c in "'$@") else c for c in open_text if not _invisible(c))
    words = "".join(kept).replace("'", "").split()
    words = [word.translate(DIGITS) if any(c.isalpha() for c in word) else word for word in words]
    return SPACED.sub(lambda found: found[0].replace(" ", ""), " ".join(words).replace("$", "").replace("@", ""))


def collapse_repeats(word: str) -> str:
    """Return `word` with each run of one letter as a single letter: "stoppp" and "stop" become the same."""
    return "".join(letter for letter, _ in itertools.groupby(word))


def misspellings(word: str) -> frozenset[str]:
    """Return `word` without repeats, and, if it has four letters or more, with any two neighbouring letters swapped."""
    short = collapse_repeats(word)
    swapped = {short[:i] + short[i + 1] + short[i] + short[i + 2 :] for i in range(len(short) - 1)}
    return frozenset({short} | (swapped if len(short) >= 4 else set()))


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me", "Cf")
