"""The same adversarial stream through every gate; the oracle checks the outputs."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vla_ros.lab.bench.adversary import Adversary
from vla_ros.lab.bench.filter_rig import (
    SETPOINT_NS,
    START,
    FilterRig,
    full_configuration,
    with_unlimited_steps,
    without_rules,
)
from vla_ros.lab.bench.gates import Gate, NumpyClamp, Ros2ControlLimiter, RuckigGate, SafetyFilterGate
from vla_ros.lab.bench.load import garbage_collection_off, real_time_scheduling
from vla_ros.oracle import QUANTITIES, Oracle
from vla_ros.sim.arm_description import JOINT_NAMES
from vla_ros.time import NS_PER_S

SMOOTH_AFTER = 20
"""A stretch counts as smooth after so many smooth setpoints."""


@dataclass(frozen=True)
class ComparisonRow:
    """Results of one gate.

    Args:
        past_position: largest distance past a position limit, rad or m.
        velocity, acceleration, jerk: largest share of the limit.
        not_finite: number of outputs with a NaN or an infinity.
        lag: median distance of the worst arm joint from the newest setpoint in smooth stretches, rad.
        median_us: time of a tick.
    """

    gate: str
    past_position: float
    velocity: float
    acceleration: float
    jerk: float
    not_finite: int
    lag: float
    median_us: float


@dataclass(frozen=True)
class Comparison:
    """Results of all gates, and how many of the setpoints the filter accepted."""

    rows: tuple[ComparisonRow, ...]
    setpoints: int
    accepted: int


def compare(ticks: int, seed: int) -> Comparison:
    """Run all gates, with the limits of joints only, which is all that the others check, and without a limit on steps."""
    parameters, urdf = full_configuration()
    parameters = with_unlimited_steps(without_rules(parameters, "environment", "self_collision", "effort", "obstacle"))
    oracle = Oracle(urdf, parameters)
    bounds = [oracle.bounds[name] for name in JOINT_NAMES]
    rig = FilterRig(parameters, urdf)
    period_s = parameters.period_s
    gates: dict[str, Gate] = {
        "numpy clamp of position and velocity": NumpyClamp(bounds, period_s, START),
        "ros2_control's formula (own port)": Ros2ControlLimiter(bounds, period_s, START),
        "ruckig, replanned at each setpoint": RuckigGate(bounds, period_s, START),
        "safety_filter": SafetyFilterGate(rig),
    }
    rows = tuple(_measure(name, gate, oracle, ticks, seed) for name, gate in gates.items())
    return Comparison(rows, rig.filter.accepted + rig.filter.rejected, rig.filter.accepted)


def _measure(name: str, gate: Gate, oracle: Oracle, ticks: int, seed: int) -> ComparisonRow:
    bounds = [oracle.bounds[joint] for joint in JOINT_NAMES]
    adversary = Adversary(bounds, seed)
    period_ns = round(oracle.parameters.period_s * NS_PER_S)
    sent = np.zeros((ticks, len(bounds)))
    times_ns = np.zeros(ticks, np.int64)
    target: Sequence[float] = START.tolist()
    setpoints = smooth = 0
    lags: list[float] = []
    with garbage_collection_off(), real_time_scheduling():
        for i in range(ticks):
            fresh = False
            while setpoints * SETPOINT_NS <= (i + 1) * period_ns:
                target, fresh = adversary.target(setpoints * SETPOINT_NS / NS_PER_S), True
                setpoints += 1
                smooth = smooth + 1 if adversary.mode == "smooth" else 0
            begin = time.perf_counter_ns()
            sent[i] = gate.step(target, fresh)
            times_ns[i] = time.perf_counter_ns() - begin
            if smooth > SMOOTH_AFTER:
                inside = np.clip(target, [joint.lower for joint in bounds], [joint.upper for joint in bounds])
                lags.append(float(np.max(np.abs(sent[i] - inside)[:-1])))
    report = oracle.check(np.vstack([START, sent]))
    velocity, acceleration, jerk = (report.worst(quantity) for quantity in QUANTITIES)
    return ComparisonRow(
        name,
        report.worst("position").excess,
        abs(velocity.value) / velocity.limit,
        abs(acceleration.value) / acceleration.limit,
        abs(jerk.value) / jerk.limit,
        int(np.sum(~np.isfinite(sent).all(axis=1))),
        float(np.median(lags)) if lags else math.nan,
        float(np.median(times_ns)) / 1e3,
    )
