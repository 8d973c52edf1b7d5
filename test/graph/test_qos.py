"""Which publishers DDS matches with which subscriptions, as `qos_compatible` computes it and as DDS does it."""

from __future__ import annotations

import itertools
import time

import pytest
from std_msgs.msg import String

from test.graph.ros_node import ros_node
from vla_ros.ros.qos import EVENTS, IMAGE, LATCHED, NEWEST, SENSOR, qos_compatible

PROFILES = {"newest": NEWEST, "events": EVENTS, "sensor": SENSOR, "image": IMAGE, "latched": LATCHED}
NOT_HEARD = {("sensor", "newest"), ("sensor", "events"), ("image", "newest"), ("image", "events")} | {
    (offered, "latched") for offered in ("newest", "events", "sensor", "image")
}
"""(offered, requested)."""


@pytest.mark.parametrize(("offered", "requested"), itertools.product(PROFILES, PROFILES))
def test_a_subscription_asks_for_no_more_than_is_offered(offered: str, requested: str) -> None:
    assert qos_compatible(PROFILES[offered], PROFILES[requested]) is ((offered, requested) not in NOT_HEARD)


def test_dds_agrees() -> None:
    with ros_node() as node:
        pairs = list(itertools.product(PROFILES, PROFILES))
        publishers = {}
        for offered, requested in pairs:
            topic = f"{offered}_{requested}"
            publishers[offered, requested] = node.create_publisher(String, topic, PROFILES[offered])
            node.create_subscription(String, topic, lambda message: None, PROFILES[requested])
        expected = {pair for pair in pairs if pair not in NOT_HEARD}
        matched: set[tuple[str, str]] = set()
        end_s = time.monotonic() + 60.0
        while matched != expected and time.monotonic() < end_s:
            matched = {pair for pair, publisher in publishers.items() if publisher.get_subscription_count()}
            time.sleep(0.05)
        assert matched == expected
