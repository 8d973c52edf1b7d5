"""How regularly the page is updated."""

from __future__ import annotations

import pytest

from vla_ros.dashboard.update_statistics import UpdateStatistics

MS = 1_000_000


@pytest.mark.parametrize(("duration_ms", "late"), [(40, False), (60, True)])
def test_updates_are_late_when_they_take_more_than_half_of_their_period(duration_ms: int, late: bool) -> None:
    statistics = UpdateStatistics(rate_hz=10.0)
    for begun_ms in range(0, 1000, 100):
        statistics.begin(begun_ms * MS)
        statistics.end(begun_ms * MS, (begun_ms + duration_ms) * MS)
    assert statistics.late is late
    values = statistics.values()
    assert (values["rate_hz"], values["deadline_misses"]) == (pytest.approx(10.0), 0)
    assert values["renewal_p95_ms"] == pytest.approx(duration_ms)


def test_an_update_that_comes_late_is_a_miss() -> None:
    statistics = UpdateStatistics(rate_hz=10.0)
    for begun_ms in (0, 100, 300):
        statistics.begin(begun_ms * MS)
    assert statistics.values()["deadline_misses"] == 1
