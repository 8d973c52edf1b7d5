"""A rule of your own in the safety filter, without a change of the package: joint1 stays below an angle.

A `StepRule` judges where a step leads; where it objects, less of the step is taken, in the end the stop policy's step. The
way to rest is part of the judgement, so that the arm can always stop in time. Run: python examples/04_new_rule.py
"""

import runpy
from pathlib import Path

from vla_ros.safety import FilterState, SafetyFilter, Setpoint, StepRule, Verdict
from vla_ros.safety.joint.joint_limits import JointLimits, per_tick
from vla_ros.safety.joint.joint_motion import JointMotion
from vla_ros.sim.arm_description import HOME, urdf


class Ceiling(StepRule):
    """q + (bound on the way of the stop policy) <= ceiling for joint1, whenever it moves or is pushed upwards."""

    NAME, CODE = "ceiling", 1000  # codes from 1000 on are yours

    def __init__(self, ceiling: float, limits: JointLimits, period_s: float) -> None:
        self._ceiling = int(ceiling * 1e9)  # the filter counts in whole nanoradians
        self._motion = JointMotion(per_tick(limits, period_s))

    def check(self, state: FilterState, before: object) -> Verdict | None:
        joint = state.joints[0]
        if joint.v <= 0 >= joint.a or joint.q + self._motion.stop_path_length(joint) <= self._ceiling:
            return None
        return Verdict(self.NAME, "joint1 could no longer stop below its ceiling", "joint1", limit=self._ceiling / 1e9)


def main() -> None:
    parameters = runpy.run_path(str(Path(__file__).with_name("01_filter_alone.py")))["parameters"]()
    limits = SafetyFilter.from_urdf(parameters, urdf()).limits
    rule = Ceiling(0.3, limits[0], parameters.period_s)
    safety = SafetyFilter(parameters, limits, urdf(), extra_rules=[rule])
    names, q, now_ns = parameters.joint_names, HOME.tolist(), 10**9
    safety.joint_state(now_ns, names, q, [0.0] * len(names))
    print(safety.arm(now_ns)[1])
    for tick in range(500):
        now_ns += 4_000_000
        safety.joint_state(now_ns, names, q, [0.0] * len(names))
        if tick % 3 == 0:  # somebody pushes joint1 on and on
            safety.command(Setpoint("policy", "policy", tick, now_ns, 0, now_ns, names, [q[0] + 0.05, *q[1:]]))
        decision = safety.tick(now_ns)
        q = list(decision.positions or q)
    verdict = decision.verdict
    assert verdict is not None and 0.28 < q[0] <= 0.3
    print(f"joint1 stands at {q[0]:.3f} rad; rule {verdict.rule}, code {safety.code(verdict)}: {verdict.reason}")


if __name__ == "__main__":
    main()
