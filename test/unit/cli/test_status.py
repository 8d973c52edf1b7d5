"""The table of `vla-ros status` shows every node's state and text, and no number where none is known."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console

from vla_ros.cli.status import change_lines, table
from vla_ros.tracing.graph_status import REQUIRED_NODES, GraphStatus, NodeStatus

VALUES = {"rate_hz": "10.02", "deadline_misses": "3", "image_age_p50_ms": "41.2", "image_age_p95_ms": "nan"}


def printed(status: GraphStatus) -> str:
    console = Console(file=io.StringIO(), width=160)
    console.print(table(status))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_rows_have_numbers_and_a_dash_for_unknown_ones() -> None:
    text = printed(GraphStatus([NodeStatus("camera", 0, "running", VALUES, 0.4)]))
    (row,) = [line for line in text.splitlines() if line.startswith("camera")]
    assert row.split() == ["camera", "OK", "10.0", "3", "41", "–", "running"]
    assert "nan" not in text


def test_a_required_node_that_is_not_heard_has_a_row() -> None:
    text = printed(GraphStatus([]))
    assert all(name in text for name in REQUIRED_NODES)
    assert text.count("SILENT") == len(REQUIRED_NODES)


@pytest.mark.parametrize(("level", "name"), [(1, "WARN"), (2, "ERROR"), (3, "STALE")])
def test_a_complaint_is_printed_as_it_is_written(level: int, name: str) -> None:
    text = printed(GraphStatus([NodeStatus("camera", level, "front: [dark] image", {}, math.nan)]))
    assert name in text
    assert "front: [dark] image" in text


def test_what_filter_and_planner_do_is_below_the_table() -> None:
    lines = printed(GraphStatus([], "TRACKING", "ACTIVE: pick it up")).splitlines()
    assert [line.split() for line in lines[-2:]] == [["filter", "TRACKING"], ["plan", "ACTIVE:", "pick", "it", "up"]]


def test_without_a_terminal_each_node_is_a_line_of_its_own() -> None:
    lines = change_lines(GraphStatus([NodeStatus("camera", 1, "front: dark", {}, 0.4)], "TRACKING"))
    assert lines["camera"] == "WARN front: dark"
    assert lines["filter"] == "TRACKING"
    assert lines["planner"].startswith("SILENT")
    assert "plan" not in lines and all("\n" not in line for line in lines.values())
