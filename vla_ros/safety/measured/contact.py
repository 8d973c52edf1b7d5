"""Rule contact: |measured effort - modelled effort| <= threshold for each joint, or above it for less than the duration.

What the model does not explain comes from outside. The model is inverse dynamics of the measured position and velocity at the
acceleration that was sent. It is as good as the URDF's masses and the driver's efforts; friction counts as contact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.rules import Action, RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "contact"


class Contact(TickRule):
    """Asked when a joint state arrives, not in a tick.

    Args: parameters: `contact`. limits: of the joints. arm: the model.

    Raises:
        ParameterError: a moving body has no mass in the URDF.
    """

    NAME, CODE, ACTION, NEEDS_ARM = NAME, RuleCode.CONTACT, Action.LATCH, True

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel) -> None:
        missing = arm.bodies_without_mass()
        if missing:
            raise ParameterError(
                f"contact.threshold: the URDF tells no mass of {', '.join(missing)}; give <inertial> there, or leave it empty"
            )
        self._arm = arm
        self._names = tuple(joint.name for joint in limits)
        self._threshold = tuple(parameters.contact.threshold)
        self._duration_ns = round(parameters.contact.duration_s * 1e9)
        self._to_acceleration = NANO * parameters.period_s**2

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.contact.threshold)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Latch when a joint has been pushed for longer than the duration, or when no efforts are measured."""
        efforts, since_ns = state.measured.efforts, state.contact_since_ns
        if len(efforts) != len(self._names) or not all(math.isfinite(effort) for effort in efforts):
            return Verdict(NAME, "joint_states carries no efforts; contact.threshold needs them")
        q = [position / NANO for position in state.measured.q]
        dq = [0.0 if math.isnan(value) else value for value in state.measured.dq]
        ddq = [joint.a / self._to_acceleration for joint in state.joints]
        (modelled,) = self._arm.efforts(*(np.array([values]) for values in (q, dq, ddq)))
        for i, name in enumerate(self._names):
            # No finer: see `CollisionConstraints._distance_verdict`.
            external = round(efforts[i] - float(modelled[i]), 3)
            if abs(external) <= self._threshold[i]:
                since_ns[i] = None
                continue
            pushed_ns = since_ns[i]
            if pushed_ns is None:
                since_ns[i] = pushed_ns = now_ns
            if now_ns - pushed_ns >= self._duration_ns:
                return Verdict(
                    NAME,
                    f"{name} is pushed with {external:.3g} N m (N) from outside; {self._threshold[i]:.3g} are tolerated",
                    name,
                    external,
                    self._threshold[i],
                )
        return None
