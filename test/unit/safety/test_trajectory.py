"""The outputs as a trajectory: the spline keeps their limits at every time, ends at rest, and says nothing too late."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vla_ros.parameters import ParameterError
from vla_ros.safety.controller_parameters import ControllerParameters
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.joint_motion import JointMotion, JointOutput
from vla_ros.safety.trajectory import ENTRY_NS, CommittedPath, Trajectory, TrajectoryStream, entry_ticks

H = 4_000_000
LIMITS = (TickLimits(-(10**9), 10**9, 8_000_000, 100_000, 30_000), TickLimits(-(10**8), 10**8, 900_000, 7_000, 900))
CONTROLLER = ControllerParameters(type="joint_trajectory", topic="t", update_rate_hz=500.0)


def outputs(count: int, seed: int) -> tuple[np.ndarray, list[JointOutput]]:
    """Outputs (count, 2) of joints that are sent to and fro, and their last states."""
    rng = np.random.default_rng(seed)
    motions = [JointMotion(each) for each in LIMITS]
    joints = [motion.at(0) for motion in motions]
    rows, targets = [[0, 0]] * 12, [0, 0]
    for _ in range(count - 12):
        for i, (motion, joint) in enumerate(zip(motions, joints, strict=True)):
            if rng.random() < 0.05:
                targets[i] = int(rng.integers(motion.limits.lower, motion.limits.upper))
            motion.follow(joint, targets[i], 0, motion.limits.velocity)
        rows.append([joint.q for joint in joints])
    return np.array(rows), joints


def sampled(trajectory: Trajectory, times_ns: np.ndarray) -> np.ndarray:
    """Position, velocity, acceleration (3, times, joints) of the cubics between the points, rad and s."""
    at = trajectory.times_ns
    i = np.clip(np.searchsorted(at, times_ns, "right") - 1, 0, len(at) - 2)
    h = (at[i + 1] - at[i])[:, None] / 1e9
    u = (times_ns - at[i])[:, None] / 1e9 / h
    p, v = trajectory.positions, trajectory.velocities
    c2 = 3 * (p[i + 1] - p[i]) - (2 * v[i] + v[i + 1]) * h
    c3 = 2 * (p[i] - p[i + 1]) + (v[i] + v[i + 1]) * h
    return np.stack(
        [
            p[i] + v[i] * h * u + c2 * u**2 + c3 * u**3,
            v[i] + (2 * c2 * u + 3 * c3 * u**2) / h,
            (2 * c2 + 6 * c3 * u) / h**2,
        ]
    )


@pytest.mark.parametrize("seed", range(6))
def test_every_derivative_of_the_path_keeps_what_bounds_the_differences_of_the_outputs(seed: int) -> None:
    rows, _ = outputs(150 + 20 * seed, seed)
    path = CommittedPath(LIMITS, H, 24_000_000)
    path.start(rows[0].tolist())
    for row in rows:
        path.add(row.tolist())
    trajectory = path.trajectory(10**12)
    times = np.arange(0, trajectory.times_ns[-1], 100_000)
    p, v, a = sampled(trajectory, times)
    jerk = np.diff(a, axis=0) / 1e-4
    for j, each in enumerate(LIMITS):
        assert (np.abs(v[:, j]) <= each.velocity / H * (1 + 1e-9)).all()
        assert (np.abs(a[:, j]) <= each.acceleration / H**2 * 1e9 * (1 + 1e-6)).all()
        assert (np.abs(jerk[:, j]) <= each.jerk / H**3 * 1e18 * (1 + 1e-6)).all()
        assert (p[:, j] >= each.lower / 1e9).all() and (p[:, j] <= each.upper / 1e9).all()


def test_a_message_ends_at_rest_where_the_stop_policy_comes_to_rest() -> None:
    rows, joints = outputs(300, 3)
    assert any(joint.v for joint in joints)
    path = CommittedPath(LIMITS, H, 24_000_000)
    for row in rows:
        path.add(row.tolist())
    trajectory = path.trajectory(10**12)
    ticks = 0
    while any(joint.v or joint.a for joint in joints):
        ticks += 1
        for motion, joint in zip(map(JointMotion, LIMITS), joints, strict=True):
            motion.stop(joint)
    assert (trajectory.positions[-1] == [joint.q / 1e9 for joint in joints]).all()
    assert (trajectory.velocities[-1] == 0.0).all()
    assert (np.diff(trajectory.times_ns) > 0).all() and trajectory.times_ns[0] == 0
    assert trajectory.stamp_ns + trajectory.times_ns[-1] == 10**12 + 24_000_000 + (ticks + 2) * H


def test_the_first_point_lies_so_far_back_that_a_controller_never_waits_for_it() -> None:
    path = CommittedPath(LIMITS, H, 24_000_000)
    path.start([5, 7])
    trajectory = path.trajectory(10**12)
    assert trajectory.stamp_ns == 10**12 - 4_000_000
    assert trajectory.positions.tolist() == [[5e-9, 7e-9]] * 2
    assert trajectory.velocities.tolist() == [[0.0, 0.0]] * 2


def test_points_between_which_the_jerk_is_the_same_are_left_out() -> None:
    rows, _ = outputs(400, 8)
    path = CommittedPath(LIMITS, H, 24_000_000)
    for row in rows:
        path.add(row.tolist())
    trajectory = path.trajectory(0)
    whole = trajectory.times_ns[-1] // H + 1
    assert len(trajectory.times_ns) < 0.75 * whole


def streaming(rows: np.ndarray) -> TrajectoryStream:
    stream = TrajectoryStream(CONTROLLER, LIMITS, H)
    for k, row in enumerate(rows):
        stream.tick((row / 1e9).tolist(), 0, k * H)
    return stream


def test_the_entry_is_one_message_of_one_point_at_rest_and_nothing_until_the_stream_begins() -> None:
    stream = TrajectoryStream(CONTROLLER, LIMITS, H)
    ticks = entry_ticks(H)
    sent = [stream.tick([0.1, 0.02], entering, 10**12) for entering in range(ticks + 40, -1, -1)]
    assert [i for i, each in enumerate(sent) if each is not None] == [40, ticks + 40]
    entry = sent[40]
    assert entry is not None and entry.accelerations is not None
    assert entry.times_ns.tolist() == [ENTRY_NS] and entry.positions.tolist() == [[0.1, 0.02]]
    assert not entry.velocities.any() and not entry.accelerations.any()
    assert stream.streaming


def test_missed_ticks_lie_on_the_grid_and_a_retracted_output_is_replaced() -> None:
    rows, _ = outputs(200, 5)
    direct, other = streaming(rows), streaming(rows[:-3])
    other.missed([(row / 1e9).tolist() for row in rows[-3:-1]], 2)
    other.tick((rows[-2] / 1e9).tolist(), 0, 199 * H)
    other.retract((rows[-1] / 1e9).tolist())
    same = [each.tick((rows[-1] / 1e9).tolist(), 0, 0) for each in (direct, other)]
    assert same[0] is not None and same[1] is not None
    assert same[0].stamp_ns == same[1].stamp_ns
    assert (same[0].positions == same[1].positions).all()


def test_an_arm_at_rest_stays_where_it_is_however_long_ticks_are_missed() -> None:
    stream = streaming(np.zeros((20, 2), np.int64))
    stream.missed([[0.0, 0.0]], 100_000)
    trajectory = stream.tick([0.0, 0.0], 0, 0)
    assert trajectory is not None
    assert trajectory.stamp_ns == 100_020 * H - H
    assert not trajectory.positions.any()


@pytest.mark.parametrize(("off_ns", "was_set"), [(0, False), (2_900_000, False), (3_100_000, True), (-3_100_000, True)])
def test_a_tick_off_the_grid_shows_that_the_clock_was_set(off_ns: int, was_set: bool) -> None:
    stream = streaming(np.zeros((20, 2), np.int64))
    assert stream.clock_was_set(20 * H + off_ns) is was_set
    stream.tick(None, 0, 0)
    assert not stream.clock_was_set(20 * H + off_ns), "nothing is led any more"


def test_the_lateness_that_is_allowed_is_what_the_horizon_leaves() -> None:
    assert TrajectoryStream(CONTROLLER, LIMITS, H).lateness_ns == 24_000_000 - 8_000_000 - 2_000_000 - 5_000_000


def test_a_horizon_that_leaves_no_time_is_refused_by_name(make_bench: Any) -> None:
    changes = {"controller.type": "joint_trajectory", "controller.horizon_s": 0.016}
    with pytest.raises(ParameterError, match=r"controller\.horizon_s: 0\.016 is too short; .* are 0\.018"):
        make_bench(changes)
    assert make_bench({**changes, "controller.update_rate_hz": 1000.0})
