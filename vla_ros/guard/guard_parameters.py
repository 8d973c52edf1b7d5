"""Parameters of the instruction guard."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import parameter


@dataclass(frozen=True)
class GuardParameters:
    """The guard cannot be switched off; its rules can be replaced."""

    rules: str = parameter("guard", description="a file of rules, or the name of one in config/")
