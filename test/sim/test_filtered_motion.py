"""What the simulated controller executes of the filter's decisions keeps the filter's limits, at every rate."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from vla_ros.bringup.safety_configuration import safety_configuration
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.joint.joint_limits import joint_limits
from vla_ros.sim.arm_description import HOME, JOINT_NAMES
from vla_ros.sim.controller import SimulatedController
from vla_ros.sim.filtered_motion import FilteredMotion
from vla_ros.sim.simulation import Simulation

TICK_NS = 4_000_000
LEAD_NS = 24_000_000


def executed(kind: str, rate_hz: int) -> tuple[SafetyFilter, np.ndarray]:
    """Joint1 and joint4 are sent to and fro faster than they may; what the drives were told, cycle by cycle."""
    parameters, urdf = safety_configuration()
    controller = dataclasses.replace(parameters.controller, type=kind, update_rate_hz=float(rate_hz))
    parameters = dataclasses.replace(parameters.without_monitor(), controller=controller)
    safety = SafetyFilter(parameters, joint_limits(urdf, parameters))
    led = SimulatedController(HOME, "jtc" if kind == "joint_trajectory" else "forward", rate_hz)
    simulation = Simulation(3, "place", led)
    motion = FilteredMotion(safety, simulation)
    path: list[np.ndarray] = []
    update = led.update

    def recorded(*arguments: object) -> None:
        update(*arguments)  # type: ignore[arg-type]
        path.append(led.q.copy())

    led.update = recorded  # type: ignore[method-assign, assignment]
    seq = 0
    for tick in range(600):
        now_ns = 10**12 + tick * TICK_NS
        safety.joint_state(now_ns, JOINT_NAMES, led.q.tolist(), [0.0] * 8, stamp_ns=now_ns)
        if tick == 60:
            assert safety.arm(now_ns)[0]
        while tick > 190 and seq * 10_000_000 <= (tick - 190) * TICK_NS and tick < 520:
            due_ns = 10**12 + 190 * TICK_NS + seq * 10_000_000 + LEAD_NS
            seq += 1
            swing = 0.15 * math.sin(seq * 0.01 * 12.0)
            goal = [q + swing * (name in ("joint1", "joint4")) for q, name in zip(HOME, JOINT_NAMES, strict=True)]
            setpoint = Setpoint("policy", "policy", seq, due_ns, now_ns - due_ns, now_ns, JOINT_NAMES, goal)
            safety.command(setpoint)
        motion.tick(safety.tick(now_ns), now_ns)
    return safety, np.array(path)


@pytest.mark.parametrize("rate_hz", [250, 500, 1000])
def test_a_trajectory_controller_executes_the_filters_limits(rate_hz: int) -> None:
    safety, path = executed("joint_trajectory", rate_hz)
    assert safety.accepted > 50 and safety.limited > 50
    for order, name in enumerate(("velocity", "acceleration", "jerk"), 1):
        limits = np.array([getattr(joint, name) for joint in safety.limits])
        shares = np.abs(np.diff(path, n=order, axis=0)) * rate_hz**order / limits
        assert shares.max() <= 1.0001, name
        assert shares.max() > (0.3 if order == 1 else 0.95), name


def test_a_forward_controller_executes_the_outputs_themselves() -> None:
    _, path = executed("forward_position", 250)
    faster = executed("forward_position", 1000)[1]
    assert np.abs(np.diff(path, axis=0)).max() == pytest.approx(np.abs(np.diff(faster, axis=0)).max()), "in one cycle"
