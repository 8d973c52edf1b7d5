"""A mutant: one replacement in the source text of the filter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One change. rule: whose. module: below vla_ros.safety, dotted. old, new: source text."""

    rule: str
    name: str
    module: str
    old: str
    new: str


def switched_off(rule: str, name: str, old: str, new: str = "None", module: str = "filter") -> Mutant:
    """Return the mutant `rule/name`."""
    return Mutant(rule, f"{rule}/{name}", module, old, new)
