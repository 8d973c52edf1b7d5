"""A node that cannot start says why in one line; one that runs ends cleanly, whoever ends it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import rclpy
from rclpy.node import Node

from test.graph.ros_node import ros_node
from vla_ros.bringup.process import private_domain
from vla_ros.parameters import ParameterError
from vla_ros.ros.node import StartRefused, run, steady_timer


@pytest.fixture(autouse=True)
def restored_signals() -> Any:
    """`run` takes SIGINT, SIGTERM and SIGHUP for itself."""
    os.environ.update(private_domain())
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def raising(error: Exception) -> Callable[[], Node]:
    def make() -> Node:
        raise error

    return make


@pytest.mark.parametrize("kind", [ParameterError, StartRefused, OSError])
def test_a_refusal_is_one_line_and_exit_code_2(kind: type[Exception], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("tested", raising(kind("x.rate: missing"))) == 2
    assert capsys.readouterr().err == "vla_ros tested: x.rate: missing\n"
    assert not rclpy.ok()


def ticking() -> Node:
    """A node with a timer, as each has for its diagnostics: Python's signal handlers wait for the executor to wake up."""
    node = rclpy.create_node("tested")
    steady_timer(node, 0.05, lambda: None)
    return node


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_node_with_exit_code_0(number: int) -> None:
    if signal.getsignal(number) == signal.SIG_IGN:  # under nohup, which nodes heed
        signal.signal(number, signal.SIG_DFL)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), number))
    timer.start()
    assert run("tested", ticking) == 0
    assert not rclpy.ok()


def test_a_node_may_end_in_its_own_way() -> None:
    ended: list[str] = []

    def spin(node: Node) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        while not ended:
            time.sleep(0.01)

    assert run("tested", lambda: rclpy.create_node("tested"), spin, lambda node: ended.append(node.get_name())) == 0
    assert ended == ["tested"]


def test_an_error_while_it_runs_is_raised() -> None:
    def spin(node: Node) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run("tested", lambda: rclpy.create_node("tested"), spin)
    assert not rclpy.ok()


def test_a_steady_timer_goes_on_while_a_simulated_clock_stands_still() -> None:
    with ros_node(arguments=["-p", "use_sim_time:=true"]) as node:
        calls: list[int] = []
        timer = steady_timer(node, 0.01, lambda: calls.append(1))
        for _ in range(100):
            rclpy.spin_once(node, timeout_sec=0.1)
            if len(calls) > 1:
                break
        assert len(calls) > 1
        timer.destroy()
