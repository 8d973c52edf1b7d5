"""Words that were perhaps meant: known words at a small edit distance. They are offered, never taken."""

from __future__ import annotations

from collections.abc import Iterable

SHORTEST = 3
"""Letters from which a word is compared."""


def edit_distance(a: str, b: str) -> int:
    """Return how many letters must be changed, added, left out or swapped with their neighbour to turn `a` into `b`."""
    rows = [list(range(len(b) + 1))]
    for i, letter in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def nearest_words(word: str, known: Iterable[str], most: int) -> list[str]:
    """Return the known words that are nearest to `word`, the nearest first; none where none is near enough.

    Near are words of three or four letters at one edit, longer ones at two. Of words equally near, those of the same letters
    and of the same first letter come first.

    Args:
        word: that is not known. known: the words that are. most: that are returned.
    """
    allowed = 1 if len(word) <= 4 else 2
    near = []
    for each in known:
        if len(word) < SHORTEST or len(each) < SHORTEST or abs(len(each) - len(word)) > allowed:
            continue
        distance = edit_distance(word, each)
        if distance <= allowed:
            near.append((distance, sorted(each) != sorted(word), each[0] != word[0], each))
    return [each for *_, each in sorted(near)[:most]]
