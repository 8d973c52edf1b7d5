"""Reduced mode: limits of its own for as long as an input asks for it, and wherever a body is beyond a plane.

Beyond a plane is  n.p > d  for a point p of a moving body. In reduced mode, at every instant,
    |dp/dt| <= speed limit of the part,   |dq_i/dt| <= joint_share * velocity limit of joint i
The two hold for the step and the stop policy's way to rest. By a plane they hold in those pieces of the path (`path_bounds`)
whose bodies may be beyond it: so the speed has come down before the plane is passed, by the same induction as for
cartesian_speed. On the way there the arm slows down so that it has the speed of reduced mode just before. When the input
asks for it while the arm is faster, the arm brakes by the stop policy until the limits hold.

Only the input's `false` ends what its `true` began; its silence of timeout_s, and its absence at the start, count as `true`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.active_set import Flags
from vla_ros.safety.geometry.approach import Approach
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.cartesian_speed import SpeedLimits, share_permille, speed_verdict
from vla_ros.safety.geometry.path_bounds import CandidatePath
from vla_ros.safety.geometry.path_pieces import FIRST_PIECE
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.rules import RuleCode, SpeedRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, JointStates
from vla_ros.safety.verdict import Verdict

NAME = "reduced_mode"


class ReducedMode(SpeedRule):
    """The limits of reduced mode, on the step and on the whole way to rest.

    Args: parameters: `reduced_mode`, `tool`. limits: of the joints. arm: the model.

    Raises:
        ParameterError: a plane has no direction, or a link is not one of the arm's.
    """

    NAME, CODE, NEEDS_ARM = NAME, RuleCode.REDUCED_MODE, True

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel) -> None:
        own = parameters.reduced_mode
        self._speeds = SpeedLimits(
            arm, limits, parameters.period_s, parameters.tool, own.speed_m_s, own.links, "reduced_mode.links"
        )
        self._names = [joint.name for joint in limits]
        self._rates = own.joint_share * np.array([joint.velocity for joint in limits])
        self._input, self._timeout_ns = own.input, round(own.timeout_s * NANO)
        self._normals, self._offsets = _planes(own.planes)
        self._approach = Approach(limits, parameters.period_s)

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.reduced_mode.input or parameters.reduced_mode.planes)

    def asked_for(self, state: FilterState) -> bool:
        """Return whether the input asks for reduced mode, or cannot be heard."""
        if not self._input:
            return False
        heard_ns = state.reduced_ns
        return state.reduced or heard_ns is None or state.now_ns - heard_ns > self._timeout_ns

    def active(self, state: FilterState) -> bool:
        """Return whether the output is in reduced mode: asked for, or a body is beyond a plane."""
        if self.asked_for(state):
            return True
        if not len(self._offsets):
            return False
        return bool(self._beyond(self._reach([joint.q for joint in state.joints])).any())

    def check(self, state: FilterState, before: JointStates) -> Verdict | None:
        """Refuse a candidate on whose path reduced mode's limits may be broken where they hold."""
        path = self._speeds.paths.candidate(state.joints, before)
        if not path.moving:
            return None
        if self.asked_for(state):
            return self._joint_verdict(path.peak_rates) or speed_verdict(NAME, self._speeds.excess(state, before))
        if not len(self._offsets) or not self._may_pass(path, before):
            return None
        pieces = self._pieces_beyond(path)
        if not pieces.any():
            return None
        too_fast = self._joint_verdict(path.piece_peaks[pieces].max(axis=0))
        everywhere = np.repeat(pieces[:, None], len(self._speeds.parts.names), axis=1)
        return too_fast or speed_verdict(NAME, self._speeds.excess(state, before, everywhere))

    def speed_permille(self, state: FilterState, rates: Array) -> int:
        q = [joint.q for joint in state.joints]
        if self.asked_for(state):
            return self._reduced_permille(q, rates)
        if not len(self._offsets):
            return 1000
        rooms = self._offsets - self._reach(q)
        if (rooms < 0.0).any():
            return self._reduced_permille(q, rates)
        return self._permille_before(q, rates, rooms[0])

    def _reduced_permille(self, q: Sequence[int], rates: Array) -> int:
        return min(self._speeds.permille(q, rates), share_permille(self._rates, np.abs(rates)))

    def _permille_before(self, q: Sequence[int], rates: Array, rooms: Array) -> int:
        """Thousandths from which the arm can slow down to the speed of reduced mode within rooms (b, s) before the planes, m.

        Slowed to a share s, in proportion, a part that nears a plane with u goes u (T / 2 (s^2 - r^2) + t (s - r)) until the
        share is r: T is the time in which the full speed is braked, t that in which the brake is built up and released.
        """
        paths, parts = self._speeds.paths, self._speeds.parts
        placement = paths.placement(q)
        twists = paths.kinematics.twists(placement.columns, rates[None])
        closing = np.maximum(parts.speeds_along(placement.poses, twists, self._normals)[0], 0.0)
        ramp_s = float(self._approach.ramps_s.max()) + FIRST_PIECE * paths.period_s  # the check sees pieces of the path
        half_s = float((np.abs(rates) / self._approach.brakes).max()) / 2
        near = closing * (half_s + ramp_s) > rooms
        if not near.any():
            return 1000
        reduced = self._reduced_permille(q, rates) / 1000
        left_s = (rooms[near] / closing[near]).min() + reduced * (half_s * reduced + ramp_s)
        share = 2 * left_s / (ramp_s + math.sqrt(ramp_s * ramp_s + 4 * half_s * left_s))
        return max(1, min(1000, int(1000 * share)))

    def _reach(self, q: Sequence[int]) -> Array:
        """(1, b, s) m, how far each part is along each plane's normal."""
        return self._speeds.parts.furthest_along(self._speeds.paths.placement(q).poses, self._normals)

    def _beyond(self, reach: Array) -> Flags:
        """(k,) whether a part is beyond a plane, for reach (k, b, s) m."""
        beyond: Flags = np.logical_or.reduce(reach > self._offsets, axis=(1, 2))
        return beyond

    def _may_pass(self, path: CandidatePath, before: JointStates) -> bool:
        """Whether a part may be beyond a plane somewhere on the path, by a bound that is soon known."""
        poses = self._speeds.paths.placement([q for q, _, _ in before]).poses
        centres, radius = self._speeds.parts.balls(poses)
        reach = centres[0] @ self._normals.T + (radius + self._speeds.parts.lever_arms.dot(path.spread))[:, None]
        return bool((reach > self._offsets).any())

    def _pieces_beyond(self, path: CandidatePath) -> Flags:
        """(k,) in which pieces of the path a part may be beyond a plane."""
        reach = self._speeds.parts.furthest_along(path.placement.poses, self._normals)
        moved = path.boxes[1] @ self._speeds.parts.lever_arms.T
        return self._beyond(reach + moved[:, :, None])

    def _joint_verdict(self, rates: Array) -> Verdict | None:
        over = rates > self._rates + 1e-9
        if not over.any():
            return None
        i = int((rates / self._rates).argmax())
        rate, limit = float(rates[i]), float(self._rates[i])
        reason = f"{self._names[i]} may reach {rate:.3f} rad/s (m/s); reduced mode allows {limit:.3f}"
        return Verdict(NAME, reason, self._names[i], round(rate, 6), limit)


def _planes(numbers: Sequence[float]) -> tuple[Array, Array]:
    """Unit normals (s, 3) and offsets (s,) m of planes, nx ny nz d each.

    Raises:
        ParameterError: a plane has no direction.
    """
    rows = np.array(numbers, float).reshape(-1, 4)
    lengths = np.sqrt((rows[:, :3] ** 2).sum(axis=1))
    if not (lengths > 0.0).all():
        raise ParameterError(f"reduced_mode.planes: plane {int(lengths.argmin()) + 1} has the normal 0 0 0")
    return rows[:, :3] / lengths[:, None], rows[:, 3] / lengths
