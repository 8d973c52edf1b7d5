"""Runs a command in a network of its own that holds this machine alone: `unshare -rn python loopback.py COMMAND...`."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys

SIOCSIFFLAGS = 0x8914
UP_RUNNING_MULTICAST = 0x1 | 0x40 | 0x1000

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", UP_RUNNING_MULTICAST))
os.execvp(sys.argv[1], sys.argv[1:])
