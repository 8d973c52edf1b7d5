"""Each gate does to a setpoint what its name says."""

from __future__ import annotations

import math

import numpy as np

from vla_ros.lab.bench.filter_rig import START, FilterRig, full_configuration, without_rules
from vla_ros.lab.bench.gates import NumpyClamp, Ros2ControlLimiter, RuckigGate, SafetyFilterGate
from vla_ros.oracle.oracle import JointBounds, Oracle
from vla_ros.sim.arm_description import JOINT_NAMES

PERIOD_S = 0.004


def bounds() -> list[JointBounds]:
    oracle = Oracle(*reversed(full_configuration()))
    return [oracle.bounds[name] for name in JOINT_NAMES]


def test_the_clamp_moves_at_full_speed_at_once_and_passes_nan() -> None:
    limits = bounds()
    gate = NumpyClamp(limits, PERIOD_S, START)
    first = gate.step([10.0] * len(limits), True)
    assert np.allclose(first[0] - START[0], limits[0].velocity * PERIOD_S)
    assert np.isnan(gate.step([math.nan] * len(limits), True)).all()
    assert gate.step(first.tolist(), True).tolist() == first.tolist(), "it goes on from its last finite output"


def test_ros2_controls_formula_bounds_speeding_up_and_not_braking() -> None:
    limits = bounds()
    gate = Ros2ControlLimiter(limits, PERIOD_S, START)
    outputs = [START, *(gate.step([10.0] * len(limits), True) for _ in range(3))]
    speeds = np.diff(np.array(outputs)[:, 0]) / PERIOD_S
    assert np.allclose(np.diff(speeds), limits[0].acceleration * PERIOD_S)
    assert np.allclose(gate.step(outputs[-1].tolist(), True)[0], outputs[-1][0]), "from full speed to rest in one tick"


def test_ruckig_keeps_the_jerk_and_ignores_nan() -> None:
    limits = bounds()
    gate = RuckigGate(limits, PERIOD_S, START)
    target = START.copy()
    target[0] += 0.2
    outputs = [START, START, START]
    for i in range(500):
        outputs.append(gate.step(target.tolist() if i != 5 else [math.nan] * len(limits), i in (0, 5)))
    q = np.array(outputs)[:, 0]
    assert np.isfinite(q).all() and abs(q[-1] - target[0]) < 1e-6
    assert np.abs(np.diff(q, n=3)).max() / PERIOD_S**3 <= limits[0].jerk * (1 + 1e-6)


def test_the_filter_sends_something_finite_at_every_tick() -> None:
    parameters, urdf = full_configuration()
    rig = FilterRig(without_rules(parameters, "environment", "self_collision", "effort", "obstacle"), urdf)
    gate = SafetyFilterGate(rig)
    for _ in range(50):
        assert np.isfinite(gate.step([math.nan] * len(START), True)).all()
    assert rig.filter.rejected > 0
