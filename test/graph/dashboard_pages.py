"""The dashboard as its users have it: a graph with one, and a browser."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from trajectory_msgs.msg import JointTrajectory

from vla_ros.bringup.process import Process
from vla_ros.bringup.supervisor import Supervisor
from vla_ros.ros.client import Client
from vla_ros.ros.qos import NEWEST

TASK = "put the red cube in the bowl"
TOKEN = "abc123"
MESH = "package://gone/base.stl"


class Running:
    """Processes, the dashboard among them."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self.lines: list[str] = []
        self.supervisor = Supervisor(processes, self.lines.append)

    def address(self) -> str:
        """As it was printed, without the token."""
        found = re.findall(r"dashboard.*: (http://\S+)/", "\n".join(self.lines))
        return str(found[-1]) if found else ""

    def request(self, method: str, path: str, body: str = "") -> bytes:
        host = self.address().removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=60)
        cookie = {"Cookie": f"vla_ros_{host.split(':')[1]}={TOKEN}"}
        try:
            connection.request(method, path, body.encode() if method == "POST" else None, cookie)
            return connection.getresponse().read()
        finally:
            connection.close()

    def press(self, name: str, instruction: str = "") -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.request("POST", f"/{name}", instruction))
        return answer

    def page(self) -> dict[str, Any]:
        """The newest document, with its images left out."""
        body = b""
        while not body:  # 204: nothing new within a second
            body = self.request("GET", "/document?reader=test&images=-1")
        length = int.from_bytes(body[:4], "little")
        content: dict[str, Any] = json.loads(body[4 : 4 + length])
        return content

    def moving(self) -> bool:
        """Whether the filter sends a moving setpoint."""
        page = self.page()
        joints = len(page["joints"])
        return max((abs(rate or 0.0) for rate in page["row"][1 + 3 * joints :]), default=0.0) > 0.15

    def pid(self, name: str) -> int:
        return self.supervisor.children[name].popen.pid

    def start(self, talk: Client, begin: Callable[[], object]) -> None:
        """Bring the arm into motion from whatever state, with a task that `begin` gives."""
        talk.publish("")
        talk.spin(0.5)

        def state() -> str:
            return str((self.page()["filter"] or {}).get("state"))

        assert until(talk, lambda: self.press("reset")["done"] or state() in ("DISARMED", "HOLDING"))
        assert until(talk, lambda: self.press("disarm")["done"] or state() == "DISARMED")
        talk.reset_scene(3, "place")  # the arm jumps home, which the filter would not have
        talk.spin(1.2)  # until the planner has frames of the new scene
        assert until(talk, lambda: self.press("arm")["done"] or state() == "HOLDING")
        for _ in range(3):  # an instruction may be lost while nodes of a busy machine discover each other
            begin()
            if until(talk, self.moving):
                return
        raise AssertionError(self.page()["events"])


def until(talk: Client, condition: Callable[[], bool]) -> bool:
    """Serve ROS until a condition holds, for 60 s at most; return whether it does."""
    end_s = time.monotonic() + 60.0
    while time.monotonic() < end_s:
        if condition():
            return True
        talk.spin(0.1)
    return False


class Rest:
    """Says when the trajectories to the controller stopped moving."""

    def __init__(self, talk: Client) -> None:
        self.talk = talk
        self.changed_s = 0.0
        self._subscription = talk.node.create_subscription(
            JointTrajectory, "arm_controller/joint_trajectory", self._on_command, NEWEST
        )

    def _on_command(self, message: JointTrajectory) -> None:
        if any(point.positions != message.points[0].positions for point in message.points):
            self.changed_s = time.monotonic()

    def wait(self) -> float:
        """Return the monotonic time of the last change, once there has been none for a second."""
        end_s = time.monotonic() + 60.0
        while time.monotonic() < end_s:
            self.talk.spin(0.05)
            if time.monotonic() - self.changed_s > 1.0:
                self.talk.node.destroy_subscription(self._subscription)
                return self.changed_s
        raise AssertionError("the arm does not come to rest")


def stopped(talk: Client, press: Callable[[], object]) -> float:
    """Press while the arm moves; return the time from then until it rests, ms."""
    rest = Rest(talk)
    assert talk.spin(30.0, lambda: time.monotonic() - rest.changed_s < 0.02), "the arm does not move"
    pressed_s = time.monotonic()
    press()
    return 1e3 * (rest.wait() - pressed_s)


def opened(browser: Any, address: str, requests: list[str]) -> Any:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(60_000)
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: requests.append(f"error: {error}"))
    page.goto(address, wait_until="domcontentloaded")
    return page
