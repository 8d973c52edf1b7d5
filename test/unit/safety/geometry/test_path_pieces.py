"""Pieces of a path."""

from __future__ import annotations

import pytest

from vla_ros.safety.geometry.path_pieces import BEFORE, pieces


@pytest.mark.parametrize("count", [3, 4, 5, 6, 12, 13, 14, 40, 200])
def test_every_instant_lies_in_a_piece_and_the_pieces_take_the_whole_time(count: int) -> None:
    cut = pieces(count)
    ends = [int(cut.last_row[begin]) for begin in cut.begins]
    starts = [int(cut.first_row[begin]) for begin in cut.begins]
    whole = [(first, last) for first, last in zip(starts, ends, strict=True)]
    for first in range(count - 2):
        assert any(start <= first and first + 2 <= end for start, end in whole), first
    assert cut.ticks.sum() == count - BEFORE
    assert starts[0] == 0 and ends[-1] == count - 1
    assert list(cut.positions[::2]) == starts and list(cut.positions[1::2]) == [end + 2 for end in ends]


def test_the_first_pieces_have_all_rows_as_corners_and_the_others_their_ends() -> None:
    cut = pieces(100)
    of = [[int(row) for row, k in zip(cut.corners, cut.piece_of, strict=True) if k == piece] for piece in range(4)]
    assert of[:2] == [[0, 1, 2, 3, 4], list(range(3, 12))]
    assert len(of[2]) == len(of[3]) == 2
