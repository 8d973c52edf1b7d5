"""The model of joint_trajectory_controller keeps the rules that were measured on the real one."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.arrays import Array
from vla_ros.sim.trajectory_controller import CommandRefused, PointState, TrajectoryController, between, command_of

MS = 1_000_000
START_NS = 10**12


def at(*values: float) -> Array:
    return np.array([values], np.float64).T


def controller(from_desired: bool = True) -> TrajectoryController:
    """At 250 Hz, one joint held at 0 for ten cycles until START_NS."""
    made = TrajectoryController(np.zeros(1), 250.0, from_desired)
    for k in range(-10, 1):
        made.update(START_NS + 4 * k * MS, 4 * MS, np.zeros(1))
    return made


def run(made: TrajectoryController, cycles: int, measured: float = 0.0) -> list[float]:
    path = []
    for k in range(1, cycles + 1):
        made.update(START_NS + 4 * k * MS, 4 * MS, np.full(1, measured))
        path.append(float(made.state.p[0]))
    return path


def test_it_samples_one_period_ahead_and_holds_the_last_point() -> None:
    made = controller()
    made.command(command_of(START_NS, [0, 20 * MS], at(0.0, 0.5)), START_NS)
    assert run(made, 6) == pytest.approx([0.2, 0.3, 0.4, 0.5, 0.5, 0.5])
    assert made.state.v is not None and made.state.v[0] == 0.0


def test_a_point_to_come_is_led_to_from_the_last_command_of_the_cycle_before() -> None:
    made = controller()
    made.command(command_of(START_NS, [20 * MS], at(1.0)), START_NS)
    # The last command is that of START_NS, so two periods of the straight line lie in the first step.
    assert run(made, 4) == pytest.approx([0.4, 0.6, 0.8, 1.0])


def test_without_the_desired_state_it_begins_at_the_measured_arm() -> None:
    made = controller(from_desired=False)
    made.command(command_of(START_NS, [24 * MS], at(1.0)), START_NS)
    path = run(made, 5, measured=0.5)
    assert path[0] == pytest.approx(0.5 + 0.5 * 4 / 20)


def test_no_stamp_begins_with_the_cycle_that_takes_it_up() -> None:
    made = controller()
    made.command(command_of(0, [8 * MS], at(1.0)), START_NS)
    assert run(made, 3) == pytest.approx([8 / 12, 1.0, 1.0])


def test_the_newest_message_wins_and_its_stamp_may_lie_in_the_past() -> None:
    made = controller()
    made.command(command_of(START_NS, [0, 40 * MS], at(0.0, 1.0)), START_NS)
    made.command(command_of(START_NS - 20 * MS, [0, 40 * MS], at(0.0, 1.0)), START_NS)
    assert run(made, 1) == pytest.approx([28 / 40])


def test_a_speed_scaling_slows_the_controllers_own_time() -> None:
    made = controller()
    made.command(command_of(START_NS, [0, 400 * MS], at(0.0, 1.0)), START_NS)
    made.scaling = 0.5
    path = run(made, 10)
    assert np.diff(path) == pytest.approx([0.005] * 9)


@pytest.mark.parametrize(
    ("times", "positions", "velocities", "text"),
    [
        ([], np.zeros((0, 1)), None, "a trajectory of 0 points"),
        ([0, 0], at(0.0, 1.0), None, "times of the points do not rise"),
        ([0], at(0.0), at(0.1), "the last point moves"),
        ([0], at(float("nan")), None, "not finite"),
        ([0], at(0.0), None, "ends in the past"),
    ],
)
def test_what_the_real_one_refuses_is_refused(
    times: list[int], positions: Array, velocities: Array | None, text: str
) -> None:
    made = controller()
    with pytest.raises(CommandRefused, match=text):
        made.command(command_of(START_NS - MS, times, positions, velocities), START_NS)
    assert run(made, 2) == [0.0, 0.0]


def test_between_points_it_is_a_line_a_cubic_or_a_quintic() -> None:
    rng = np.random.default_rng(0)
    p, v, a, q, w, b = rng.normal(size=(6, 3))
    h = 0.25
    for begin, end, known in (
        (PointState(p), PointState(q), 1),
        (PointState(p, v), PointState(q, w), 2),
        (PointState(p, v, a), PointState(q, w, b), 3),
    ):
        for state, since in ((begin, 0.0), (end, 1.0)):
            found = between(begin, end, since * h * 1e9, h * 1e9)
            for value, expected in list(zip((found.p, found.v, found.a), (state.p, state.v, state.a), strict=True))[
                :known
            ]:
                assert value == pytest.approx(expected)
    middle = [between(PointState(p, v, a), PointState(q, w, b), t * 1e9, h * 1e9) for t in (0.1, 0.1001)]
    assert (middle[1].p - middle[0].p) / 1e-4 == pytest.approx(middle[0].v, abs=1e-2)
    assert (middle[1].v - middle[0].v) / 1e-4 == pytest.approx(middle[0].a, abs=1e-1)
