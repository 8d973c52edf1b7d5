"""A process that ends is named; without a viewer the graph goes on."""

from __future__ import annotations

import pytest

from vla_ros.bringup import supervisor
from vla_ros.bringup.process import Process


@pytest.mark.parametrize("viewer", [False, True])
def test_a_refusal_to_start_stops_the_graph_unless_it_is_a_viewers(
    monkeypatch: pytest.MonkeyPatch, viewer: bool
) -> None:
    monkeypatch.setattr(
        supervisor, "command_line", lambda process, folder: ["sh", "-c", "echo every port is taken; exit 2"]
    )
    lines: list[str] = []
    running = supervisor.Supervisor([Process("page", "page", respawn=True, viewer=viewer)], lines.append)
    child = running.children["page"]
    child.popen.wait()
    why = running.watch()
    ended = "page ended (exit code 2); last output: every port is taken"
    assert why == ("" if viewer else ended)
    assert (f"vla_ros: {ended}" in lines) is viewer
    assert running.watch() == ("" if viewer else ended)
    assert not viewer or child.restart_at_s == float("inf"), "and is not started again"
    running.stop()
