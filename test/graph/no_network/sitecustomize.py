"""Forbids, in every Python that finds this file first, to reach another machine and to fork; what was tried is noted.

The file that VLA_ROS_TRIED names gets a line for each try. A path of a Unix socket is on this machine.
"""

import contextlib
import ipaddress
import os
import sys


def _outside(host: object) -> bool:
    """Whether a name or an address is of another machine; multicast reaches this one where there is no network."""
    if host in (None, "", b"", "localhost", b"localhost"):
        return False
    try:
        address = ipaddress.ip_address(host.decode() if isinstance(host, bytes) else str(host))
    except ValueError:
        return True
    return not (address.is_loopback or address.is_multicast or address.is_unspecified)


def _hook(event: str, arguments: tuple) -> None:
    if event == "os.fork":
        _forbid(f"{event}")
    elif event == "socket.getaddrinfo" and _outside(arguments[0]):
        _forbid(f"{event} {arguments[0]}")
    elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple) and _outside(arguments[1][0]):
        _forbid(f"{event} {arguments[1]}")


def _forbid(what: str) -> None:
    with contextlib.suppress(OSError), open(os.environ["VLA_ROS_TRIED"], "a") as file:
        file.write(f"{what} in {' '.join(sys.argv[:3])}\n")
    raise PermissionError(f"forbidden in this test: {what}")


sys.addaudithook(_hook)
