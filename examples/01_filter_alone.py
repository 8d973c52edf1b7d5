"""The safety filter in your own Python loop, without ROS: a setpoint that asks for too much, and what is sent instead.

Run: python examples/01_filter_alone.py
"""

from pathlib import Path

import yaml

from vla_ros.parameters import from_mapping
from vla_ros.safety import SafetyFilter, SafetyFilterParameters, Setpoint
from vla_ros.sim.arm_description import HOME, urdf

ROOT = Path(__file__).parents[1]
PERIOD_NS = 4_000_000  # 250 Hz
NOW_NS = 1_000_000_000  # your monotonic clock; the filter reads none itself


def parameters() -> SafetyFilterParameters:
    """The configuration of the simulated arm: what all nodes share, then the filter's own block."""
    blocks = yaml.safe_load((ROOT / "config" / "sim.yaml").read_text())
    configured = from_mapping(
        SafetyFilterParameters, {**blocks["/**"]["ros__parameters"], **blocks["safety_filter"]["ros__parameters"]}
    )
    return configured.without_monitor()  # the second channel is a node of its own


def main() -> None:
    configured = parameters()
    names, q = configured.joint_names, HOME.tolist()
    safety = SafetyFilter.from_urdf(configured, urdf())
    now_ns = NOW_NS
    for _ in range(51):  # it wants joint states without a contradiction for 0.2 s
        now_ns += PERIOD_NS
        safety.joint_state(now_ns, names, q, [0.0] * len(names))  # positions, velocities
    print(safety.arm(now_ns)[1])
    goal = [q[0] + 0.1, *q[1:]]  # a jump of 0.1 rad: no arm does that in one setpoint
    fastest, rules = 0.0, set()
    for tick in range(200):
        now_ns += PERIOD_NS
        safety.joint_state(now_ns, names, q, [0.0] * len(names))  # here: a perfect arm, where it was sent
        if tick % 3 == 0:  # a source at 83 Hz
            stamp_ns, age_ns = now_ns, 0
            safety.command(Setpoint("policy", "policy", tick + 1, stamp_ns, age_ns, now_ns, names, goal))
        decision = safety.tick(now_ns)
        q = list(decision.positions or q)  # None: nothing is sent
        fastest = max(fastest, *map(abs, decision.velocities))
        rules |= {decision.verdict.rule} if decision.verdict else set()
    print(
        f"{decision.state.name} at {q[0]:.3f} rad; at most {fastest:.3f} rad/s; limited by {', '.join(sorted(rules))}"
    )
    verdict = safety.command(Setpoint("policy", "policy", 10**6, now_ns + 1, 0, now_ns, names, [float("nan"), *q[1:]]))
    assert verdict is not None
    print(f"NaN is refused by rule {verdict.rule}: {verdict.reason}")


if __name__ == "__main__":
    main()
