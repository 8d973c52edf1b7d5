"""Round trips over the graph's messages: each chunk belongs to its observation, through one process and through two."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("vla_ros.msg")

from vla_ros.lab.bench.own_graph import NEEDS
from vla_ros.lab.bench.transport import TRANSPORTS, Transport, measure_transport

OWN = [transport for transport in TRANSPORTS if transport.needs == NEEDS]


@pytest.mark.parametrize("transport", OWN, ids=lambda transport: str(len(transport.servers)))
def test_each_chunk_answers_its_own_observation(transport: Transport) -> None:
    result = measure_transport(transport, 20, 1)  # a chunk of another observation is an error
    assert len(result.latencies_s) == 20
    assert result.server_cpu_s > 0.0
