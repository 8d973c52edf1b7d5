"""Each command calls the service of its name and prints the answer."""

from __future__ import annotations

import argparse

import pytest

from test.unit.cli.fake_client import FakeClient, FakeUnreachable, install
from vla_ros.cli import filter_services
from vla_ros.cli.main import main
from vla_ros.parameters import ParameterError


@pytest.mark.parametrize("command", filter_services.TEXT)
@pytest.mark.parametrize("done", [True, False])
def test_the_service_of_the_same_name_is_called(
    command: str, done: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = FakeClient(trigger=(done, "the filter's answer"))
    install(monkeypatch, client)
    assert filter_services.run(argparse.Namespace(namespace="", command=command)) == (0 if done else 1)
    assert client.triggered == [command]
    assert capsys.readouterr().out == "the filter's answer\n"


def test_a_filter_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeClient(trigger=FakeUnreachable("nobody offers /vla/arm")))
    with pytest.raises(ParameterError, match="nobody offers /vla/arm"):
        filter_services.run(argparse.Namespace(namespace="", command="arm"))


def test_a_lost_button_is_released_before_the_reset(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = FakeClient(trigger=(True, "done"))
    install(monkeypatch, client)
    with pytest.raises(SystemExit) as ended:
        main(["reset", "--lost-estop"])
    assert ended.value.code == 0
    assert client.triggered == ["release_lost_estop", "reset"]
    with pytest.raises(SystemExit):
        main(["arm", "--lost-estop"])
