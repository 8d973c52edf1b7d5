"""Who dies is named; without a viewer the graph goes on."""

from __future__ import annotations

import pytest

from vla_ros import up
from vla_ros.graph import Process


@pytest.mark.parametrize("viewer", [False, True])
def test_a_refusal_to_start_stops_the_graph_unless_it_is_a_viewers(
    monkeypatch: pytest.MonkeyPatch, viewer: bool
) -> None:
    monkeypatch.setattr(up, "command_line", lambda process, folder: ["sh", "-c", "echo every port is taken; exit 2"])
    lines: list[str] = []
    supervisor = up.Supervisor([Process("page", "page", respawn=True, viewer=viewer)], lines.append)
    child = supervisor.children["page"]
    child.popen.wait()
    why = supervisor.watch()
    said = "page ended (exit code 2); last words: every port is taken"
    assert why == ("" if viewer else said)
    assert (f"vla_ros: {said}" in lines) is viewer
    assert supervisor.watch() == ("" if viewer else said)
    assert not viewer or child.restart_at_s == float("inf"), "and is not started again"
    supervisor.stop()
