"""Configurations with which the filter must not start."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

from vla_ros.lab.faults.case import NOWHERE, Case, Expected
from vla_ros.lab.faults.rig import Rig
from vla_ros.lab.faults.times import Times
from vla_ros.sim.arm_description import JOINT_NAMES

N = len(JOINT_NAMES)


def refused(parameters: dict[str, object], urdf: Callable[[str], str] | None = None) -> Callable[[Rig], None]:
    """Try to start so."""
    return lambda rig: rig.refuse_to_start(parameters, urdf)


def limit(joint: str, attribute: str, value: str | None) -> Callable[[str], str]:
    """A URDF in which one limit of a joint is another, or missing."""

    def edit(urdf: str) -> str:
        at = urdf.index(f'<joint name="{joint}"')
        head, tail = urdf[:at], urdf[at:]
        new = "" if value is None else f'{attribute}="{value}"'
        return head + re.sub(f'{attribute}="[^"]*"', new, tail, count=1)

    return edit


def cases(t: Times) -> Iterator[Case]:
    """The cases of this file."""
    for name, fault, says, inject in (
        (
            "limits-nan",
            "NaN in limits.acceleration",
            "limits.acceleration",
            refused({"limits.acceleration": [math.nan] * N}),
        ),
        (
            "limits-missing",
            "no limits.acceleration",
            "limits.acceleration: required",
            refused({"limits.acceleration": None}),
        ),
        (
            "limits-short",
            "limits.jerk of two joints",
            f"limits.jerk: expected {N} values",
            refused({"limits.jerk": [1.0] * 2}),
        ),
        (
            "limits-inverted",
            "limits.position_lower above limits.position_upper",
            "limits.position_lower",
            refused({"limits.position_lower": [0.03] * N, "limits.position_upper": [0.02] * N}),
        ),
        (
            "limits-loose",
            "limits.velocity beyond the URDF's",
            "looser than the URDF",
            refused({"limits.velocity": [99.0] * N}),
        ),
        ("urdf-nan", "a URDF with lower=nan", "joint2 has lower='nan'", refused({}, limit("joint2", "lower", "nan"))),
        (
            "urdf-inverted",
            "a URDF with lower above upper",
            "not below its upper limit",
            refused({}, limit("joint2", "lower", "2.0")),
        ),
        (
            "urdf-missing",
            "a URDF without a velocity limit, and none in the configuration",
            "limits.velocity: joint joint2 has no limit",
            refused({"limits.velocity": None}, limit("joint2", "velocity", None)),
        ),
        ("urdf-broken", "a URDF that is no XML", "not readable as XML", refused({}, lambda urdf: urdf[:-30])),
        (
            "joint-unknown",
            "a joint in the configuration that the URDF does not have",
            "'joint9' is not a joint of the URDF",
            refused({"joint_names": [*JOINT_NAMES[:-1], "joint9"]}),
        ),
        (
            "tool-unknown",
            "a tool on a link that the URDF does not have",
            "tool.link",
            refused({"tool.link": "nowhere", "tool.capsules": [0.0] * 6 + [0.05]}),
        ),
    ):
        yield Case(name, fault, Expected((), NOWHERE, says=says), inject, "none")
