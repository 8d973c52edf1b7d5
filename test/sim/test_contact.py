"""Rule contact on the simulated arm: its own motion is none, pressing on the table is."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from vla_ros.bringup.graph import bringup
from vla_ros.parameters import from_mapping, nested
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.states import State
from vla_ros.safety.trajectory import entry_ticks
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.sim.filtered_motion import FilteredMotion
from vla_ros.sim.simulation import Simulation

THRESHOLD = [15.0, 15.0, 15.0, 10.0, 5.0, 5.0, 5.0, 1000.0]
TICK_NS = 4_000_000


def parameters() -> SafetyFilterParameters:
    """The simulated arm's, with contact noticed and nothing known of the table."""
    (process,) = (p for p in bringup(overrides={"safety_filter": {"table.height_m": []}}) if p.name == "safety_filter")
    chosen = from_mapping(SafetyFilterParameters, nested(process.parameters)).without_monitor()
    return dataclasses.replace(chosen, contact=dataclasses.replace(chosen.contact, threshold=THRESHOLD))


SETTLE_TICKS = 55
LEAD_NS = 24_000_000
ENTRY_TICKS = entry_ticks(TICK_NS) + 1


def run(target: np.ndarray, seconds: float) -> tuple[SafetyFilter, Simulation]:
    """Move all joints together from home to `target` and back in so many seconds, through the filter."""
    simulation = Simulation(3, "place")
    safety = SafetyFilter.from_urdf(parameters(), urdf())
    motion = FilteredMotion(safety, simulation)
    now_ns = 10**12
    for tick in range(-SETTLE_TICKS, ENTRY_TICKS + round(seconds / 0.004)):
        efforts = simulation.effort.tolist()
        safety.joint_state(now_ns, JOINT_NAMES, simulation.q.tolist(), simulation.dq.tolist(), efforts)
        if tick == 0:
            assert safety.arm(now_ns)[0]
        if tick > ENTRY_TICKS:
            share = (1 - math.cos(2 * math.pi * (tick - ENTRY_TICKS) * 0.004 / seconds)) / 2
            positions = (HOME + share * (target - HOME)).tolist()
            safety.command(
                Setpoint("policy", "policy", tick, now_ns + LEAD_NS, -LEAD_NS, now_ns, JOINT_NAMES, positions)
            )
        motion.tick(safety.tick(now_ns), now_ns)
        now_ns += TICK_NS
    return safety, simulation


def test_its_own_motion_is_no_contact() -> None:
    safety, _ = run(HOME + np.array([0.6, -0.2, 0.4, 0.3, 0.4, 0.4, 0.5, 0.0]), 4.0)
    assert safety.state in (State.TRACKING, State.LIMITING)


def test_pressing_on_the_table_stops_the_arm() -> None:
    safety, simulation = run(HOME + np.array([0.0, 1.3, 0.0, 0.0, 0.0, 0.9, 0.0, 0.0]), 4.0)
    assert safety.state is State.PROTECTIVE_STOP
    assert safety.tick(10**13).verdict is not None
    assert safety.tick(10**13).verdict.rule == "contact"
    assert np.abs(simulation.dq).max() < 0.02
