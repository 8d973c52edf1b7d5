"""Which processes make the graph, with which parameters, and how they are started without launch_ros.

`bringup` describes the graph, `Supervisor` and `run` start it; the launch file starts the same description.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names

if TYPE_CHECKING:
    from vla_ros.bringup.graph import bringup, parameters_of
    from vla_ros.bringup.process import Process, dds_environment, private_domain
    from vla_ros.bringup.supervisor import Supervisor, run

__all__ = ["Process", "Supervisor", "bringup", "dds_environment", "parameters_of", "private_domain", "run"]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "graph": (
            "bringup",
            "parameters_of",
        ),
        "process": (
            "Process",
            "dds_environment",
            "private_domain",
        ),
        "supervisor": (
            "Supervisor",
            "run",
        ),
    },
)
