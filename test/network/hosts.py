"""Two hosts with a network between them that the test changes as it runs."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from test.network.link import Conditions

ROBOT, GPU = "robot", "gpu"
ADDRESSES = {ROBOT: "10.7.0.1", GPU: "10.7.0.2"}
TO_GPU, TO_ROBOT = 0, 1
"""Directions."""
START_S = 20.0


class Host:
    """Namespaces of network, mounts and name; processes that are started in them take the rest from this machine.

    Args:
        name: of ADDRESSES.
    """

    def __init__(self, name: str) -> None:
        self.name, self.address = name, ADDRESSES[name]
        mine, its = socket.socketpair()
        # Not for root, who would lose the right to real-time priorities.
        users = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        program = [sys.executable, str(Path(__file__).with_name("host.py"))]
        self._process = subprocess.Popen(
            ["unshare", *users, "--net", "--mount", "--uts", *program, name, self.address, str(its.fileno())],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=[its.fileno()],
        )
        its.close()
        mine.settimeout(START_S)
        with mine:
            _, descriptors, _, _ = socket.recv_fds(mine, 16, 1)
        if not descriptors:
            _, told = self._process.communicate()
            raise PermissionError(told.strip().rpartition("\n")[2])
        (self.tap,) = descriptors
        joined = ["--user", "--preserve-credentials"] if users else []
        self._enter = ["nsenter", "--target", str(self._process.pid), *joined, "--net", "--mount", "--uts"]

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[str]:
        """Start a command on this host; options as of `subprocess.Popen`."""
        return subprocess.Popen([*self._enter, *command], text=True, **options)

    def close(self) -> None:
        """End the host; what was started on it must have ended."""
        self._process.communicate()
        os.close(self.tap)


class Network:
    """Both hosts and the relay between them."""

    def __init__(self, hosts: Mapping[str, Host], relay: subprocess.Popen[str]) -> None:
        self.hosts, self._relay = hosts, relay

    def become(self, *directions: int, **fields: Any) -> list[dict[str, int]]:
        """Have other conditions; those that are not named are as on a wire.

        Args:
            directions: of TO_GPU and TO_ROBOT; none: both. fields: of `Conditions`.

        Returns:
            for each direction, frames "offered" and "dropped" so far, and their "bytes".
        """
        assert self._relay.stdin is not None and self._relay.stdout is not None
        wanted = {key: value for key, value in dataclasses.asdict(Conditions(**fields)).items() if value != math.inf}
        counts = []
        for direction in directions or (TO_GPU, TO_ROBOT):
            print(json.dumps({"direction": direction, **wanted}), file=self._relay.stdin, flush=True)
            counts.append(json.loads(self._relay.stdout.readline()))
        return counts


@contextmanager
def network(seed: int = 1) -> Iterator[Network]:
    """Make two hosts and the network between them, until the end of the block.

    Args:
        seed: of what is lost, and so on.

    Raises:
        OSError: it is not permitted here.
    """
    with ExitStack() as undo:
        hosts = {}
        for name in ADDRESSES:
            hosts[name] = Host(name)
            undo.callback(hosts[name].close)
        taps = [host.tap for host in hosts.values()]
        relay = subprocess.Popen(
            [sys.executable, "-m", "test.network.relay", *map(str, taps), str(seed)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=taps,
            cwd=Path(__file__).parents[2],
        )
        undo.callback(relay.communicate)
        yield Network(hosts, relay)


def why_not() -> str:
    """Return why no hosts can be made on this machine; empty: they can."""
    if missing := [program for program in ("unshare", "nsenter") if not shutil.which(program)]:
        return f"{', '.join(missing)} not installed (util-linux)"
    try:
        with network():
            return ""
    except OSError as error:
        return f"network namespaces are not permitted here: {error}"
