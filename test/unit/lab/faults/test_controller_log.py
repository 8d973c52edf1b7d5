"""What the controller did is read off its log: the time to rest, and shares of the limits."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from vla_ros.arrays import Array
from vla_ros.lab.faults.controller_log import ControllerLog, observe_motion, touched
from vla_ros.lab.faults.reaction import MOVING, ExpectedReaction, ObservedReaction, differences
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, POSITION_UPPER
from vla_ros.sim.controller import PERIOD_S, SimulatedController

TIMES = np.arange(-25, 250) * PERIOD_S


def braking(speed: float, brake: float) -> Array:
    """joint1 at a speed until 0, then braked to rest."""
    after = np.clip(TIMES, 0.0, speed / brake)
    q = np.tile(HOME, (len(TIMES), 1))
    q[:, 0] += speed * np.minimum(TIMES, 0.0) + speed * after - brake * after**2 / 2
    return q


def test_rest_and_shares_are_those_of_the_motion() -> None:
    observed = ObservedReaction()
    observe_motion(TIMES, braking(1.0, 5.0), observed)
    assert observed.rest_s == pytest.approx(0.2, abs=2 * PERIOD_S)
    assert observed.velocity == pytest.approx(1.0 / 2.175, rel=1e-6)
    assert observed.acceleration == pytest.approx(5.0 / 15.0, rel=1e-3)
    assert observed.outside == 0.0


def test_what_moves_to_the_end_is_not_at_rest() -> None:
    q = np.tile(HOME, (len(TIMES), 1))
    q[:, 6] += 0.5 * TIMES
    observed = ObservedReaction()
    observe_motion(TIMES, q, observed)
    assert math.isnan(observed.rest_s)


def test_leaving_the_range_is_seen() -> None:
    q = np.tile(HOME, (len(TIMES), 1))
    q[100:, 6] = POSITION_UPPER[6] + 0.01
    observed = ObservedReaction()
    observe_motion(TIMES, q, observed)
    assert observed.outside == pytest.approx(0.01)
    assert differences(ExpectedReaction(ends=MOVING), observed)


def test_the_log_of_the_controller_is_read_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    controller = SimulatedController(HOME, log=str(path))
    log = ControllerLog(path)
    marks = {}
    for k in range(600):
        if k < 300:
            controller.command(HOME + np.array([0.002 * min(k, 200), 0, 0, 0, 0, 0, 0, 0]), JOINT_NAMES)
        controller.update(0, HOME, k * PERIOD_S)
        if k in (150, 220, 599):
            marks[k] = log.mark()
    assert marks[150].speed == pytest.approx(0.5, rel=1e-3)
    assert marks[220].speed == 0.0, "it has been still for part of the last 0.1 s"
    assert marks[599].speed == 0.0
    mark = marks[150]
    with path.open("a") as file:
        file.write("2.4,1,0.0")  # a line that is not whole yet
    observed = ObservedReaction()
    log.observe(mark, observed)
    assert mark.time_s == pytest.approx(150 * PERIOD_S)
    assert observed.rest_s == pytest.approx(50 * PERIOD_S)
    assert observed.velocity == pytest.approx(0.5 / 2.175)
    assert observed.acceleration == pytest.approx(0.5 / PERIOD_S / 15.0), "a controller that holds the last position"
    controller.close()


def test_what_the_machine_delivered_late_is_not_judged() -> None:
    q = braking(1.0, 5.0)
    q[100:] += 0.01
    late = np.zeros(len(q), bool)
    observed = ObservedReaction()
    observe_motion(TIMES, q, observed, late)
    assert observed.velocity > 1.0
    late[100] = True
    observe_motion(TIMES, q, observed, late)
    assert observed.velocity == pytest.approx(1.0 / 2.175, rel=1e-6)
    assert observed.acceleration == pytest.approx(5.0 / 15.0, rel=1e-3)
    assert touched(late, 2).sum() == 3


def test_a_log_of_fewer_than_three_rows_is_a_problem() -> None:
    observed = ObservedReaction()
    observe_motion(TIMES[:2], braking(1.0, 5.0)[:2], observed)
    assert observed.problem == "the controller wrote no log"
