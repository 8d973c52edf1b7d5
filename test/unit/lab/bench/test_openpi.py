"""openpi's protocol carries observation and chunk, under the names that openpi uses."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from test.unit.lab.bench.peer_server import assert_round_trips
from vla_ros.lab.bench import openpi
from vla_ros.lab.bench.round_trips import TASK, no_op, observations


def test_the_protocol_carries_the_observation_and_the_chunk() -> None:
    pytest.importorskip(openpi.NEEDS[0])
    assert_round_trips(openpi)


def test_the_client_sends_openpis_keys_and_returns_its_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []

    class Policy:
        def __init__(self, host: str, port: int) -> None:
            assert (host, port) == ("127.0.0.1", 8000)

        def infer(self, observation: dict[str, Any]) -> dict[str, Any]:
            sent.append(observation)
            return {"actions": no_op(observation["observation/state"]).tolist()}

    module = ModuleType("openpi_client.websocket_client_policy")
    module.WebsocketClientPolicy = Policy  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "openpi_client", ModuleType("openpi_client"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    observation = observations(2, 1)(1)
    assert np.array_equal(openpi.client(8000)(observation), no_op(observation.joints))
    assert set(sent[0]) == {"observation/image", "observation/wrist_image", "observation/state", "prompt"}
    assert sent[0]["prompt"] == TASK
