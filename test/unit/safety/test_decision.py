"""What a decision shows."""

from __future__ import annotations

from typing import Any

import pytest

from test.unit.safety.streams import line, moved
from vla_ros.safety.states import State


def test_a_rejection_is_shown_for_a_while(bench: Any) -> None:
    bench.command(moved(bench.q, 6, 0.7))
    decision = bench.tick()
    assert decision.state is State.HOLDING
    assert (decision.verdict.rule, decision.verdict.joint) == ("continuity", "joint7")
    assert bench.tick(60).verdict is None


def test_what_is_sent_has_velocities_and_a_source_and_nothing_has_neither(bench: Any) -> None:
    bench.stream(line(list(bench.q), 0, 0.5), 0.5)
    sent = bench.decisions[-1]
    assert (sent.source, len(sent.positions), len(sent.velocities)) == ("policy", 8, 8)
    assert sent.velocities[0] == pytest.approx((sent.positions[0] - bench.decisions[-2].positions[0]) / 0.004)
    bench.filter.disarm()
    nothing = bench.tick(200)
    assert (nothing.positions, nothing.velocities, nothing.source) == (None, (), "")
