"""`vla-ros up` starts what its options describe, arms and gives the first instruction once everything is ready."""

from __future__ import annotations

import argparse
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from test.unit.cli.fake_client import FakeClient, FakeUnreachable, install
from test.unit.policies.lerobot.folders import write_folder
from test.unit.policies.lerobot.registered import BOUND
from vla_ros.bringup import only_graph, supervisor
from vla_ros.bringup.process import Process
from vla_ros.cli import up
from vla_ros.parameters import ParameterError
from vla_ros.policies import registry
from vla_ros.policies.vlm import local

DOMAIN = str(os.getpid())
"""Of this run of the tests: another one beside it claims the same graph."""
PARAMETERS: dict[str, dict[str, Any]] = {}
"""Node → parameters of the graph that was started last."""


def run(monkeypatch: pytest.MonkeyPatch, client: FakeClient, *options: str, stopping: bool = False) -> list[str]:
    """Run the command with a graph that is up at once; return the names of its processes."""
    started: list[str] = []
    PARAMETERS.clear()

    def supervise(processes: Sequence[Process], on_start: Callable[[threading.Event], Any]) -> int:
        started.extend(process.name for process in processes)
        PARAMETERS.update({process.name: dict(process.parameters) for process in processes})
        event = threading.Event()
        if stopping:
            event.set()
        on_start(event)
        return 0

    install(monkeypatch, client)
    monkeypatch.setenv("ROS_DOMAIN_ID", DOMAIN)
    monkeypatch.setattr(supervisor, "run", supervise)
    parser = argparse.ArgumentParser()
    up.arguments(parser)
    assert up.run(parser.parse_args(options)) == 0
    return started


def test_the_graph_is_armed_and_told_when_it_is_ready(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = FakeClient(ready=None, trigger=(True, ""))
    assert "dashboard" in run(monkeypatch, client, "--arm", "--say", "wave")
    assert (client.triggered, client.published) == (["arm"], ["wave"])
    assert "vla_ros: armed\n" in capsys.readouterr().out


def test_without_options_nothing_moves(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    client = FakeClient(ready=None)
    assert "dashboard" not in run(monkeypatch, client, "--no-dashboard")
    assert (client.triggered, client.published) == ([], [])
    assert "  vla-ros arm\n" in capsys.readouterr().out


@pytest.mark.parametrize("stopping", [True, False])
def test_what_is_not_ready_is_said_unless_it_is_to_end_anyway(
    stopping: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = FakeClient(ready=FakeUnreachable("not ready after 180 s: camera"))
    run(monkeypatch, client, stopping=stopping)
    assert ("not ready after 180 s: camera" in capsys.readouterr().out) is not stopping


def test_a_vlm_is_put_in_front_of_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "check_folder", lambda folder: None)
    url = ("--vlm-url", "http://localhost:8000/v1", "--vlm-model", "qwen")
    run(monkeypatch, FakeClient(ready=None), "--system2", "vlm", *url)
    planner, expert = PARAMETERS["planner"], PARAMETERS["action_expert"]
    assert (planner["system2"], expert["system2"]) == ("vlm", "vlm")
    assert (planner["vlm.url"], planner["vlm.model"]) == ("http://localhost:8000/v1", "qwen")
    assert not [key for key in expert if key.startswith("vlm.")]
    run(monkeypatch, FakeClient(ready=None), "--system2", "vlm", "--vlm-model", "/models/smolvlm")
    assert PARAMETERS["planner"]["vlm.folder"] == "/models/smolvlm"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--system2", "vlm"), "planner.vlm.url: give the URL of an endpoint"),
        (("--system2", "vlm", "--vlm-url", "http://h/v1"), "planner.vlm.model: give the name"),
        (("--system2", "oracle"), "planner.system2: must be one of"),
        (("--vlm-url", "http://h/v1", "--vlm-model", "m"), "--vlm-url, --vlm-model: .* only with --system2 vlm"),
        (("--system2", "vlm", "--vlm-model", "/nowhere/vlm"), "vlm.folder: /nowhere/vlm: there is no such folder"),
    ],
)
def test_half_a_vlm_is_refused(monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        run(monkeypatch, FakeClient(ready=None), *options)


def test_a_checkpoint_that_does_not_fit_is_refused_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(registry.POLICIES, "bound", replace(BOUND, requires=("math",)))  # type: ignore[arg-type]
    client = FakeClient(ready=None)
    folder = write_folder(tmp_path / "ckpt", cameras=("observation.images.top",))
    with pytest.raises(ParameterError, match=r"bound: .*ckpt: rate: .* write binding\.rate_hz.*1 more"):
        run(monkeypatch, client, "--policy", "bound", "--checkpoint", str(folder))
    told = capsys.readouterr()
    assert told.out == "" and "observation.images.top" in told.err and "refused" in told.err
    file = tmp_path / "mine.yaml"
    file.write_text(
        "/**: {ros__parameters: {bound: {binding: {rate_hz: 50.0, cameras: [top=front]}}}}",
    )
    options = ("--policy", "bound", "--checkpoint", str(folder), "--config", str(file))
    assert "planner" in run(monkeypatch, client, *options)


def test_a_second_graph_is_refused_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(ready=None, filters=["/safety_filter (01), another machine"])
    client.status = object()
    with pytest.raises(ParameterError, match=r"up: /safety_filter \(01\), another machine answers already: end it"):
        run(monkeypatch, client)
    monkeypatch.setenv("ROS_DOMAIN_ID", DOMAIN)
    with (
        only_graph.claimed("left"),
        pytest.raises(ParameterError, match="namespace /left runs on this machine already"),
    ):
        run(monkeypatch, FakeClient(ready=None), "--namespace", "left")
