"""What are the limits of each joint? Read from the URDF, tightened by the configuration, complete or refused by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from xml.etree import ElementTree

from vla_ros.parameters import Faults, ParameterError
from vla_ros.robot.urdf import Mimic, check_no_mimic, followers, urdf_joints, urdf_number, urdf_root
from vla_ros.safety.safety_parameters import SafetyFilterParameters

NANO = 1_000_000_000


@dataclass(frozen=True)
class JointLimits:
    """Limits of one joint, SI: rad for revolute, m for prismatic joints, and per second, s^2, s^3.

    slow_zone, slow_velocity: nearer than slow_zone to a position limit, the speed towards it falls linearly from velocity to
    slow_velocity; 0: it does not. hard_velocity: the velocity limit before the configuration tightened it. continuous: it
    turns without end, see `continuous_joint`.
    """

    name: str
    lower: float
    upper: float
    velocity: float
    acceleration: float
    jerk: float
    slow_zone: float = 0.0
    slow_velocity: float = 0.0
    hard_velocity: float = 0.0
    continuous: bool = False


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

    Of a joint's hard limits (<limit>), its soft ones (<safety_controller>) and those of the joints that mimic it, the
    tightest count.

    Raises:
        ParameterError: the text is no URDF, lacks a joint or a limit
            or names one twice, a limit is not a number within LARGEST,
            a range is empty, a joint mimics another one, or the configuration is looser than the URDF. The text names each
            joint, limit and where to put it.
    """
    root = urdf_root(urdf)
    joints = urdf_joints(root)
    mimics = followers(root, parameters.joint_names)
    limits, faults = [], Faults()
    for i, name in enumerate(parameters.joint_names):
        with faults.collected():
            limits.append(_limits_of_joint(name, i, joints, mimics, parameters))
    faults.refuse()
    return tuple(limits)


def _limits_of_joint(
    name: str,
    i: int,
    joints: dict[str, ElementTree.Element],
    mimics: dict[str, Mimic],
    parameters: SafetyFilterParameters,
) -> JointLimits:
    element = joints.get(name)
    if element is None:
        known = ", ".join(sorted(joint for joint, e in joints.items() if e.get("type") != "fixed"))
        raise ParameterError(f"joint_names: {name!r} is not a joint of the URDF; it has {known or 'none'}")
    if element.get("type") not in ("revolute", "prismatic", "continuous"):
        raise ParameterError(
            f"joint_names: {name!r} is a {element.get('type')} joint in the URDF and cannot be commanded"
        )
    check_no_mimic(name, element)
    stated = _stated(name, element)
    for follower, how in mimics.items():
        if how.leader == name and how.multiplier:
            _tighten(stated, _stated(follower, joints[follower]), how)
    configured, tightest, faults = parameters.limits, {}, Faults()
    for attribute, key, values in (
        ("lower", "position_lower", configured.position_lower),
        ("upper", "position_upper", configured.position_upper),
        ("velocity", "velocity", configured.velocity),
    ):
        with faults.collected():
            tightest[attribute] = _tighter_limit(name, i, (attribute, stated.get(attribute)), (key, values))
    faults.refuse()
    lower, upper, velocity = tightest["lower"], tightest["upper"], tightest["velocity"]
    if lower >= upper:
        raise ParameterError(
            f"limits.position_lower: {lower} of joint {name} is not below its upper limit {upper}; correct "
            "limits.position_lower/position_upper, or in the URDF its limits, soft limits or those of a joint that mimics it"
        )
    if velocity <= 0.0:
        raise ParameterError(
            f"limits.velocity: joint {name} has {velocity} in the URDF, which allows no motion; "
            'set <limit velocity="..."/> there, also of joints that mimic it'
        )
    scale = configured.scale[i] if configured.scale else 1.0
    velocity *= scale
    zone = configured.slow_zone[i] if configured.slow_zone else 0.0
    slow = configured.slow_velocity[i] if configured.slow_velocity else 0.0
    if zone > 0.0 and slow > velocity:
        raise ParameterError(
            f"limits.slow_velocity[{i}]: {slow} of joint {name} is more than its velocity limit {velocity}"
        )
    hard = stated.get("velocity", velocity)
    acceleration, jerk = configured.acceleration[i] * scale, configured.jerk[i] * scale
    continuous = element.get("type") == "continuous"
    return JointLimits(name, lower, upper, velocity, acceleration, jerk, zone, slow, hard, continuous)


def _stated(name: str, element: ElementTree.Element) -> dict[str, float]:
    """What the URDF says of one joint itself: lower, upper (tighter of hard and soft), velocity, as far as given."""
    hard = _numbers(name, element.find("limit"), {"lower": "lower", "upper": "upper", "velocity": "velocity"})
    if element.get("type") == "continuous":
        # The URDF specification has these ignored for continuous joints; the filter needs a range all the same.
        hard.pop("lower", None)
        hard.pop("upper", None)
    names = {"soft_lower_limit": "lower", "soft_upper_limit": "upper"}
    soft = _numbers(name, element.find("safety_controller"), names)
    for key, choose in (("lower", max), ("upper", min)):
        if key in soft:
            hard[key] = choose(soft[key], hard.get(key, soft[key]))
    return hard


def _numbers(name: str, tag: ElementTree.Element | None, keys: dict[str, str]) -> dict[str, float]:
    """The attributes of a tag by what they limit."""
    given = {} if tag is None else tag.attrib
    return {
        key: urdf_number(given[attribute], f"limits.{_key(key)}: joint {name} has {attribute}")
        for attribute, key in keys.items()
        if attribute in given
    }


def _key(limit: str) -> str:
    return limit if limit == "velocity" else f"position_{limit}"


def _tighten(stated: dict[str, float], follower: dict[str, float], how: Mimic) -> None:
    """Tighten a joint's limits to where a joint that mimics it keeps its own."""
    ends = {"lower": -math.inf, "upper": math.inf} | follower
    lower, upper = sorted((ends[key] - how.offset) / how.multiplier for key in ("lower", "upper"))
    for key, value, choose in (
        ("lower", lower, max),
        ("upper", upper, min),
        ("velocity", follower.get("velocity", math.inf) / abs(how.multiplier), min),
    ):
        if math.isfinite(value):
            stated[key] = choose(value, stated.get(key, value))


def _tighter_limit(joint: str, i: int, urdf: tuple[str, float | None], configured: tuple[str, list[float]]) -> float:
    """The tighter of the URDF's (attribute, value) and the configuration's (key, values) limit of joint number i."""
    (attribute, value), (key, values) = urdf, configured
    if value is None and not values:
        raise ParameterError(
            f'limits.{key}: joint {joint} has no limit; put <limit {attribute}="..."/> into the URDF or limits.{key} '
            "into the configuration"
        )
    if value is None:
        return values[i]
    if not values:
        return value
    if values[i] < value if attribute == "lower" else values[i] > value:
        raise ParameterError(
            f"limits.{key}[{i}]: {values[i]} of joint {joint} is looser than the URDF's {value}; "
            "the configuration may only tighten"
        )
    return values[i]
