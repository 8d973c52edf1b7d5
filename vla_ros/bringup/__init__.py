"""Which processes make the graph, with which parameters, and how they are started without launch_ros.

`bringup` describes the graph, `Supervisor` and `run` start it; the launch file starts the same description.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vla_ros.bringup.graph import bringup, parameters_of
    from vla_ros.bringup.process import Process, dds_environment, private_domain
    from vla_ros.bringup.supervisor import Supervisor, run

__all__ = ["Process", "Supervisor", "bringup", "dds_environment", "parameters_of", "private_domain", "run"]
_MODULES = {
    "graph": ("bringup", "parameters_of"),
    "process": ("Process", "dds_environment", "private_domain"),
    "supervisor": ("Supervisor", "run"),
}


def __getattr__(name: str) -> object:
    for module, names in _MODULES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
