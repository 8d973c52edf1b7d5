"""A filter with the limits of joints alone, armed at home, and the rule that refuses a setpoint."""

from __future__ import annotations

from pathlib import Path

from vla_ros.lab.faults.graphs import processes
from vla_ros.lab.faults.rig_messages import RigSetpoint
from vla_ros.parameters import from_mapping, nested
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.joint.joint_limits import joint_limits
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.time import NS_PER_S

from .fake_rig import correct_setpoint, injected

START_NS = 20 * NS_PER_S


def filter_at_home() -> SafetyFilter:
    """Return the filter of the campaign's parameters, armed, without the rules for buttons."""
    (process,) = [each for each in processes("filter", Path("/nowhere")) if each.name == "safety_filter"]
    flat = {
        key: value
        for key, value in process.parameters.items()
        if not key.startswith(("estop.", "deadman.", "enabling."))
    }
    flat["controller.type"] = "forward_position"  # setpoints count at once
    parameters = from_mapping(SafetyFilterParameters, nested(flat))
    made = SafetyFilter(parameters, joint_limits(urdf(), parameters))
    for i in range(21):
        made.joint_state(NS_PER_S + (i - 20) * 10_000_000, JOINT_NAMES, HOME.tolist(), [0.0] * len(JOINT_NAMES))
    made.speed_scaling(NS_PER_S, parameters.controller.scaling_full)
    done, why = made.arm(NS_PER_S)
    assert done, why
    return made


def refusing_rule(made: SafetyFilter, setpoint: RigSetpoint, now_ns: int) -> str:
    """Return the rule that refuses a setpoint that arrives now; empty: none does."""
    age_ns = now_ns - setpoint.stamp_ns
    verdict = made.command(
        Setpoint(
            "policy",
            setpoint.source,
            setpoint.seq,
            setpoint.stamp_ns,
            age_ns,
            now_ns,
            setpoint.names,
            setpoint.positions,
        )
    )
    return "" if verdict is None else verdict.rule


def refusing_rules(name: str) -> list[str]:
    """Return the rules that refuse three setpoints as the case `name` alters them."""
    made, rig = filter_at_home(), injected(name)
    rules = []
    for k in range(3):
        now_ns = START_NS + k * NS_PER_S // 100
        for setpoint in rig.alter_setpoint(correct_setpoint(k + 1, now_ns), k * 0.01):
            rules.append(refusing_rule(made, setpoint, now_ns))
    return rules
