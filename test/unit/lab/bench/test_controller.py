"""What JTC executes of stamped trajectories is inside the limits, whatever becomes of the messages; single points are not."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from vla_ros.lab import outputs
from vla_ros.lab.bench import controller
from vla_ros.lab.bench.controller import MS, RATES_HZ, ROWS, MessageConditions, executed

TICKS = 300
ROUNDING = 1.0005


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("conditions", ROWS, ids=lambda each: each.name.replace(" ", "-"))
def test_trajectories_are_executed_inside_the_limits(conditions: MessageConditions, rate_hz: int) -> None:
    shares = executed("trajectories", rate_hz, conditions, TICKS, 3)
    assert max(shares) <= ROUNDING
    assert min(shares[1:]) > 0.9, "the limits are reached"


@pytest.mark.parametrize("phase_ns", [0, 1, 700_000, 1_999_999, 3_900_000])
def test_the_phase_of_the_controller_does_not_matter(phase_ns: int) -> None:
    conditions = MessageConditions("phase", 4 * MS, 0.01, phase_ns=phase_ns)
    assert max(executed("trajectories", 500, conditions, TICKS, phase_ns)) <= ROUNDING


@pytest.mark.parametrize("stall_ms", [10, 12, 16, 23, 60, 100, 200, 400])
def test_after_a_stall_of_any_length_the_path_goes_on_where_the_controller_is(stall_ms: int) -> None:
    conditions = MessageConditions("stall", 4 * MS, stall_ns=stall_ms * MS)
    assert max(executed("trajectories", 500, conditions, TICKS, stall_ms)) <= ROUNDING


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_sender_leaves_a_brake_inside_the_limits(seed: int) -> None:
    conditions = MessageConditions("killed", 4 * MS, killed=True)
    assert max(executed("trajectories", 1000, conditions, TICKS + 90 * seed, seed)) <= ROUNDING


def test_what_the_horizon_does_not_cover_is_seen() -> None:
    """The judge is not blind: clocks far apart and a scaled speed break the path, as on the real controller."""
    for conditions in (MessageConditions("clocks", clock_ns=50 * MS), MessageConditions("scaled", scaling=0.5)):
        assert executed("trajectories", 500, conditions, TICKS, 1)[1] > 10.0


@pytest.mark.parametrize(("kind", "least"), [("points", 50.0), ("positions", 3.0)])
def test_single_points_and_bare_positions_are_executed_far_beyond_the_limits(kind: str, least: float) -> None:
    killed = MessageConditions("killed", killed=True)
    assert executed(kind, 500, killed, TICKS, 3)[1] > least


def test_the_bench_prints_and_writes_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(outputs, "page", lambda name: tmp_path / name)
    monkeypatch.setattr(controller, "ROWS", (MessageConditions("in time"),))
    monkeypatch.setattr(controller, "RATES_HZ", (250,))
    chosen = argparse.Namespace(docs=True, json=str(tmp_path / "numbers.json"), quick=True, ticks=9, seed=1)
    assert controller.run(chosen) == 0
    printed = capsys.readouterr().out
    assert "| in time | trajectories | 1.00 / 1.00 / 1.00 |" in printed
    assert printed.strip() in (tmp_path / "bench_controller.md").read_text()
    assert '"sent": "positions"' in (tmp_path / "numbers.json").read_text()
