"""Two hosts hear each other through the relay alone: by address, by multicast, and as large datagrams."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from test.network.hosts import ADDRESSES, GPU, ROBOT, TO_GPU, Network, network, why_not

GROUP = "239.255.0.1"
LISTEN = f"""
import socket, struct
heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
heard.bind(("", 5000))
joined = socket.inet_aton("{GROUP}") + socket.inet_aton("{ADDRESSES[GPU]}")
heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
print("listening on", socket.gethostname(), flush=True)
while True:
    data = heard.recv(65536)
    print(data[:1].decode(), len(data), flush=True)
"""
SAY = f"""
import socket, sys
said = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
said.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("{ADDRESSES[ROBOT]}"))
for letter in sys.argv[1]:
    to = "{GROUP}" if letter == "m" else "{ADDRESSES[GPU]}"
    said.sendto(letter.encode() * (60000 if letter == "l" else 100), (to, 5000))
"""


@pytest.fixture
def two() -> Iterator[Network]:
    if told := why_not():
        pytest.skip(told)
    with network() as made:
        yield made


def say(two: Network, letters: str) -> None:
    assert two.hosts[ROBOT].start([sys.executable, "-c", SAY, letters]).wait(20) == 0


def test_they_hear_each_other_as_long_as_the_network_is_not_cut(two: Network) -> None:
    listener = two.hosts[GPU].start([sys.executable, "-c", LISTEN], stdout=subprocess.PIPE)
    try:
        assert listener.stdout is not None
        line = listener.stdout.readline
        assert line() == "listening on gpu\n"
        say(two, "aml")
        heard = sorted([line(), line(), line()])  # only the group's address is known without asking
        assert heard == ["a 100\n", "l 60000\n", "m 100\n"]
        two.become(TO_GPU, cut=True)
        say(two, "bml")
        (counts,) = two.become(TO_GPU)
        assert counts["dropped"] >= 2 + 60_000 // 1500
        say(two, "c")
        assert line() == "c 100\n"
    finally:
        listener.kill()
        listener.communicate()
