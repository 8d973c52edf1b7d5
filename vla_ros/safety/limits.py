"""The limits of every joint: the URDF's, tightened by the configuration, in the filter's integers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from xml.etree import ElementTree

from vla_ros.parameters import ParameterError
from vla_ros.safety.kinodynamics import Bounds
from vla_ros.safety.parameters import SafetyFilterParameters

NANO = 1_000_000_000


def to_nano(value: float) -> int:
    """rad (m) → nrad (nm), rounded to the nearest."""
    return round(value * NANO)


def urdf_limits(urdf: str) -> Mapping[str, Mapping[str, float]]:
    """Return {joint: {lower, upper, velocity}} of every moving joint, in rad or m and per s.

    A limit that the URDF does not give is absent.

    Raises:
        ParameterError: the text is no URDF, or a limit in it is not a finite number.
    """
    try:
        root = ElementTree.fromstring(urdf)
    except ElementTree.ParseError as error:
        raise ParameterError(f"urdf: not XML ({error})") from None
    found: dict[str, dict[str, float]] = {}
    for joint in root.iter("joint"):
        name, limit = joint.get("name"), joint.find("limit")
        if name is None or joint.get("type") not in ("revolute", "prismatic", "continuous"):
            continue
        found[name] = {}
        for key in ("lower", "upper", "velocity"):
            text = None if limit is None else limit.get(key)
            if text is None or (joint.get("type") == "continuous" and key != "velocity"):
                continue
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            if not math.isfinite(value):
                raise ParameterError(f"urdf: joint {name}: limit {key}={text!r} is not a finite number")
            found[name][key] = value
    return found


def bounds(parameters: SafetyFilterParameters, urdf: str) -> tuple[Bounds, ...]:
    """Return the bounds of every joint, ordered as parameters.joint_names.

    Raises:
        ParameterError: a joint is not in the URDF, the URDF has no velocity limit for it, or the range is empty.
    """
    of_urdf = urdf_limits(urdf)
    tick_s = 1.0 / parameters.rate_hz
    result = []
    for i, joint in enumerate(parameters.joint_names):
        if joint not in of_urdf:
            known = ", ".join(sorted(of_urdf))
            raise ParameterError(f"joint_names: {joint} is not a moving joint of the URDF; it has {known}")
        if "velocity" not in of_urdf[joint]:
            raise ParameterError(f"urdf: joint {joint}: no velocity limit; add <limit velocity=…> to the URDF")
        limits = parameters.limits
        lower = max(limits.position_lower[i], of_urdf[joint].get("lower", -math.inf))
        upper = min(limits.position_upper[i], of_urdf[joint].get("upper", math.inf))
        velocity = min(limits.velocity[i], of_urdf[joint]["velocity"])
        # Rounding goes towards the tighter side.
        made = Bounds(
            math.ceil(lower * NANO),
            math.floor(upper * NANO),
            math.floor(velocity * tick_s * NANO),
            math.floor(limits.acceleration[i] * tick_s**2 * NANO),
            math.floor(limits.jerk[i] * tick_s**3 * NANO),
        ) if lower < upper else None
        if made is None:
            raise ParameterError(f"limits: {joint}: configuration and URDF leave no range ({lower} to {upper})")
        result.append(made)
    return tuple(result)
