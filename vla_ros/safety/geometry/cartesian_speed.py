"""Cartesian speed: no point of the tool, the elbow or any other body is faster than its limit.

    |dp/dt| <= limit   for every point p of a part, at every instant of the step and of the stop policy's way to rest

By induction on the outputs: a candidate is taken only if the bound of `path_bounds` holds for it and its whole way to rest;
else the stop policy's step is taken, which lies on the way that was found good one tick before. Where a limit falls while
the arm moves (reduced mode), the arm brakes by the stop policy until it holds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.active_set import Flags
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.path_bounds import ArmPaths
from vla_ros.safety.geometry_parameters import ToolParameters
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import RuleCode, SpeedRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, JointStates
from vla_ros.safety.verdict import Verdict

NAME = "cartesian_speed"
AIMED_AT = 0.9
"""Share of a limit that the motion is slowed to: the bound of the path needs some room above the speed itself."""


class SpeedLimits:
    """Speed limits of an arm's parts.

    paths: of the arm. parts: those that move. limits: (b,) m/s.

    Args:
        arm, joints, period_s: the model, its limits, the time of a tick.
        tool: with the tool centre point.
        limit_m_s: of every part; 0: no limit but those of `links`.
        links: tighter ones, "link limit" each.
        key: of the parameter `links`, for errors.

    Raises:
        ParameterError: one of `links` is not a part and a speed.
    """

    def __init__(
        self,
        arm: ArmModel,
        joints: Sequence[JointLimits],
        period_s: float,
        tool: ToolParameters,
        limit_m_s: float,
        links: Sequence[str],
        key: str,
    ) -> None:
        self.paths = ArmPaths.of(arm, joints, period_s)
        self.parts = self.paths.parts(tool)
        limits = dict.fromkeys(self.parts.names, limit_m_s or math.inf)
        for text in links:
            link, _, number = text.rpartition(" ")
            limit = _number(number)
            if link not in limits or not 0.0 < limit < math.inf:
                raise ParameterError(f"{key}: {text!r} is not a link and m/s; links: {', '.join(sorted(limits))}")
            limits[link] = min(limits[link], limit)
        self.limits = np.array([limits[name] for name in self.parts.names])

    def excess(
        self, state: FilterState, before: JointStates, pieces: Flags | None = None
    ) -> tuple[str, float, float] | None:
        """Return the part that may be furthest above its limit on a candidate's path, its bound and the limit, m/s.

        Args:
            state: `state.joints` are the candidate.
            before: (q, v, a) of each joint before the step.
            pieces: (k, b) in which pieces of the path the limit of each part holds; None: in all.
        """
        path = self.paths.candidate(state.joints, before)
        if not path.moving or (path.quick_speeds(self.parts) <= self.limits).all():
            return None
        speeds = path.speeds(self.parts, self.limits)
        within = speeds <= self.limits  # nor is NaN
        if pieces is not None:
            within |= ~pieces
        if within.all():
            return None
        ratio = np.where(within, 0.0, speeds / self.limits)
        k, b = np.unravel_index(int(ratio.argmax()), ratio.shape)
        return self.parts.names[b], float(speeds[k, b]), float(self.limits[b])

    def permille(self, q: Sequence[int], rates: Array) -> int:
        """Return the thousandths of joint rates (n,), rad/s or m/s, at q, nanoradian or nanometre, that keep the limits."""
        aim = AIMED_AT * self.limits
        if (self.paths.quick_speeds_at(self.parts, q, rates) <= aim).all():
            return 1000
        return share_permille(aim, self.paths.speeds_at(self.parts, q, rates, aim))


def share_permille(limits: Array, values: Array) -> int:
    """Return the thousandths of something that bring all values, which grow with it in proportion, to their limits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = float(np.min(np.where(values > limits, limits / values, 1.0)))
    return max(1, int(1000 * share))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


class CartesianSpeed(SpeedRule):
    """Every point of every part keeps its speed limit, on the step and on the whole way to rest.

    Args: parameters: `cartesian_speed`, `tool`. limits: of the joints. arm: the model.
    """

    NAME, CODE, NEEDS_ARM = NAME, RuleCode.CARTESIAN_SPEED, True

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel) -> None:
        own = parameters.cartesian_speed
        self._limits = SpeedLimits(
            arm, limits, parameters.period_s, parameters.tool, own.limit_m_s, own.links, "cartesian_speed.links"
        )

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.cartesian_speed.limit_m_s or parameters.cartesian_speed.links)

    def check(self, state: FilterState, before: JointStates) -> Verdict | None:
        """Refuse a candidate on whose path a part may be too fast."""
        return speed_verdict(NAME, self._limits.excess(state, before))

    def speed_permille(self, state: FilterState, rates: Array) -> int:
        return self._limits.permille([joint.q for joint in state.joints], rates)


def speed_verdict(rule: str, excess: tuple[str, float, float] | None) -> Verdict | None:
    """Return what a rule says of a part that may be too fast."""
    if excess is None:
        return None
    part, speed, limit = excess
    reason = f"{part} may reach {speed:.3f} m/s on the way to rest; {limit:.3f} m/s are allowed"
    # Rounded: see `CollisionConstraints._distance_verdict`.
    return Verdict(rule, reason, requested=round(speed, 4), limit=limit)
