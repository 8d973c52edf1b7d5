"""LeRobot's service carries observation and chunk. Its messages: test/unit/policies/remote/test_lerobot_wire.py."""

from __future__ import annotations

import pytest

from test.unit.lab.bench.peer_server import assert_round_trips
from vla_ros.lab.bench import lerobot


def test_the_service_carries_the_observation_and_the_chunk() -> None:
    pytest.importorskip(lerobot.NEEDS[0])
    assert_round_trips(lerobot)
