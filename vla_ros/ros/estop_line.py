"""A short way to the e-stop on the filter's own machine: whoever connects to the line stops the arm.

A process that calls the service needs half a second to be found by DDS; one that connects to a socket needs none of it. It
also works where DDS does not. The line stops and does nothing else. It is a socket of the kernel without a file and ends with
the process. With SROS2 there is none: only who has an enclave may press there.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
from collections.abc import Callable

from vla_ros.resources import domain

MOST_WAITING = 16
ANSWER_TIMEOUT_S = 1.0
LONGEST_ANSWER = 4096
CREDENTIALS = struct.Struct("3i")
"""pid, uid, gid of the process at the other end: SO_PEERCRED of Linux."""


def address(namespace: str) -> str:
    """Return the name of the line of an arm: the ROS domain and the namespace are in it."""
    return f"\0vla_ros/estop/{domain()}/{namespace.strip('/')}"


class EStopLine:
    """The filter's end. problem: why there is no line; empty: there is one.

    Args:
        namespace: of the arm.
    """

    def __init__(self, namespace: str) -> None:
        self.problem = ""
        self._line: socket.socket | None = None
        self._callers = select.poll()
        if os.environ.get("ROS_SECURITY_ENABLE", "").lower() == "true":
            return
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            line.bind(address(namespace))
            line.listen(MOST_WAITING)
        except OSError as error:
            line.close()
            self.problem = f"no local line for vla-ros estop, which then takes longer: {error.strerror}"
            return
        self._line = line
        self._callers.register(line, select.POLLIN)

    def serve(self, press: Callable[[str], tuple[bool, str]]) -> None:
        """Press for one process that has connected, if any, and answer it. Never waits.

        Args:
            press: of the filter; it is told who presses, and returns whether it is done, and a message.
        """
        if self._line is None or not self._callers.poll(0):
            return
        try:
            caller, _ = self._line.accept()
        except OSError:  # it has left again
            return
        with caller:
            _, message = press(f"vla-ros estop, {_process(caller)}")
            with contextlib.suppress(OSError):  # it has not waited for the answer
                caller.setblocking(False)
                caller.send(message.encode()[:LONGEST_ANSWER])

    def close(self) -> None:
        """Nobody can connect any more."""
        if self._line is not None:
            self._line.close()
            self._line = None


def press(namespace: str) -> str:
    """Stop the arm of a filter on this machine; return its answer. Empty: no filter has answered."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(ANSWER_TIMEOUT_S)
        try:
            line.connect(address(namespace))
            return line.recv(LONGEST_ANSWER).decode(errors="replace")
        except OSError:
            return ""


def _process(caller: socket.socket) -> str:
    try:
        credentials = caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    except OSError:
        return "process unknown"
    return f"process {CREDENTIALS.unpack(credentials)[0]}"
