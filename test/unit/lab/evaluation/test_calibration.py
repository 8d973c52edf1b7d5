"""Expected calibration error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.lab.evaluation.calibration import calibration


def test_known_values() -> None:
    # Two of ten are wrong at 0.95, all of ten at 0.05.
    found = calibration([(0.95, i >= 2) for i in range(10)] + [(0.05, False)] * 10)
    assert [(entry.low, entry.count, entry.right) for entry in found.bins] == [(0.0, 10, 0.0), (0.9, 10, 0.8)]
    assert found.error == pytest.approx(0.5 * 0.05 + 0.5 * 0.15)
    assert found.count == 20
    assert calibration([]).error == 0.0
    assert calibration([(1.0, True)]).bins[0].low == 0.9


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_the_error_is_a_share_and_no_answer_is_lost(answers: list[tuple[float, bool]]) -> None:
    found = calibration(answers)
    assert 0.0 <= found.error <= 1.0 + 1e-12
    assert sum(entry.count for entry in found.bins) == found.count == len(answers)
