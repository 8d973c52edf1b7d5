"""Each command calls the service of its name and prints the answer."""

from __future__ import annotations

import argparse
import subprocess
import sys
from types import SimpleNamespace

import pytest

from test.unit.cli.fake_client import FakeClient, FakeUnreachable, install
from vla_ros.cli import filter_services
from vla_ros.cli.main import main
from vla_ros.parameters import ParameterError
from vla_ros.ros import estop_line


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The services that are called without a whole client; none is offered where the list holds "nobody"."""
    calls: list[str] = []

    def call_trigger(namespace: str, name: str) -> tuple[bool, str]:
        if "nobody" in calls:
            raise FakeUnreachable("nobody offers it")
        calls.append(f"{namespace}/{name}")
        return True, "the filter's answer"

    module = SimpleNamespace(call_trigger=call_trigger, Unreachable=FakeUnreachable)
    monkeypatch.setitem(sys.modules, "vla_ros.ros.service_call", module)  # type: ignore[arg-type]
    monkeypatch.setattr(estop_line, "press", lambda namespace: "stopped" if namespace == "left" else "")
    return calls


@pytest.mark.usefixtures("called")
@pytest.mark.parametrize("command", filter_services.FOLLOWED)
@pytest.mark.parametrize("done", [True, False])
def test_the_service_of_the_same_name_is_called(
    command: str, done: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = FakeClient(trigger=(done, "the filter's answer"))
    install(monkeypatch, client)
    assert filter_services.run(argparse.Namespace(namespace="", command=command)) == (0 if done else 1)
    assert client.triggered == [command]
    assert capsys.readouterr().out == "the filter's answer\n"


@pytest.mark.parametrize("command", ["disarm", "estop"])
def test_to_stop_needs_no_more_than_the_service(
    command: str, called: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert filter_services.run(argparse.Namespace(namespace="right", command=command)) == 0
    assert called == [f"right/vla/{command}"]
    assert capsys.readouterr().out == "the filter's answer\n"


def test_the_estop_of_a_filter_on_this_machine_needs_no_dds(
    called: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert filter_services.run(argparse.Namespace(namespace="left", command="estop")) == 0
    assert (called, capsys.readouterr().out) == ([], "stopped\n")


def test_estop_loads_neither_ros_nor_numpy() -> None:
    code = "import sys; from vla_ros.cli import main, filter_services; from vla_ros.ros.estop_line import press; press('x')"
    loaded = "print([name for name in ('rclpy', 'numpy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", f"{code}; {loaded}"], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_filter_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch, called: list[str]) -> None:
    install(monkeypatch, FakeClient(trigger=FakeUnreachable("nobody offers /vla/arm")))
    with pytest.raises(ParameterError, match="nobody offers /vla/arm"):
        filter_services.run(argparse.Namespace(namespace="", command="arm"))
    called.append("nobody")
    with pytest.raises(ParameterError, match="nobody offers it"):
        filter_services.run(argparse.Namespace(namespace="", command="estop"))


@pytest.mark.usefixtures("called")
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
