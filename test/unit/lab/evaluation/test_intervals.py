"""Wilson's interval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vla_ros.lab.evaluation.intervals import wilson


def test_known_values() -> None:
    # E. B. Wilson 1927 by hand: 8 of 10 at 95 %.
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


@given(st.integers(1, 500), st.data())
def test_the_interval_holds_the_share_and_lies_in_0_to_1(episodes: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, episodes))
    low, high = wilson(successes, episodes)
    assert 0.0 <= low <= successes / episodes + 1e-12
    assert successes / episodes - 1e-12 <= high <= 1.0
    mirrored = wilson(episodes - successes, episodes)
    assert mirrored == pytest.approx((1 - high, 1 - low))
