"""Signals that ask a process to end reach this process, no forked child of it; nohup is heeded."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from vla_ros.end_signals import END_SIGNALS, ended_by_parent, on_end_signal


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in END_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", END_SIGNALS)
def test_a_signal_reaches_this_process(number: int) -> None:
    received: list[int] = []
    on_end_signal(received.append)
    os.kill(os.getpid(), number)
    assert received == [number]


@pytest.mark.parametrize("number", END_SIGNALS)
def test_a_forked_child_is_ended_by_it_and_runs_nothing_of_its_parents(number: int) -> None:
    on_end_signal(lambda _: os._exit(7))
    child = os.fork()
    if not child:
        os.kill(os.getpid(), number)
        os._exit(8)
    status = os.waitpid(child, 0)[1]
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == number


def test_below_nohup_a_closed_terminal_ends_nothing() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    received: list[int] = []
    on_end_signal(received.append)
    os.kill(os.getpid(), signal.SIGHUP)
    assert received == []


def test_who_is_ended_by_its_parent_outlives_a_closed_terminal() -> None:
    ended_by_parent()
    os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
