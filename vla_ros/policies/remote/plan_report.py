"""What servers of this project add to openpi's protocol: keys that others do not read.

A server's metadata hold SERVER_KEY. To such a server a client sends the stamp of its images and the number of the
instruction; it answers, beside the actions, what its plan says.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vla_ros.policies.contract import Plan, PlanState

SERVER_KEY = "vla_ros"
STAMP_KEY = "vla_ros/stamp_ns"
EPISODE_KEY = "vla_ros/episode"
REPORT_KEY = "vla_ros/plan"
LONGEST_TEXT = 400


def report_of(plan: Plan) -> dict[str, Any]:
    """Return what a server says of its plan."""
    return {
        "state": plan.state.name,
        "subtask": plan.subtask,
        "reasoning": plan.reasoning,
        "progress": float(plan.progress),
        "confidence": float(plan.confidence),
    }


def with_report(plan: Plan, report: Mapping[str, Any]) -> Plan:
    """Return the plan with what the server says of its own; what is of a wrong type is left out.

    A plan that is not ACTIVE there is none here: it loses its data, and the arm holds.
    """
    state = PlanState.__members__.get(str(report.get("state", "")), plan.state)
    told: dict[str, Any] = {key: _text(report.get(key)) or getattr(plan, key) for key in ("subtask", "reasoning")}
    told |= {key: _share(report.get(key)) for key in ("progress", "confidence")}
    if state is not PlanState.ACTIVE:
        return Plan(plan.frame_stamp_ns, plan.instruction, state, **told)
    return replace(plan, **told)


def _text(value: object) -> str:
    return " ".join(value.split())[:LONGEST_TEXT] if isinstance(value, str) else ""


def _share(value: object) -> float:
    number = float(value) if isinstance(value, int | float) else math.nan
    return number if 0.0 <= number <= 1.0 else math.nan
