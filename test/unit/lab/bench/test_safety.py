"""`vla-ros bench safety`: the form of what it says, and what is true whatever the machine."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from vla_ros.cli import main
from vla_ros.lab.bench.adversary import MODES, Adversary
from vla_ros.lab.bench.comparison import compare
from vla_ros.lab.bench.cost import STAGES
from vla_ros.lab.bench.filter_rig import NEAR_M, RADIUS_M, START, near_obstacles, wave, whole, without
from vla_ros.lab.bench.load import busy
from vla_ros.oracle.oracle import Oracle
from vla_ros.oracle.surroundings import ball

ROOT = Path(__file__).parents[4]


def test_a_quick_run_says_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bench.json"
    with pytest.raises(SystemExit) as stopped:
        main.main(["bench", "safety", "--quick", "--json", str(file)])
    out = capsys.readouterr().out
    assert stopped.value.code == 0
    results = json.loads(file.read_text())
    assert len(results["costs"]) == 4
    for stages in results["costs"].values():
        assert [each["stage"] for each in stages] == list(STAGES)
        assert all(0 < each["median_us"] <= each["p99_us"] <= each["largest_us"] for each in stages)
    assert list(results["groups"]) == [
        "limits of joints",
        "+ effort",
        "+ fence and table",
        "+ self-collision",
        "+ 10 far balls",
        "+ audit log",
    ]
    assert [each["ticks"] > 0 for each in results["punctuality"].values()] == [True, True]
    assert results["memory"]["accepted"] > 0
    headings = [line for line in out.splitlines() if line.startswith(("#", "| |", "| condition", "| with"))]
    assert len(headings) == 9
    published = (ROOT / "docs" / "bench.md").read_text().splitlines()
    assert [line for line in headings if line not in published] == []


def test_ours_keeps_every_limit_and_the_clamps_do_not() -> None:
    compared = compare(2500, seed=3)
    rows = {row.gate.split()[0]: row for row in compared.rows}
    ours = rows["safety_filter"]
    assert compared.accepted > 0.9 * compared.setpoints
    assert ours.not_finite == 0
    assert ours.past_position <= 0.0
    assert max(ours.velocity, ours.acceleration, ours.jerk) < 1 + 1e-9
    assert min(ours.velocity, ours.acceleration, ours.jerk) > 0.9, "the adversary did not reach the limits"
    for name in ("numpy", "ros2_control's"):
        assert rows[name].acceleration > 20
        assert rows[name].not_finite > 0
    assert max(rows["ruckig,"].velocity, rows["ruckig,"].acceleration, rows["ruckig,"].jerk) < 1 + 1e-6


def test_the_adversary_depends_on_its_seed_alone() -> None:
    bounds = list(Oracle(*reversed(whole())).bounds.values())
    streams = [Adversary(bounds, seed) for seed in (4, 4, 5)]
    modes = set()
    first, second, other = [], [], []
    for i in range(1500):
        for adversary, into in zip(streams, (first, second, other), strict=True):
            into.append(repr(adversary.target(i * 0.01)))
        modes.add(streams[0].mode)
    assert first == second != other
    assert modes == set(MODES)
    assert any("nan" in row for row in first)
    assert any("inf" in row for row in first)


def test_near_obstacles_are_near_and_are_not_touched() -> None:
    parameters, urdf = whole()
    oracle = Oracle(urdf, without(parameters, "surroundings", "self_collision"))
    obstacles = near_obstacles(parameters, urdf, 1)
    assert len(obstacles) == 10
    for each in obstacles:
        (found,) = oracle.clearances(wave(0.0), [ball(each.xyz, RADIUS_M)])
        assert found.distance_m > parameters.obstacle.margin_m
        assert found.distance_m > NEAR_M[0]
    assert max(abs(a - b) for a, b in zip(wave(0.0), START.tolist(), strict=True)) < 1e-6


def test_busy_processes_end_with_the_block() -> None:
    before = {child.pid for child in psutil.Process().children()}
    with busy(2):
        during = {child.pid for child in psutil.Process().children()} - before
        assert len(during) == 2
    assert not any(psutil.pid_exists(pid) for pid in during)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--ticks", "5"],
        ["--seconds", "0"],
        ["--seconds", "nan"],
        ["--quick", "--docs"],
        ["--json", "/nowhere/bench.json"],
    ],
)
def test_senseless_lengths_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main.main(["bench", "safety", *arguments])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
