"""A server of a peer in a process of its own."""

from __future__ import annotations

import multiprocessing
from types import ModuleType

import numpy as np

from vla_ros.lab.bench.round_trips import JOINTS, no_op, observations


def assert_round_trips(peer: ModuleType) -> None:
    """Do four round trips through `peer.serve` and `peer.client` and compare each chunk with its observation."""
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe()
    server = spawn.Process(target=peer.serve, args=(sender,), daemon=True)
    server.start()
    try:
        assert receiver.poll(60.0)
        ask = peer.client(receiver.recv())
        nth = observations(4, 1)
        for i in range(4):
            assert ask(nth(i)).tolist() == no_op(np.full(JOINTS, float(i))).tolist()
    finally:
        server.kill()
        server.join()
