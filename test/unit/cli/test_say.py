"""The outcome of an instruction is an exit code; Ctrl-C leaves the arm holding."""

from __future__ import annotations

import argparse

import pytest

from test.unit.cli.fake_client import FakeClient, FakeUnreachable, install
from vla_ros.cli import say
from vla_ros.parameters import ParameterError


def run(monkeypatch: pytest.MonkeyPatch, client: FakeClient, text: str = "pick it up") -> int:
    install(monkeypatch, client)
    return say.run(argparse.Namespace(namespace="", text=text))


@pytest.mark.parametrize(("outcome", "code"), [("done", 0), ("failed", 1), ("stopped", 1), ("unarmed", 3)])
def test_the_outcome_is_printed_and_is_the_exit_code(
    outcome: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, FakeClient(follow=(outcome, "because"))) == code
    assert capsys.readouterr().out == f"{outcome}: because\n"


def test_an_empty_text_is_published_and_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient()
    assert run(monkeypatch, client, "  ") == 0
    assert client.published == [""]


def test_an_interrupt_makes_the_arm_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    client = FakeClient(follow=KeyboardInterrupt())
    assert run(monkeypatch, client) == 130
    assert client.published == ["pick it up", ""]
    assert capsys.readouterr().out == "holding\n"


def test_a_graph_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ParameterError, match="start the graph"):
        run(monkeypatch, FakeClient(follow=FakeUnreachable("start the graph")))


def test_what_a_stop_has_ended_is_continued_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = FakeClient(continued=("done", ""))
    install(monkeypatch, client)
    assert say.run(argparse.Namespace(namespace="", text=None, go_on=True)) == 0
    assert (client.published, capsys.readouterr().out) == ([], "done\n")


@pytest.mark.parametrize("text", [None, "wave"])
def test_a_text_or_the_old_task(text: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeClient())
    with pytest.raises(ParameterError, match="--continue, and not both"):
        say.run(argparse.Namespace(namespace="", text=text, go_on=text is not None))
