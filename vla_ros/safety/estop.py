"""Rule estop: somebody pressed stop. It is no safety-rated stop; the robot's own e-stop stays the e-stop."""

from __future__ import annotations

from vla_ros.safety.verdict import Verdict

NAME = "estop"


def pressed(by: str) -> Verdict:
    """The verdict that latches; `by` says who or what pressed."""
    return Verdict(NAME, f"e-stop by {by}")
