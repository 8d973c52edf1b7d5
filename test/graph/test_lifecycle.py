"""A managed node says why it cannot be configured, and can be configured again when that is mended."""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import rclpy
from rclpy.lifecycle import TransitionCallbackReturn

from vla_ros.bringup.process import private_domain
from vla_ros.ros.lifecycle import ManagedNode, autostart
from vla_ros.ros.node import StartRefused


class Worker(ManagedNode):
    """Configured only while its model is there."""

    def __init__(self, model: bool, start: bool) -> None:
        super().__init__("worker")
        self.parameters = SimpleNamespace(autostart=start)
        self.model = model
        self.released = 0

    def configure(self) -> None:
        if not self.model:
            raise FileNotFoundError("model: no such file")

    def release(self) -> None:
        self.released += 1


@pytest.fixture(autouse=True)
def ros() -> Iterator[None]:
    os.environ.update(private_domain())
    rclpy.init()
    yield
    rclpy.try_shutdown()


def test_autostart_activates() -> None:
    node = autostart(Worker(model=True, start=True))
    assert node.active
    node.trigger_deactivate()
    assert not node.active
    node.trigger_cleanup()
    assert node.released == 1
    node.destroy_node()


def test_autostart_refuses_with_the_reason() -> None:
    node = Worker(model=False, start=True)
    with pytest.raises(StartRefused, match="model: no such file"):
        autostart(node)
    assert node.released == 1


def test_a_manager_may_try_again() -> None:
    node = autostart(Worker(model=False, start=False))
    assert not node.active
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    assert node.fault == "model: no such file"
    node.model = True
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert node.fault == ""
    node.trigger_activate()
    assert node.active
    node.trigger_shutdown()
    assert not node.active
    node.destroy_node()
