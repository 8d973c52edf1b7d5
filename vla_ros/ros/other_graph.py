"""Whoever starts a graph asks first whether one of its namespace is there already: on this machine, or on another one."""

from __future__ import annotations

from vla_ros.bringup.only_graph import remedy
from vla_ros.parameters import ParameterError

HEARD_S = 1.5
"""A filter in this domain is discovered, and heard, within this time."""


def refuse_second_filter(namespace: str, starter: str) -> None:
    """Refuse to start where a filter of this namespace answers: the new graph would arm and command that one.

    Args:
        namespace: of the graph. starter: what starts it, for the line.

    Raises:
        ParameterError: it names the filter and what to do.
    """
    from vla_ros.ros.client import connect

    with connect(namespace) as connected:
        connected.spin(HEARD_S, lambda: connected.status is not None)
        if connected.status is not None:
            who = ", ".join(connected.filters()) or "a safety filter"
            raise ParameterError(f"{starter}: {who} answers already: {remedy('/' + namespace.strip('/'))}")
