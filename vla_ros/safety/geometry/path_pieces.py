"""How is a path cut into pieces? Short ones first, where the arm is fastest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from vla_ros.arrays import Array
from vla_ros.safety.geometry.arm_kinematics import Indices

BEFORE = 2
"""Steps before the candidate's that an instant after it may still depend on."""
FIRST_PIECE = 4
"""Ticks of the first piece; each one after it is twice as long as the one before."""
WHOLE = 2
"""Of so many pieces all velocities are looked at, not only those at the ends."""


class Pieces(NamedTuple):
    """How r rows of rates are cut into k pieces. Two rows are in two pieces, as every instant is within three rows.

    ticks: (k,) that each piece takes from the start of the step on. rows: the rows of all pieces, one piece after the other;
    begins: (k,) where each piece's begin. first_row, last_row, share: of each of `rows`, the ends of its piece, and how far
    it is from one to the other. corners: all rows of the first two pieces, both ends of the others; piece_of: the piece of
    each; corner_begins: (k,) where each piece's begin. positions: (2 k,) for `reduceat`, the positions of each piece.
    """

    ticks: Array
    rows: Indices
    begins: Indices
    first_row: Indices
    last_row: Indices
    share: Array
    corners: Indices
    piece_of: Indices
    corner_begins: Indices
    positions: Indices


@lru_cache(maxsize=1024)
def pieces(count: int) -> Pieces:
    """Cut `count` rows of rates into pieces, each twice as long as the one before."""
    last, length = count - 1, FIRST_PIECE
    cut = [(0, min(length, last))]
    while cut[-1][1] < last:
        length *= 2
        cut.append((cut[-1][1] - 1, min(cut[-1][1] - 1 + length, last)))
    rows = [list(range(first, end + 1)) for first, end in cut]
    corners = [*rows[:WHOLE], *([first, end] for first, end in cut[WHOLE:])]
    ends = [BEFORE - 1, *(end for _, end in cut)]
    flat = [
        (row, first, end, (row - first) / max(1, end - first)) for first, end in cut for row in range(first, end + 1)
    ]
    return Pieces(
        ticks=np.array([max(0, end - start) for start, end in pairwise(ends)], float),
        rows=np.array([row for row, _, _, _ in flat], np.intp),
        begins=_begins(rows),
        first_row=np.array([first for _, first, _, _ in flat], np.intp),
        last_row=np.array([end for _, _, end, _ in flat], np.intp),
        share=np.array([share for _, _, _, share in flat]),
        corners=np.array([row for each in corners for row in each], np.intp),
        piece_of=np.array([k for k, each in enumerate(corners) for _ in each], np.intp),
        corner_begins=_begins(corners),
        positions=np.array([cut for first, end in cut for cut in (first, end + 2)], np.intp),
    )


def _begins(lists: Sequence[Sequence[int]]) -> Indices:
    return np.cumsum([0, *(len(each) for each in lists[:-1])])
