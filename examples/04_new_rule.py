"""A rule of your own in the safety filter: joint1 can always stop below an angle. Run: python examples/04_new_rule.py"""

import runpy
from pathlib import Path

from vla_ros.safety import FilterState, SafetyFilter, Setpoint, StepRule, Verdict
from vla_ros.safety.joint.joint_limits import per_tick
from vla_ros.safety.joint.joint_motion import JointMotion
from vla_ros.sim.arm_description import HOME, urdf


class Ceiling(StepRule):
    """q + stop_path_length <= CEILING_RAD, whenever joint1 moves upwards. Where a step would not keep it, the arm stops."""

    NAME, CODE, CEILING_RAD = "ceiling", 1000, 0.3  # codes from 1000 on are yours

    def check(self, state: FilterState, before: object) -> Verdict | None:
        joint = state.joints[0]  # in whole nanoradians
        if joint.v <= 0 >= joint.a or (joint.q + MOTION.stop_path_length(joint)) / 1e9 <= self.CEILING_RAD:
            return None
        return Verdict(self.NAME, "joint1 could no longer stop below its ceiling", "joint1", limit=self.CEILING_RAD)


parameters = runpy.run_path(str(Path(__file__).with_name("01_filter_alone.py")))["parameters"]()
limits = SafetyFilter.from_urdf(parameters, urdf()).limits
MOTION = JointMotion(per_tick(limits[0], parameters.period_s))
safety = SafetyFilter(parameters, limits, urdf(), extra_rules=[Ceiling()])
names, q, now_ns = parameters.joint_names, HOME.tolist(), 10**9
for _ in range(51):
    now_ns += 4_000_000
    safety.joint_state(now_ns, names, q, [0.0] * len(names))
print(safety.arm(now_ns)[1])
for tick in range(500):
    now_ns += 4_000_000
    safety.joint_state(now_ns, names, q, [0.0] * len(names))
    if tick % 3 == 0:  # somebody pushes joint1 on and on
        safety.command(Setpoint("policy", "policy", tick, now_ns, 0, now_ns, names, [q[0] + 0.05, *q[1:]]))
    decision = safety.tick(now_ns)
    q = list(decision.positions or q)
assert 0.28 < q[0] <= 0.3 and decision.verdict
print(f"joint1 stands at {q[0]:.3f} rad; rule {decision.verdict.rule}, code 1000: {decision.verdict.reason}")
