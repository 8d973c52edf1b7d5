"""What a controller makes of the filter's outputs, sampled: the judge of rules that limit the motion of bodies."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from test.unit.safety.simulated_arm import URDF, parameters
from vla_ros.arrays import Array
from vla_ros.lab.bench.adversary import Adversary
from vla_ros.lab.bench.filter_rig import FilterRig
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.arm_parts import Parts
from vla_ros.safety.geometry.path_bounds import ArmPaths
from vla_ros.safety.joint.joint_limits import JointLimits, joint_limits, per_tick
from vla_ros.safety.joint.joint_motion import JointMotion, JointOutput
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, JointStates
from vla_ros.sim.arm_description import JOINT_NAMES

PERIOD_S = 0.004
AT = (0.0, 0.5)
"""Where the executed motion is looked at between two outputs."""


class Model:
    """The simulated arm, its paths, and the parts of it that move; the tool centre point is 0.1 m ahead of the hand."""

    def __init__(self, **changes: object) -> None:
        self.parameters = parameters(**{"tool.link": "hand", "tool.point": [0.0, 0.0, 0.1], **changes})
        self.limits: tuple[JointLimits, ...] = joint_limits(URDF, self.parameters)
        self.arm = ArmModel(URDF, JOINT_NAMES, self.parameters.tool, self.parameters.payload)
        self.paths = ArmPaths.of(self.arm, self.limits, PERIOD_S)
        self.parts = self.paths.parts(self.parameters.tool)
        self.motions = [JointMotion(per_tick(joint, PERIOD_S)) for joint in self.limits]

    def candidate(self, draw: random.Random, share: float) -> tuple[FilterState, JointStates]:
        """Draw a state at a share of the velocity limits and a step from it; all of it is inside the position limits."""
        while True:
            state, before = self._any_candidate(draw, share)
            outputs = self.outputs(state, before)
            if all(
                joint.lower <= q.min() and q.max() <= joint.upper
                for joint, q in zip(self.limits, outputs.T, strict=True)
            ):
                return state, before

    def _any_candidate(self, draw: random.Random, share: float) -> tuple[FilterState, JointStates]:
        before, joints = [], []
        for motion in self.motions:
            limits = motion.limits
            middle, half = (limits.lower + limits.upper) // 2, (limits.upper - limits.lower) // 3
            q = draw.randint(middle - half, middle + half)
            v, a = int(draw.uniform(-share, share) * limits.velocity), int(draw.uniform(-1, 1) * limits.acceleration)
            before.append((q, v, a))
            joint = JointOutput(q, v, a)
            if draw.random() < 0.5:
                motion.stop(joint)
            else:
                joint.a = max(-limits.acceleration, min(limits.acceleration, a + draw.randint(-1, 1) * limits.jerk))
                joint.v += joint.a
                joint.q += joint.v
            joints.append(joint)
        return FilterState(joints=joints), before

    def outputs(self, state: FilterState, before: JointStates) -> Array:
        """(t, n) rad or m: three outputs before a step, the step, and the stop after it."""
        rows = [[q - v - (v - a) for q, v, a in before], [q - v for q, v, _ in before], [q for q, _, _ in before]]
        joints = [JointOutput(joint.q, joint.v, joint.a) for joint in state.joints]
        rows.append([joint.q for joint in joints])
        while any(joint.v or joint.a for joint in joints):
            for motion, joint in zip(self.motions, joints, strict=True):
                motion.stop(joint)
            rows.append([joint.q for joint in joints])
        return np.array([*rows, *rows[-1:] * 3]) / 1e9


def executed(outputs: Array) -> tuple[Array, Array]:
    """Positions and rates (m, n) of the cubic B-spline whose control points are outputs (t, n) of successive ticks."""
    q, dq = [], []
    for t in AT:
        weights = np.array([(1 - t) ** 3, 3 * t**3 - 6 * t * t + 4, -3 * t**3 + 3 * t * t + 3 * t + 1, t**3]) / 6
        slopes = np.array([-((1 - t) ** 2), 3 * t * t - 4 * t, -3 * t * t + 2 * t + 1, t * t]) / 2 / PERIOD_S
        windows = np.stack([outputs[i : len(outputs) - 3 + i] for i in range(4)])
        q.append(np.einsum("w,wtn->tn", weights, windows))
        dq.append(np.einsum("w,wtn->tn", slopes, windows))
    return np.concatenate(q), np.concatenate(dq)


def speeds(model: Model, outputs: Array, parts: Parts | None = None) -> Array:
    """(m, b) m/s of the parts in the executed motion."""
    parts = parts or model.parts
    q, dq = executed(outputs)
    placement = model.paths.kinematics.place(q)
    twists = model.paths.kinematics.twists(placement.columns, dq)
    return parts.speeds(placement.poses, list(range(len(q))), twists, np.zeros(len(parts.names)))


def adversarial_outputs(
    configuration: SafetyFilterParameters, ticks: int, seed: int = 1, reduced: Sequence[int] = ()
) -> Array:
    """(t, n) rad or m: what the filter sends of the adversarial stream; reduced: in which ticks its input says true."""
    rig = FilterRig(configuration, URDF)
    adversary = Adversary(rig.filter.limits, seed)
    sent = []
    for tick in range(ticks):
        for at_s in rig.advance():
            rig.send_setpoint(at_s, adversary.target(at_s))
        rig.send_joint_state()
        rig.send_obstacles()
        if configuration.reduced_mode.input:
            rig.filter.reduced(rig.now_ns, tick in reduced)
        rig.tick()
        sent.append(rig.q)
    return np.array(sent)


FREE = {
    **{"fence.box": [], "table.height_m": [], "self_collision.check": False, "effort.check": False},
    "cartesian_speed.limit_m_s": 0.0,
    **{"command.step": [10.0] * 8, "tool.link": "hand", "tool.point": [0.0, 0.0, 0.1]},
}
"""Nothing but what a test asks for, and setpoints from anywhere."""
