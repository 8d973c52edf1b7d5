"""What are the limits of each joint? Read from the URDF, tightened by the configuration, complete or refused by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from xml.etree import ElementTree

from vla_ros.parameters import LARGEST, ParameterError
from vla_ros.safety.safety_parameters import SafetyFilterParameters

NANO = 1_000_000_000


@dataclass(frozen=True)
class JointLimits:
    """Limits of one joint, SI: rad for revolute, m for prismatic joints, and per second, s^2, s^3.

    slow_zone, slow_velocity: nearer than slow_zone to a position limit, the speed towards it falls linearly from velocity to
    slow_velocity; 0: it does not.
    """

    name: str
    lower: float
    upper: float
    velocity: float
    acceleration: float
    jerk: float
    slow_zone: float = 0.0
    slow_velocity: float = 0.0


@dataclass(frozen=True)
class TickLimits:
    """The same in whole nanoradians (nanometres) and ticks, each rounded to the safe side."""

    lower: int
    upper: int
    velocity: int
    acceleration: int
    jerk: int
    slow_zone: int = 0
    slow_velocity: int = 0


def per_tick(limits: JointLimits, period_s: float) -> TickLimits:
    """Convert limits to whole nanoradians (nanometres) and ticks of period_s.

    Raises:
        ParameterError: a limit is so small that it rounds to nothing within one tick.
    """
    h = _decimal(period_s)
    velocity = math.floor(_decimal(limits.velocity) * h * NANO)
    acceleration = math.floor(_decimal(limits.acceleration) * h**2 * NANO)
    jerk = math.floor(_decimal(limits.jerk) * h**3 * NANO)
    for key, value in (("velocity", velocity), ("acceleration", acceleration), ("jerk", jerk)):
        if value < 1:
            raise ParameterError(
                f"limits.{key}: {getattr(limits, key)} of joint {limits.name} is nothing in {period_s} s; raise it"
            )
    lower, upper = math.ceil(_decimal(limits.lower) * NANO), math.floor(_decimal(limits.upper) * NANO)
    zone = math.ceil(_decimal(limits.slow_zone) * NANO)
    slow = math.floor(_decimal(limits.slow_velocity) * h * NANO)
    return TickLimits(lower, upper, velocity, acceleration, jerk, zone, min(slow, velocity))


def _decimal(value: float) -> Fraction:
    """The number as it is written: 2.61 is 261/100, not the binary number next to it, which may lie above."""
    return Fraction(repr(value))


def joint_limits(urdf: str, parameters: SafetyFilterParameters) -> tuple[JointLimits, ...]:
    """Read the limits of `parameters.joint_names` from the URDF text and tighten them.

    Raises:
        ParameterError: the text is no URDF, lacks a joint or a limit, a limit is not a number within LARGEST, the range is
            empty, or the configuration is looser than the URDF. The text names the joint, the limit and where to put it.
    """
    try:
        root = ElementTree.fromstring(urdf)
    except ElementTree.ParseError as error:
        raise ParameterError(
            f"urdf: not readable as XML ({error}); check the file or topic robot_description"
        ) from None
    joints = {element.get("name"): element for element in root.iter("joint") if element.get("type") is not None}
    return tuple(_limits_of_joint(name, i, joints, parameters) for i, name in enumerate(parameters.joint_names))


def _limits_of_joint(
    name: str, i: int, joints: dict[str | None, ElementTree.Element], parameters: SafetyFilterParameters
) -> JointLimits:
    element = joints.get(name)
    if element is None:
        known = ", ".join(sorted(str(joint) for joint, e in joints.items() if e.get("type") != "fixed"))
        raise ParameterError(f"joint_names: {name!r} is not a joint of the URDF; it has {known or 'none'}")
    if element.get("type") not in ("revolute", "prismatic", "continuous"):
        raise ParameterError(
            f"joint_names: {name!r} is a {element.get('type')} joint in the URDF and cannot be commanded"
        )
    tag = element.find("limit")
    attributes = {} if tag is None else dict(tag.attrib)
    if element.get("type") == "continuous":
        # The URDF specification has these ignored for continuous joints; the filter needs a range all the same.
        attributes.pop("lower", None)
        attributes.pop("upper", None)
    configured = parameters.limits
    lower = _tighter_limit(name, i, ("lower", attributes.get("lower")), ("position_lower", configured.position_lower))
    upper = _tighter_limit(name, i, ("upper", attributes.get("upper")), ("position_upper", configured.position_upper))
    velocity = _tighter_limit(name, i, ("velocity", attributes.get("velocity")), ("velocity", configured.velocity))
    if lower >= upper:
        raise ParameterError(
            f"limits.position_lower: {lower} of joint {name} is not below its upper limit {upper}; "
            "correct the URDF or limits.position_lower/position_upper"
        )
    if velocity <= 0.0:
        raise ParameterError(
            f"limits.velocity: joint {name} has {velocity} in the URDF, which allows no motion; "
            'set <limit velocity="..."/> there'
        )
    scale = configured.scale[i] if configured.scale else 1.0
    velocity *= scale
    zone = configured.slow_zone[i] if configured.slow_zone else 0.0
    slow = configured.slow_velocity[i] if configured.slow_velocity else 0.0
    if zone > 0.0 and slow > velocity:
        raise ParameterError(
            f"limits.slow_velocity[{i}]: {slow} of joint {name} is more than its velocity limit {velocity}"
        )
    return JointLimits(
        name, lower, upper, velocity, configured.acceleration[i] * scale, configured.jerk[i] * scale, zone, slow
    )


def _tighter_limit(joint: str, i: int, urdf: tuple[str, str | None], configured: tuple[str, list[float]]) -> float:
    """The tighter of the URDF's (attribute, text) and the configuration's (key, values) limit of joint number i."""
    (attribute, text), (key, values) = urdf, configured
    if text is None and not values:
        raise ParameterError(
            f'limits.{key}: joint {joint} has no limit; put <limit {attribute}="..."/> into the URDF or limits.{key} '
            "into the configuration"
        )
    if text is None:
        return values[i]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= LARGEST:  # nor is NaN
        raise ParameterError(
            f"limits.{key}: joint {joint} has {attribute}={text!r} in the URDF; it must be a number within +-{LARGEST:g}"
        )
    if not values:
        return value
    if values[i] < value if attribute == "lower" else values[i] > value:
        raise ParameterError(
            f"limits.{key}[{i}]: {values[i]} of joint {joint} is looser than the URDF's {value}; "
            "the configuration may only tighten"
        )
    return values[i]
