"""The simulated arm's controller: smooth between commands, and at rest by itself when they stop."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from vla_ros.sim.arm_description import ACCELERATION_LIMIT, HOME, POSITION_UPPER, VELOCITY_LIMIT
from vla_ros.sim.controller import PERIOD_S, SimulatedController
from vla_ros.sim.trajectory_controller import CommandRefused


@pytest.mark.parametrize("seed", range(20))
def test_it_comes_to_rest_inside_its_limits_wherever_commands_stop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    controller = SimulatedController(HOME, timeout_s=0.02)
    amplitude = rng.uniform(0.05, 0.3, 8) * [1, 1, 1, 1, 1, 1, 1, 0]
    rate = rng.uniform(0.5, 2.0)
    path = []
    for tick in range(int(rng.integers(30, 400))):
        controller.command(HOME + amplitude * (1 - np.cos(rate * tick * PERIOD_S)) / 2)
        controller.tick(0.0, HOME)
        path.append(controller.q)
    for _ in range(round(0.6 / PERIOD_S)):
        controller.tick(0.0, HOME)
        path.append(controller.q)
    velocity = np.diff(path, axis=0) / PERIOD_S
    acceleration = np.diff(velocity, axis=0) / PERIOD_S
    assert (np.abs(velocity) <= VELOCITY_LIMIT + 1e-9).all()
    assert (np.abs(acceleration) <= ACCELERATION_LIMIT + 1e-6).all()
    assert np.abs(velocity[-1]).max() < 1e-3


@pytest.mark.parametrize("seed", range(20))
def test_late_commands_break_no_limit_at_the_end_of_the_range(seed: int) -> None:
    """Commands to the upper end and back with gaps: it goes on without them, then catches up."""
    rng = np.random.default_rng(seed)
    start = np.array([*HOME[:7], 0.02])
    controller = SimulatedController(start, timeout_s=0.05)
    size = np.minimum(POSITION_UPPER - start, 1.0)
    rate = 0.7 * np.minimum(np.sqrt(ACCELERATION_LIMIT / size), VELOCITY_LIMIT / size)
    path, gap = [], 0
    for tick in range(900):
        gap = gap - 1 if gap else int(rng.integers(1, 25)) * int(rng.random() < 0.04)
        if not gap:
            controller.command(start + size * (1 - np.cos(rate * tick * PERIOD_S)) / 2)
        controller.tick(0.0, start)
        path.append(controller.q)
    acceleration = np.diff(path, n=2, axis=0) / PERIOD_S**2
    assert (np.abs(acceleration) <= ACCELERATION_LIMIT * (1 + 1e-9)).all()
    assert (np.array(path) <= POSITION_UPPER + 1e-12).all()
    assert np.abs(path - POSITION_UPPER).min() < 1e-3


@pytest.mark.parametrize(
    ("positions", "names", "text"),
    [
        ([0.0], ["joint1", "joint2"], "1 positions for 2 joints"),
        ([0.0], ["joint9"], "there is no joint 'joint9'"),
        ([float("nan")], ["joint1"], "joint1: nan is not a position"),
    ],
)
def test_a_bad_command_is_refused_in_one_line(positions: list[float], names: list[str], text: str) -> None:
    controller = SimulatedController(HOME, timeout_s=0.02)
    with pytest.raises(CommandRefused, match=text):
        controller.command(positions, names)
    controller.tick(0.0, HOME)
    assert (controller.q == HOME).all()


def test_the_log_is_readable_while_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "controller.csv"
    controller = SimulatedController(HOME, timeout_s=0.02, log=str(file))
    for tick in range(5):
        controller.tick(tick * PERIOD_S, HOME)
    rows = list(csv.DictReader(file.open()))
    assert [float(row["time_s"]) for row in rows] == pytest.approx([tick * PERIOD_S for tick in range(5)])
    assert float(rows[-1]["setpoint_joint4"]) == pytest.approx(HOME[3])
