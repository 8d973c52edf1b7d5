"""Configurations with which the filter must not start."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.reaction import ENDED, ExpectedReaction
from vla_ros.lab.faults.rest_bounds import RestBounds
from vla_ros.lab.faults.rig import FaultRig
from vla_ros.sim.arm_description import JOINT_NAMES

N = len(JOINT_NAMES)
LOOSE_JOINT = '<joint name="joint2" type="revolute"><limit lower="-9" upper="9" velocity="99" effort="999"/></joint>'
MIMIC_JOINT = '<joint name="joint2" type="revolute"><mimic joint="joint1"/>'


def start(parameters: dict[str, object], urdf: Callable[[str], str] | None = None) -> Callable[[FaultRig], None]:
    """Try to start a filter with this configuration."""
    return lambda rig: rig.start_filter(parameters, urdf)


def with_limit(joint: str, attribute: str, value: str | None) -> Callable[[str], str]:
    """Return an edit of the URDF that changes one limit of a joint, or removes it (None)."""

    def edit(urdf: str) -> str:
        at = urdf.index(f'<joint name="{joint}"')
        head, tail = urdf[:at], urdf[at:]
        new = "" if value is None else f'{attribute}="{value}"'
        return head + re.sub(f'{attribute}="[^"]*"', new, tail, count=1)

    return edit


def cases(_: RestBounds) -> Iterator[FaultCase]:
    """Yield the cases of this file."""
    for name, fault, says, inject in (
        (
            "limits-nan",
            "NaN in limits.acceleration",
            "limits.acceleration",
            start({"limits.acceleration": [math.nan] * N}),
        ),
        (
            "limits-missing",
            "no limits.acceleration",
            "limits.acceleration: required",
            start({"limits.acceleration": None}),
        ),
        (
            "limits-short",
            "limits.jerk of two joints",
            f"limits.jerk: expected {N} values",
            start({"limits.jerk": [1.0] * 2}),
        ),
        (
            "limits-inverted",
            "limits.position_lower above limits.position_upper",
            "limits.position_lower",
            start({"limits.position_lower": [0.03] * N, "limits.position_upper": [0.02] * N}),
        ),
        (
            "limits-loose",
            "limits.velocity beyond the URDF's",
            "looser than the URDF",
            start({"limits.velocity": [99.0] * N}),
        ),
        (
            "urdf-nan",
            "a URDF with lower=nan",
            "joint2 has lower='nan'",
            start({}, with_limit("joint2", "lower", "nan")),
        ),
        (
            "urdf-inverted",
            "a URDF with lower above upper",
            "not below its upper limit",
            start({}, with_limit("joint2", "lower", "2.0")),
        ),
        (
            "urdf-missing",
            "a URDF without a velocity limit, and none in the configuration",
            "limits.velocity: joint joint2 has no limit",
            start({"limits.velocity": None}, with_limit("joint2", "velocity", None)),
        ),
        ("urdf-broken", "a URDF that is not XML", "not readable as XML", start({}, lambda urdf: urdf[:-30])),
        (
            "urdf-twice",
            "a URDF with a second, looser joint2",
            "joint joint2: given more than once",
            start({}, lambda urdf: urdf.replace("</robot>", f"{LOOSE_JOINT}</robot>")),
        ),
        (
            "urdf-mimic",
            "a URDF in which joint2 follows joint1",
            "joint_names: 'joint2' follows 'joint1'",
            start({}, lambda urdf: urdf.replace('<joint name="joint2" type="revolute">', MIMIC_JOINT)),
        ),
        (
            "urdf-massless",
            "effort.check with a URDF without masses",
            "effort.check: the URDF tells no mass",
            start({"effort.check": True}, lambda urdf: re.sub("<inertial>.*?</inertial>", "", urdf, flags=re.DOTALL)),
        ),
        (
            "joint-unknown",
            "a joint in the configuration that the URDF does not have",
            "'joint9' is not a joint of the URDF",
            start({"joint_names": [*JOINT_NAMES[:-1], "joint9"]}),
        ),
        (
            "tool-unknown",
            "a tool on a link that the URDF does not have",
            "tool.link",
            start({"tool.link": "nowhere", "tool.capsules": [0.0] * 6 + [0.05]}),
        ),
    ):
        yield FaultCase(name, fault, ExpectedReaction((), ENDED, says=says), inject, "none")
