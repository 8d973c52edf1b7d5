"""The graph as a transport hands its policy, its instruction and its observations to the ROS side."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest

from vla_ros.lab.bench import own_graph
from vla_ros.lab.bench.round_trips import CAMERAS, JOINTS, SIDE, TASK, no_op, observations


class RoundTripClient:
    """Stands for the client over ROS."""

    probes: ClassVar[list[tuple[Any, ...]]] = []

    def probe(self, *arguments: Any) -> None:
        self.probes.append(arguments)

    def ask(self, images: Any, joints: list[float]) -> list[list[float]]:
        assert set(images) == set(CAMERAS)
        rows: list[list[float]] = no_op(np.array(joints)).tolist()
        return rows


@pytest.fixture
def ros_side(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """A round_trip module that records what is served instead of serving it."""
    served: list[tuple[Any, ...]] = []

    def serve(name: str) -> Callable[..., None]:
        def record(*arguments: Any) -> None:
            *given, ready = arguments
            ready()
            served.append((name, *given))

        return record

    module = ModuleType("vla_ros.ros.round_trip")
    for name in ("serve_system1", "serve_system2", "serve_both"):
        setattr(module, name, serve(name))
    module.RoundTripClient = RoundTripClient  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("vla_ros.ros.round_trip", module, raising=False)
    return served


def test_each_server_says_when_it_is_ready(ros_side: list[tuple[Any, ...]]) -> None:
    receiver, sender = multiprocessing.Pipe()
    for serve in (own_graph.serve_system2, own_graph.serve_system1, own_graph.serve_both):
        serve(sender)
        assert receiver.poll(1.0) and receiver.recv() == 0
    assert ros_side == [("serve_system2", no_op, TASK), ("serve_system1",), ("serve_both", no_op)]


def test_the_client_is_discovered_before_it_asks(ros_side: list[tuple[Any, ...]]) -> None:
    ask = own_graph.client(0)
    ((images, joints),) = RoundTripClient.probes
    assert {name: image.shape for name, image in images.items()} == dict.fromkeys(CAMERAS, (SIDE, SIDE, 3))
    assert joints == [0.0] * JOINTS
    observation = observations(3, 1)(2)
    assert np.array_equal(ask(observation), no_op(observation.joints))
