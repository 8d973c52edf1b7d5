"""One graph for one arm: of two in one domain and namespace, the second would arm and command the first one's filter."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from vla_ros.parameters import ParameterError
from vla_ros.resources import domain

MOST_ASKING = 1000
"""Processes that can ask who has the claim: nobody answers them, the kernel does."""
CREDENTIALS = struct.Struct("3i")
"""pid, uid, gid of the process at the other end: SO_PEERCRED of Linux."""


def remedy(namespace: str) -> str:
    """Return what to do about another graph of this namespace, as the end of a line."""
    return f"end it (Ctrl-C in its terminal), or choose another ROS_DOMAIN_ID than {domain()} or namespace than {namespace}"


@contextmanager
def claimed(namespace: str, starter: str = "up") -> Iterator[None]:
    """Be the only process of this machine that starts a graph in this domain and namespace, until the end of the block.

    The claim is a socket of the kernel without a file: it ends with the process, however that ends.

    Args:
        namespace: of the graph. starter: what starts it, for the line.

    Raises:
        ParameterError: another process has claimed it; it is named.
    """
    full = "/" + namespace.strip("/")
    address = f"\0vla_ros/graph/{domain()}{full}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as claim:
        try:
            claim.bind(address)
        except OSError:
            raise ParameterError(
                f"{starter}: a graph of namespace {full} runs on this machine already{_owner(address)}: {remedy(full)}"
            ) from None
        claim.listen(MOST_ASKING)
        yield


def _owner(address: str) -> str:
    """Which process has claimed an address, as a part of a line; empty: it cannot be told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(1.0)
        try:
            asking.connect(address)
            credentials = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
        except OSError:
            return ""
        return f" (process {CREDENTIALS.unpack(credentials)[0]})"
