"""Benchmarks of the safety filter, the policy and the transport. `vla-ros bench` runs `safety`, `policy` and `transport`.

Names are imported when they are first used, because the modules need packages that not everyone has installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names

if TYPE_CHECKING:
    from vla_ros.lab.bench.adversary import Adversary
    from vla_ros.lab.bench.comparison import compare
    from vla_ros.lab.bench.cost import measure_costs
    from vla_ros.lab.bench.filter_rig import FilterRig, full_configuration
    from vla_ros.lab.bench.load import cpu_load
    from vla_ros.lab.bench.memory import measure_memory
    from vla_ros.lab.bench.punctuality import measure_punctuality
    from vla_ros.lab.bench.round_trips import measure_round_trips

__all__ = [
    "Adversary",
    "FilterRig",
    "compare",
    "cpu_load",
    "full_configuration",
    "measure_costs",
    "measure_memory",
    "measure_punctuality",
    "measure_round_trips",
]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "adversary": ("Adversary",),
        "comparison": ("compare",),
        "cost": ("measure_costs",),
        "filter_rig": (
            "FilterRig",
            "full_configuration",
        ),
        "load": ("cpu_load",),
        "memory": ("measure_memory",),
        "punctuality": ("measure_punctuality",),
        "round_trips": ("measure_round_trips",),
    },
)
