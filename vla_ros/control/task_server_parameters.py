"""What may be said of the node task_server."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import parameter


@dataclass(frozen=True)
class TaskServerParameters:
    """When a goal of the action Execute counts as lost."""

    plan_timeout_s: float = parameter(
        10.0,
        description="a goal fails when the planner says nothing about it for so long; more than the policy's slowest plan",
        unit="s",
        above=0.0,
    )
    status_timeout_s: float = parameter(
        2.0, description="a goal fails when the safety filter is silent for so long", unit="s", above=0.0
    )
