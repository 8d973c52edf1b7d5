"""Two processes that train one network."""

import os
import socket
import subprocess
import sys

import pytest

pytest.importorskip("torch")
pytest.importorskip("accelerate")

from vla_ros.lab.training.distributed import MAX_WAIT

SCRIPT = """
import sys, torch
from vla_ros.lab.training.distributed import DistributedRun
run = DistributedRun("cpu")
weight = torch.nn.Parameter(torch.zeros(2))
weight.grad = torch.full((2,), float(run.rank + 1))
run.average_gradients(iter([weight]))
patience = torch.distributed.group.WORLD._get_backend(torch.device("cpu")).options._timeout
said = (run.rank, weight.grad.tolist(), run.any_process(run.rank == 1), run.any_process(False), patience)
print(*said, sep="; ", file=sys.stderr)
"""


def test_gradients_are_averaged_and_stops_are_agreed_on():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {
        **os.environ,
        "WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "ACCELERATE_USE_CPU": "1",
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT],
            env={**common, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    said = sorted(process.communicate(timeout=120)[1].splitlines()[-1] for process in processes)
    assert said == [f"{rank}; [1.5, 1.5]; True; False; {MAX_WAIT}" for rank in range(2)]
