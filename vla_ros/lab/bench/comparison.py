"""The same adversarial stream through every gate; the oracle judges what comes out."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.lab.bench.adversary import Adversary
from vla_ros.lab.bench.filter_rig import SETPOINT_NS, START, Rig, anywhere, whole, without
from vla_ros.lab.bench.gates import Clamp, Filter, Gate, Ros2ControlFormula, Ruckig
from vla_ros.lab.bench.load import collected, real_time
from vla_ros.oracle import QUANTITIES, Oracle
from vla_ros.sim.arm_description import JOINT_NAMES

Array = NDArray[np.float64]

SETTLED = 20
"""A stretch counts as smooth after so many smooth setpoints."""


@dataclass(frozen=True)
class Row:
    """One gate. past_position: furthest past a limit, rad or m; velocity, acceleration, jerk: largest share of the limit.

    not_finite: outputs passed on. lag: median distance of the worst arm joint from the setpoint in smooth stretches, rad.
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
    """All gates, and how many of the setpoints the filter accepted."""

    rows: tuple[Row, ...]
    setpoints: int
    accepted: int


def compare(ticks: int, seed: int) -> Comparison:
    """Run all gates; limits of joints only, because the others know nothing else, and every setpoint may jump."""
    parameters, urdf = whole()
    parameters = anywhere(without(parameters, "surroundings", "self_collision", "effort", "obstacle"))
    oracle = Oracle(urdf, parameters)
    bounds = [oracle.bounds[name] for name in JOINT_NAMES]
    rig = Rig(parameters, urdf)
    h = parameters.period_s
    gates: dict[str, Gate] = {
        "numpy clamp of position and velocity": Clamp(bounds, h, START),
        "ros2_control's formula (own port)": Ros2ControlFormula(bounds, h, START),
        "ruckig, replanned at each setpoint": Ruckig(bounds, h, START),
        "safety_filter": Filter(rig),
    }
    rows = tuple(_row(name, gate, oracle, ticks, seed) for name, gate in gates.items())
    return Comparison(rows, rig.filter.accepted + rig.filter.rejected, rig.filter.accepted)


def _row(name: str, gate: Gate, oracle: Oracle, ticks: int, seed: int) -> Row:
    bounds = [oracle.bounds[joint] for joint in JOINT_NAMES]
    adversary = Adversary(bounds, seed)
    period_ns = round(oracle.parameters.period_s * 1e9)
    sent = np.zeros((ticks, len(bounds)))
    times_ns = np.zeros(ticks, np.int64)
    target: Sequence[float] = START.tolist()
    setpoints = smooth = 0
    lags: list[float] = []
    with collected(), real_time():
        for i in range(ticks):
            fresh = False
            while setpoints * SETPOINT_NS <= (i + 1) * period_ns:
                target, fresh = adversary.target(setpoints * SETPOINT_NS / 1e9), True
                setpoints += 1
                smooth = smooth + 1 if adversary.mode == "smooth" else 0
            begin = time.perf_counter_ns()
            sent[i] = gate.step(target, fresh)
            times_ns[i] = time.perf_counter_ns() - begin
            if smooth > SETTLED:
                inside = np.clip(target, [joint.lower for joint in bounds], [joint.upper for joint in bounds])
                lags.append(float(np.max(np.abs(sent[i] - inside)[:-1])))
    report = oracle.check(np.vstack([START, sent]))
    velocity, acceleration, jerk = (report.worst(quantity) for quantity in QUANTITIES)
    return Row(
        name,
        report.worst("position").excess,
        abs(velocity.value) / velocity.limit,
        abs(acceleration.value) / acceleration.limit,
        abs(jerk.value) / jerk.limit,
        int(np.sum(~np.isfinite(sent).all(axis=1))),
        float(np.median(lags)) if lags else math.nan,
        float(np.median(times_ns)) / 1e3,
    )
