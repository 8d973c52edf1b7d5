"""A process that ends is named; without a viewer the graph goes on."""

from __future__ import annotations

import errno
import signal
import subprocess
import sys

import psutil
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


SLEEPER = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print('ready', flush=True)
time.sleep(600)
"""
PARENT = """
import sys
from vla_ros.bringup import supervisor
from vla_ros.bringup.process import Process
supervisor.command_line = lambda process, folder: [sys.executable, "-ESc", {sleeper!r}]
supervisor.STOP_TIMEOUT_S = 30.0
sys.exit(supervisor.run([Process("one", "one"), Process("two", "two")]))
"""


def started(count: int) -> tuple[subprocess.Popen[str], list[int]]:
    """Start a supervisor of two processes in a process of its own; return it and the ids of its `count` children."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(sleeper=SLEEPER)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    assert sorted(parent.stdout.readline() for _ in range(2)) == ["[one] ready\n", "[two] ready\n"]
    children = [child.pid for child in psutil.Process(parent.pid).children()]
    assert len(children) == count
    return parent, children


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP])
def test_nothing_outlives_the_supervisor(number: int) -> None:
    """Two nodes, and the process that ends what is left of them."""
    parent, children = started(3)
    parent.send_signal(number)
    assert parent.wait(60) == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    gone, alive = psutil.wait_procs([psutil.Process(pid) for pid in children if psutil.pid_exists(pid)], 60)
    assert not alive, gone


def test_output_goes_on_when_nobody_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node whose output is not read would stop at its next line, with the arm in motion."""
    many = "for i in range(20000): print('a line that nobody reads', i)"
    monkeypatch.setattr(supervisor, "command_line", lambda process, folder: [sys.executable, "-ESc", many])

    def closed(line: str) -> None:
        raise OSError(errno.EIO, "the terminal is closed")

    running = supervisor.Supervisor([Process("talker", "talker")], closed)
    assert running.children["talker"].popen.wait(60) == 0
    running.stop()
