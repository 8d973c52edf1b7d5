"""How fast are the tool and the fastest body of the arm under the adversarial stream? In normal and in reduced mode."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.lab.bench.adversary import Adversary
from vla_ros.lab.bench.filter_rig import FilterRig
from vla_ros.robot.kinematics import Kinematics
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.arm_parts import TOOL
from vla_ros.safety.geometry.path_bounds import ArmPaths
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.arm_description import JOINT_NAMES

ARM_JOINTS = JOINT_NAMES[:-1]
CHUNK = 2000
"""Outputs that are looked at together."""


@dataclass(frozen=True)
class BodySpeed:
    """Largest speeds of what was sent, m/s.

    mode: which limits hold. limit: of any point of the arm; 0: none. tool: of the tool, by finite differences of the robot's
    kinematics. body: of the fastest point of any body, fastest: its link. slowed: share of the ticks in which a speed limit
    acted.
    """

    mode: str
    limit: float
    tool: float
    body: float
    fastest: str
    slowed: float


def measure_body_speeds(parameters: SafetyFilterParameters, urdf: str, ticks: int, seed: int) -> list[BodySpeed]:
    """Run the adversarial stream without a limit of speed, with the configured one, and in reduced mode."""
    off = dataclasses.replace(parameters.cartesian_speed, limit_m_s=0.0, links=[])
    asked_for = dataclasses.replace(parameters.reduced_mode, input=True)
    return [
        _measured("no limit", dataclasses.replace(parameters, cartesian_speed=off), urdf, ticks, seed),
        _measured("normal", parameters, urdf, ticks, seed),
        _measured("reduced", dataclasses.replace(parameters, reduced_mode=asked_for), urdf, ticks, seed),
    ]


def _measured(mode: str, parameters: SafetyFilterParameters, urdf: str, ticks: int, seed: int) -> BodySpeed:
    rig = FilterRig(parameters, urdf)
    adversary = Adversary(rig.filter.limits, seed)
    outputs, slowed = [rig.q], 0
    for _ in range(ticks):
        for at_s in rig.advance():
            rig.send_setpoint(at_s, adversary.target(at_s))
        rig.send_joint_state()
        rig.send_obstacles()
        if parameters.reduced_mode.input:
            rig.filter.reduced(rig.now_ns, True)
        verdict = rig.tick().verdict
        slowed += verdict is not None and verdict.rule in ("cartesian_speed", "reduced_mode")
        outputs.append(rig.q)
    limit = parameters.reduced_mode.speed_m_s if parameters.reduced_mode.input else parameters.cartesian_speed.limit_m_s
    body, fastest = _fastest_body(parameters, urdf, rig, np.array(outputs))
    return BodySpeed(mode, limit, _tool_speed(parameters, urdf, outputs), body, fastest, slowed / ticks)


def _tool_speed(parameters: SafetyFilterParameters, urdf: str, outputs: Sequence[Sequence[float]]) -> float:
    kinematics = Kinematics(urdf, ARM_JOINTS)
    tool = np.array([kinematics.forward(np.array(q[: len(ARM_JOINTS)]))[:3, 3] for q in outputs])
    return float(np.linalg.norm(np.diff(tool, axis=0), axis=1).max() / parameters.period_s)


def _fastest_body(parameters: SafetyFilterParameters, urdf: str, rig: FilterRig, outputs: Array) -> tuple[float, str]:
    arm = ArmModel(urdf, JOINT_NAMES, parameters.tool, parameters.payload)
    paths = ArmPaths.of(arm, rig.filter.limits, parameters.period_s)
    parts = paths.parts(parameters.tool)
    largest = np.zeros(len(parts.names))
    for i in range(0, len(outputs) - 1, CHUNK):
        q = outputs[i : i + CHUNK + 1]
        rates = np.diff(q, axis=0) / parameters.period_s
        placement = paths.kinematics.place((q[1:] + q[:-1]) / 2)
        twists = paths.kinematics.twists(placement.columns, rates)
        speeds = parts.speeds(placement.poses, list(range(len(rates))), twists, np.zeros(len(parts.names)))
        largest = np.maximum(largest, speeds.max(axis=0))
    bodies = [b for b, name in enumerate(parts.names) if name != TOOL]
    b = max(bodies, key=lambda k: float(largest[k]))
    return float(largest[b]), parts.names[b]
