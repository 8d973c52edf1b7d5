"""Divided differences are the derivatives, their allowance is a bound, and a path that keeps a limit is never accused."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vla_ros.oracle.differences import QUANTITIES, UNIT, differences


def exact(q: list[Fraction], t: list[Fraction]) -> list[list[Fraction]]:
    """k! times the divided differences, in rational numbers."""
    orders, value = [], q
    for k in (1, 2, 3):
        value = [k * (b - a) / (t[i + k] - t[i]) for i, (a, b) in enumerate(zip(value, value[1:], strict=False))]
        orders.append(value)
    return orders


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    q=st.lists(st.floats(-6.0, 6.0), min_size=4, max_size=9),
    gaps=st.lists(st.integers(1_000_000, 10**13), min_size=9, max_size=9),
    off=st.floats(-1.0, 1.0),
)
def test_the_allowance_bounds_the_error(q: list[float], gaps: list[int], off: float) -> None:
    """True positions that lie within half a unit of the written ones have derivatives within the allowance."""
    half_unit = 5e-10
    stamps_ps = np.cumsum([0, *gaps])[: len(q)]
    true = [Fraction(x) + Fraction(off) * Fraction(half_unit) * (-1) ** i for i, x in enumerate(q)]
    wanted = exact(true, [Fraction(int(t), 10**12) for t in stamps_ps])
    written = np.array(q)
    found = list(differences(written, stamps_ps, half_unit + UNIT * np.abs(written)))
    assert [name for name, _, _ in found] == list(QUANTITIES)
    for (_, value, bound), truth in zip(found, wanted, strict=True):
        for x, e, y in zip(value, bound, truth, strict=True):
            assert abs(Fraction(float(x)) - y) <= Fraction(float(e))


def test_even_samples_give_plain_finite_differences() -> None:
    q = np.array([0.0, 0.1, 0.4, 0.3])
    h = 0.004
    found = [value for _, value, _ in differences(q, np.arange(4) * 4_000_000_000, np.zeros(4))]
    for k, value in enumerate(found, 1):
        np.testing.assert_allclose(value, np.diff(q, k) / h**k, rtol=1e-12)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(w=st.floats(0.5, 60.0), seed=st.integers(0, 1000))
def test_a_path_that_keeps_its_limits_is_never_accused_however_it_is_sampled(w: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    stamps_ps = np.cumsum(rng.integers(10**8, 10**11, 60))
    q = np.sin(w * stamps_ps * 1e-12)
    for k, (_, value, bound) in enumerate(differences(q, stamps_ps, 3 * UNIT * np.maximum(np.abs(q), 0.5)), 1):
        assert np.all(np.abs(value) <= w**k + bound)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_short_stretches_have_as_many_orders_as_they_can(count: int) -> None:
    found = list(differences(np.zeros(count), np.arange(count) * 10**9, np.zeros(count)))
    assert len(found) == max(0, count - 1)
