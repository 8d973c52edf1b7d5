"""The limits that a process holds, as lines of text: two processes compare them, and a difference names what differs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from vla_ros.safety.safety_parameters import SafetyFilterParameters

JointNumbers = tuple[str, float, float, float, float, float]
"""Name, lower, upper, velocity, acceleration, jerk of a joint, SI."""
COMPARED = ("fence", "table", "keep_out", "self_collision", "obstacle", "tool")
"""Groups of parameters that say which distances are kept."""
NOT_LIMITS = ("slow_m", "timeout_s", "maximum")
"""Parameters of these groups that no output can break."""


def limits_summary(joints: Iterable[JointNumbers], parameters: SafetyFilterParameters) -> str:
    """Return one line per limit, `name: value`; with nine digits, since two programs may round the tenth otherwise."""
    keys = "lower", "upper", "velocity", "acceleration", "jerk"
    lines = [f"{name} {key}: {value:.9g}" for name, *values in joints for key, value in zip(keys, values, strict=True)]
    for group in COMPARED:
        values = dataclasses.asdict(getattr(parameters, group))
        lines += [f"{group}.{key}: {_text(value)}" for key, value in values.items() if key not in NOT_LIMITS]
    return "\n".join([*lines, f"period_s: {parameters.period_s:.9g}"])


def difference(ours: str, theirs: str) -> str:
    """Return the first line in which two summaries differ, as a sentence; empty: in none."""
    if ours == theirs:
        return ""
    for own, other in zip(ours.splitlines(), theirs.splitlines(), strict=False):
        if own != other:
            return f"it holds {other!r:.120}, this filter {own!r:.120}"
    return f"it holds {len(theirs.splitlines())} limits, this filter {len(ours.splitlines())}"


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(_text, value))
    return f"{value:.9g}" if isinstance(value, float) else str(value)
