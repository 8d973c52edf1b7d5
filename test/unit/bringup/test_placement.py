"""Which nodes this host starts, and how hosts tell that they were started alike."""

from __future__ import annotations

import pytest

from vla_ros.bringup.graph import bringup
from vla_ros.bringup.placement import configuration, placed
from vla_ros.parameters import ParameterError

GRAPH = bringup()
NAMES = [process.name for process in GRAPH]


def test_without_a_word_all_runs_here() -> None:
    placement = placed(GRAPH)
    assert placement.here == GRAPH
    assert placement.elsewhere == ()


def test_only_and_without_divide_the_graph() -> None:
    gpu, robot = placed(GRAPH, only="action_expert, planner"), placed(GRAPH, without="planner,action_expert")
    assert [process.name for process in gpu.here] == ["planner", "action_expert"]
    assert gpu.elsewhere == tuple(process.name for process in robot.here)
    assert set(gpu.elsewhere) | set(robot.elsewhere) == set(NAMES)
    assert gpu.runs("planner") and not gpu.runs("safety_filter")


@pytest.mark.parametrize(
    ("only", "without", "line"),
    [
        ("planer", "", "only: this graph has no node 'planer'; did you mean 'planner'?"),
        ("", "wheels", "without: this graph has no node 'wheels'; it has "),
        ("planner", "camera", "only, without: they say the same in two ways"),
        ("", ",".join(NAMES), "without: nothing is left to start on this host"),
        (" , ", "", "without: nothing is left to start"),
    ],
)
def test_what_cannot_be_is_one_line(only: str, without: str, line: str) -> None:
    with pytest.raises(ParameterError, match="^" + line.replace("?", "[?]")):
        placed(GRAPH, only, without)


def test_the_configuration_changes_with_the_parameters_of_the_node_alone() -> None:
    other = bringup(overrides={"planner": {"rate_hz": 5.0}})
    before, after = configuration(GRAPH).split(), configuration(other).split()
    assert [entry.split(":")[0] for entry in before] == NAMES
    assert {a.split(":")[0] for a, b in zip(before, after, strict=True) if a != b} == {"planner"}
