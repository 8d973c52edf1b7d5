"""The simulated arm's controller executes what ros2_control would, and writes it down."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from vla_ros.sim.arm_description import HOME, JOINT_NAMES
from vla_ros.sim.controller import ARM, GRIPPER, PERIOD_S, SimulatedController
from vla_ros.sim.trajectory_controller import CommandRefused, command_of

START_NS = 10**12
MS = 1_000_000


def trajectory(names: int, by: float, length_ns: int) -> object:
    rows = np.array([HOME[:names], HOME[:names] + by])
    return command_of(START_NS, [0, length_ns], rows, np.zeros_like(rows))


def test_a_forward_controller_hands_each_position_on_and_holds_it_for_ever() -> None:
    controller = SimulatedController(HOME, "forward")
    controller.command((HOME + 0.1).tolist())
    controller.update(START_NS, HOME)
    assert controller.q == pytest.approx(HOME + 0.1)
    assert controller.dq == pytest.approx(np.full(8, 0.1 / PERIOD_S))
    for k in range(1, 100):
        controller.update(START_NS + 4 * k * MS, HOME)
    assert controller.q == pytest.approx(HOME + 0.1)
    assert not controller.dq.any()


@pytest.mark.parametrize("rate_hz", [250, 500, 1000])
@pytest.mark.parametrize("joints", [7, 8])
def test_a_jtc_follows_a_trajectory_of_all_joints_or_all_but_the_finger(rate_hz: int, joints: int) -> None:
    controller = SimulatedController(HOME, "jtc", rate_hz)
    controller.command([0.03], ["finger_joint"])
    controller.update(START_NS, HOME)
    names = list(JOINT_NAMES[:joints])
    command = trajectory(joints, 0.2, 400 * MS)
    controller.command_trajectory(command, names, START_NS)  # type: ignore[arg-type]
    path = []
    for k in range(1, rate_hz // 2 + 1):
        controller.update(START_NS + k * 10**9 // rate_hz, HOME)
        path.append(controller.q)
    assert path[-1][:7] == pytest.approx(HOME[:7] + 0.2)
    assert path[-1][7] == pytest.approx(HOME[7] + 0.2 if joints == 8 else 0.03)
    assert np.abs(np.diff([q[0] for q in path])).max() < 0.8 / rate_hz


def test_joints_are_put_in_order() -> None:
    controller = SimulatedController(HOME, "jtc")
    order = list(reversed(range(8)))
    rows = np.array([HOME, HOME + 0.1 * np.arange(8)])[:, order]
    controller.command_trajectory(command_of(START_NS, [0, 4 * MS], rows), [JOINT_NAMES[i] for i in order], START_NS)
    controller.update(START_NS, HOME)
    controller.update(START_NS + 4 * MS, HOME)
    assert controller.q == pytest.approx(HOME + 0.1 * np.arange(8))


@pytest.mark.parametrize(
    ("positions", "names", "text"),
    [
        ([0.0], ["joint1", "joint2"], "1 positions for 2 joints"),
        ([0.0], ["joint9"], "there is no joint 'joint9'"),
        ([float("nan")], ["joint1"], "joint1: nan is not a position"),
    ],
)
def test_a_bad_command_is_refused_in_one_line(positions: list[float], names: list[str], text: str) -> None:
    controller = SimulatedController(HOME)
    with pytest.raises(CommandRefused, match=text):
        controller.command(positions, names)
    controller.update(START_NS, HOME)
    assert (controller.q == HOME).all()


@pytest.mark.parametrize("names", [["joint1"], [*JOINT_NAMES[:7], "wheel"], []])
def test_a_trajectory_of_other_joints_is_refused(names: list[str]) -> None:
    controller = SimulatedController(HOME, "jtc")
    rows = np.zeros((1, len(names)))
    with pytest.raises(CommandRefused, match="the controller has other joints"):
        controller.command_trajectory(command_of(0, [0], rows), names, START_NS)
    with pytest.raises(CommandRefused, match="not 8 positions"):
        controller.command_trajectory(command_of(0, [0], np.zeros((1, 3))), JOINT_NAMES, START_NS)


def test_an_unknown_kind_or_rate_is_refused() -> None:
    for kind, rate_hz in (("pid", 250), ("jtc", 300)):
        with pytest.raises(ValueError, match="must be one of"):
            SimulatedController(HOME, kind, rate_hz)


def test_the_log_is_readable_while_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / "controller.csv"
    controller = SimulatedController(HOME, log=str(file))
    for tick in range(5):
        controller.update(START_NS, HOME, tick * PERIOD_S)
    rows = list(csv.DictReader(file.open()))
    assert [float(row["time_s"]) for row in rows] == pytest.approx([tick * PERIOD_S for tick in range(5)])
    assert float(rows[-1]["setpoint_joint4"]) == pytest.approx(HOME[3])


def test_a_trajectory_of_the_finger_is_its_own_controllers() -> None:
    controller = SimulatedController(HOME, "jtc")
    assert controller.told(GRIPPER, np.zeros(8)) is None, "until then it is a forward_command_controller"
    controller.command_trajectory(trajectory(7, 0.2, 40 * MS), list(JOINT_NAMES[:7]), START_NS)  # type: ignore[arg-type]
    finger = command_of(START_NS, [0, 40 * MS], np.array([[0.04], [0.01]]))
    controller.command_trajectory(finger, ["finger_joint"], START_NS)
    for k in range(15):
        controller.update(START_NS + 4 * k * MS, HOME)
    assert controller.q == pytest.approx([*(HOME[:7] + 0.2), 0.01])
    told = controller.told(GRIPPER, np.zeros(8))
    assert told is not None and told.names == ["finger_joint"] and told.reference.p == pytest.approx([0.01])
    controller.command([0.03], ["finger_joint"])
    controller.update(START_NS + 60 * MS, HOME)
    assert controller.q[7] == 0.03 and controller.told(GRIPPER, np.zeros(8)) is None


def test_what_a_trajectory_controller_tells_is_what_it_commands_and_what_is_measured() -> None:
    controller, speeds = SimulatedController(HOME, "jtc"), np.arange(8.0)
    first = controller.told(ARM, speeds)
    assert first is not None and first.names == list(JOINT_NAMES[:7]) and first.reference.p == pytest.approx(HOME[:7])
    controller.command_trajectory(trajectory(8, 0.2, 400 * MS), list(JOINT_NAMES), START_NS)  # type: ignore[arg-type]
    measured = HOME - 0.01
    for k in range(50):
        controller.update(START_NS + 4 * k * MS, measured)
    told = controller.told(ARM, speeds)
    assert told is not None and told.names == list(JOINT_NAMES) and told.scaling == 1.0
    assert told.reference.p == pytest.approx(controller.q) and told.reference.v is not None
    assert told.p == pytest.approx(measured) and told.v == pytest.approx(speeds)
    assert SimulatedController(HOME, "forward").told(ARM, speeds) is None


def test_a_controller_that_is_switched_off_stops_where_the_arm_is_and_tells_nothing() -> None:
    controller = SimulatedController(HOME, "jtc")
    command = trajectory(7, 0.2, 400 * MS)
    controller.command_trajectory(command, list(JOINT_NAMES[:7]), START_NS)  # type: ignore[arg-type]
    for k in range(50):
        controller.update(START_NS + 4 * k * MS, HOME + 0.05)
    controller.switch(ARM, False)
    controller.command_trajectory(command, list(JOINT_NAMES[:7]), START_NS)  # type: ignore[arg-type]
    controller.command([0.02], ["finger_joint"])
    controller.update(START_NS + 200 * MS, HOME + 0.07)
    assert controller.q == pytest.approx([*(HOME[:7] + 0.05), 0.02]), "the gripper has a controller of its own"
    assert controller.told(ARM, np.zeros(8)) is None
    controller.switch(ARM, True)
    assert controller.told(ARM, np.zeros(8)) is not None
    controller.update(START_NS + 204 * MS, HOME + 0.05)
    assert controller.q[:7] == pytest.approx(HOME[:7] + 0.07), "what it was sent before is over"
