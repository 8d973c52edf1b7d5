"""Whoever connects to the line presses the e-stop, and nothing else can be done there."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from vla_ros.ros.estop_line import EStopLine, address, press


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", f"{os.getpid()}")
    monkeypatch.delenv("ROS_SECURITY_ENABLE", raising=False)


@contextmanager
def served(line: EStopLine) -> Iterator[list[str]]:
    """The filter's loop. Yields who has pressed."""
    pressed: list[str] = []
    ended = threading.Event()

    def act(who: str) -> tuple[bool, str]:
        pressed.append(who)
        return True, "latched"

    def loop() -> None:
        while not ended.wait(0.001):
            line.serve(act)

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield pressed
    finally:
        ended.set()
        thread.join()
        line.close()


def test_to_connect_is_to_press() -> None:
    with served(EStopLine("/left")) as pressed:
        assert press("left/") == "latched"
        assert press("right") == press("") == "", "other arms"
        assert pressed == [f"vla-ros estop, process {os.getpid()}"]
        for _ in range(3):  # who does not read its answer harms nobody
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as hasty:
                hasty.connect(address("left"))
        assert press("left") == "latched"
        assert len(pressed) == 5
    assert press("left") == "", "the filter has ended"


def test_a_second_filter_and_one_below_sros2_have_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = EStopLine("left"), EStopLine("left")
    assert not first.problem and "Address already in use" in second.problem
    second.serve(lambda who: pytest.fail("pressed"))
    first.close()
    monkeypatch.setenv("ROS_SECURITY_ENABLE", "true")
    secured = EStopLine("left")
    assert not secured.problem and press("left") == ""
    secured.close()


def test_a_filter_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vla_ros.ros.estop_line.ANSWER_TIMEOUT_S", 0.05)
    hanging = EStopLine("left")
    assert press("left") == ""
    hanging.close()
