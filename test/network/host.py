"""A host: runs in namespaces of its own, until its standard input ends: `unshare ... python host.py NAME ADDRESS FD`.

It has lo and one interface, a TAP device whose descriptor is sent to whoever holds the other end of the socket FD; a name;
and a /dev/shm of its own, or DDS and plans would find a way past the network.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import sys

INTERFACE = b"net0"
TUNSETIFF, TAP_WITHOUT_HEADER = 0x400454CA, 0x0002 | 0x1000
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFTXQLEN = 0x8914, 0x8916, 0x891C, 0x8943
UP_RUNNING_MULTICAST = 0x1 | 0x40 | 0x1000
QUEUE = 10_000
"""Frames that wait for the relay: it alone shall lose some."""


def _address(dotted: str) -> bytes:
    return struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(dotted))


def bring_up(address: str) -> int:
    """Make the interfaces; return the descriptor of the TAP device."""
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", INTERFACE, TAP_WITHOUT_HEADER))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for request, value in ((SIOCSIFADDR, _address(address)), (SIOCSIFNETMASK, _address("255.255.255.0"))):
            fcntl.ioctl(any_socket, request, struct.pack("16s16s8x", INTERFACE, value))
        with contextlib.suppress(PermissionError):  # only root may; the queue is of 500 then
            fcntl.ioctl(any_socket, SIOCSIFTXQLEN, struct.pack("16si20x", INTERFACE, QUEUE))
        for name in (b"lo", INTERFACE):
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", name, UP_RUNNING_MULTICAST))
    return tap


def mount_shared_memory() -> None:
    """Mount an empty /dev/shm.

    Raises:
        OSError: it is not permitted.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", b"/dev/shm", b"tmpfs", 0, None):
        raise OSError(ctypes.get_errno(), "mount /dev/shm")


def main(name: str, address: str, descriptor: int) -> None:
    """Make the host, send its device, and wait."""
    socket.sethostname(name)
    mount_shared_memory()
    with socket.socket(fileno=descriptor) as channel:
        socket.send_fds(channel, [b"up"], [bring_up(address)])
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
