"""A registered policy whose checkpoint is bound to the robot: for tests of what reads configurations."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.parameters import parameter
from vla_ros.policies.binding.binding_parameters import BindingParameters
from vla_ros.policies.registry import Policy


@dataclass(frozen=True)
class BoundOptions:
    """Options of a policy that binds a checkpoint."""

    binding: BindingParameters
    checkpoint: str = parameter("", description="folder")


BOUND = Policy(
    "nowhere:System2", "nowhere:System1", BoundOptions, "a checkpoint", ("no_such_module",), "pip install it"
)
