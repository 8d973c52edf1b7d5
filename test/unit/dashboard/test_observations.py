"""Observations: which nodes of /diagnostics belong to this arm."""

from __future__ import annotations

import pytest

from vla_ros.dashboard.observations import own_node_name


@pytest.mark.parametrize(
    ("name", "namespace", "own"),
    [
        ("/planner", "", "planner"),
        ("/left/planner", "", ""),
        ("/left/planner", "/left", "planner"),
        ("/right/planner", "/left", ""),
        ("/leftmost/planner", "/left", ""),
        ("/left/inner/planner", "/left", ""),
        ("/planner", "/left", ""),
        ("hardware: motor 1", "", ""),
    ],
)
def test_only_nodes_of_the_own_namespace_count(name: str, namespace: str, own: str) -> None:
    assert own_node_name(name, namespace) == own
