"""The simulated arm as the dashboard knows it, and a server without a graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from test.unit.dashboard.rig import MakeServer, document
from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.dashboard.document import LatestDocument
from vla_ros.dashboard.server import DashboardServer
from vla_ros.sim.arm_description import JOINT_NAMES, urdf


@pytest.fixture(scope="session")
def arm() -> Arm:
    return Arm(urdf(), JOINT_NAMES, "tool")


@pytest.fixture
def parameters() -> DashboardParameters:
    return DashboardParameters(joint_names=list(JOINT_NAMES), port=0)


@pytest.fixture
def actions() -> list[tuple[str, str]]:
    """The actions that have arrived."""
    return []


@pytest.fixture
def make_server(parameters: DashboardParameters, actions: list[tuple[str, str]]) -> Iterator[MakeServer]:
    """Makes servers that have one document and record actions. changes: of the parameters."""
    made: list[DashboardServer] = []

    def handle_action(name: str, instruction: str) -> tuple[bool, str]:
        actions.append((name, instruction))
        return True, f"{name} done"

    def make(token: str = "", scene_port: int = 1, namespace: str = "", **changes: Any) -> DashboardServer:
        latest = LatestDocument()
        latest.publish(document(1))
        changed = dataclasses.replace(parameters, **changes)
        made.append(DashboardServer(changed, token, latest, lambda: [[0.0]], handle_action, scene_port, namespace))
        return made[-1]

    yield make
    for server in made:
        server.close()
