"""A Trigger service is called until it answers; nobody there is one line."""

from __future__ import annotations

import os
import threading

import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from std_srvs.srv import Trigger

from vla_ros.bringup.process import private_domain
from vla_ros.ros import service_call
from vla_ros.ros.service_call import Unreachable, call_trigger


def test_the_answer_of_the_service_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    os.environ.update(private_domain())
    context, ended = Context(), threading.Event()
    rclpy.init(context=context)
    node = rclpy.create_node("filter", namespace="left", context=context)
    calls: list[int] = []

    def answer(_: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        calls.append(1)
        response.success, response.message = False, "not now"
        return response

    node.create_service(Trigger, "vla/disarm", answer)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=lambda: [executor.spin_once(0.01) for _ in iter(ended.is_set, True)])
    thread.start()
    monkeypatch.setattr(service_call, "SERVICE_TIMEOUT_S", 60.0)
    monkeypatch.setattr(service_call, "ANSWER_TIMEOUT_S", 60.0)
    try:
        assert call_trigger("left", "vla/disarm") == (False, "not now")
        assert calls
        monkeypatch.setattr(service_call, "SERVICE_TIMEOUT_S", 0.1)
        with pytest.raises(Unreachable, match="nobody offers /right/vla/disarm: start the graph"):
            call_trigger("right", "vla/disarm")
    finally:
        ended.set()
        thread.join()
        node.destroy_node()
        rclpy.shutdown(context=context)
