"""The dashboard beside the running graph: with plain HTTP, and in a real browser where there is one.

`pytest test/graph/test_dashboard.py -s` prints how long the arm took from a press to rest.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from std_msgs.msg import Float64MultiArray, String

from vla_ros.graph import bringup
from vla_ros.nodes.base import LATCHED, NEWEST
from vla_ros.nodes.client import Client, client
from vla_ros.nodes.through_graph import own_domain
from vla_ros.up import Supervisor

TASK = "put the red cube in the bowl"


class Running:
    """The graph with its dashboard."""

    def __init__(self) -> None:
        own_domain()
        self.lines: list[str] = []
        overrides = {"dashboard": {"port": 0}, "sim_arm": {"seed": 3, "task": "place"}}
        self.supervisor = Supervisor(bringup(dashboard=True, overrides=overrides), self.lines.append)

    def address(self) -> str:
        """As it was printed."""
        found = re.findall(r"dashboard: (http://\S+)/", "\n".join(self.lines))
        return str(found[-1]) if found else ""

    def request(self, method: str, path: str, body: str = "") -> bytes:
        connection = http.client.HTTPConnection(self.address().removeprefix("http://"), timeout=60)
        try:
            connection.request(method, path, body.encode() if method == "POST" else None)
            return connection.getresponse().read()
        finally:
            connection.close()

    def press(self, name: str, words: str = "") -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.request("POST", f"/{name}", words))
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
        for _ in range(3):  # words that come while a busy machine finds everybody may be lost
            begin()
            if until(talk, self.moving):
                return
        raise AssertionError(self.page()["events"])


def until(talk: Client, condition: Callable[[], bool]) -> bool:
    """Serve ROS and ask every tenth of a second, for a long time."""
    end_s = time.monotonic() + 60.0
    while time.monotonic() < end_s:
        if condition():
            return True
        talk.spin(0.1)
    return False


class Rest:
    """Says when the controller's setpoints stopped changing."""

    def __init__(self, talk: Client) -> None:
        self.talk = talk
        self.changed_s = 0.0
        self._last: list[float] = []
        self._subscription = talk.node.create_subscription(
            Float64MultiArray, "arm_controller/commands", self._hear, NEWEST
        )

    def _hear(self, message: Float64MultiArray) -> None:
        positions = list(message.data)
        if positions != self._last:
            self._last, self.changed_s = positions, time.monotonic()

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


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    graph = Running()
    yield graph
    graph.supervisor.stop()


@pytest.fixture(scope="module")
def talk(running: Running) -> Iterator[Client]:
    with client() as made:
        made.ready(90.0)
        assert until(made, lambda: bool(running.address()))
        assert made.spin(90.0, lambda: made.status is not None), running.lines
        yield made


def test_words_start_a_task_and_a_press_stops_it(running: Running, talk: Client) -> None:
    running.start(talk, lambda: running.press("say", TASK))
    assert until(talk, lambda: running.page()["plan"]["state"] == "ACTIVE")
    page = running.page()
    assert page["plan"]["instruction"] == TASK
    assert page["instructions"][0] == TASK
    everybody = {"camera", "planner", "action_expert", "safety_filter", "sim_arm", "dashboard"}
    assert until(talk, lambda: {node["name"] for node in running.page()["nodes"]} >= everybody)
    assert until(talk, lambda: any(camera.get("waypoints") for camera in running.page()["cameras"]))
    print(f"\npress to rest: {stopped(talk, lambda: running.press('estop')):.0f} ms")
    assert until(talk, lambda: (running.page()["filter"] or {}).get("state") == "ESTOP")
    assert any(event[2] == "alarm" and event[3].startswith("emergency stop") for event in running.page()["events"])


def test_a_planner_that_is_killed_is_missed(running: Running, talk: Client) -> None:
    said_s = 0.0

    def planning() -> bool:  # asked again and again: a planner that has just been started does not hear the first words
        nonlocal said_s
        if time.monotonic() - said_s > 3.0 and running.press("say", TASK)["done"]:
            said_s = time.monotonic()
            talk.spin(0.5)
        plan = running.page()["plan"]
        return plan is not None and plan["state"] == "ACTIVE" and (plan["age_s"] or 9.0) < 5.0

    assert until(talk, planning)
    newest = max((event[0] for event in running.page()["events"]), default=-1)
    killed_s = time.monotonic()
    os.kill(running.pid("planner"), signal.SIGKILL)
    told: list[str] = []

    def missed() -> bool:
        events = [event for event in running.page()["events"] if event[0] > newest]
        told.extend(event[3] for event in events if event[3].startswith("planner is silent"))
        return bool(told)

    assert until(talk, missed)
    print(f"\nkilled planner shown after {time.monotonic() - killed_s:.2f} s: {told[0]}")
    while running.supervisor.children["planner"].popen.poll() is not None:
        running.supervisor.watch()
        talk.spin(0.2)
    assert until(talk, planning)


def test_neither_dead_browsers_nor_a_dead_dashboard_reach_the_graph(running: Running, talk: Client) -> None:
    dead = []
    for _ in range(10):
        host, port = running.address().removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.sendall(b"GET /document?images=-1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200)
        dead.append(connection)
    number = running.page()["number"]
    assert until(talk, lambda: running.page()["number"] > number + 3)
    os.kill(running.pid("dashboard"), signal.SIGSTOP)
    try:
        assert talk.status is not None
        ticks = talk.status.ticks
        assert talk.spin(30.0, lambda: talk.status is not None and talk.status.ticks - ticks > 500)
    finally:
        os.kill(running.pid("dashboard"), signal.SIGCONT)
        for connection in dead:
            connection.close()
    number = running.page()["number"]
    assert until(talk, lambda: running.page()["number"] > number + 3)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with playwright.sync_playwright() as driver:
        try:
            flags = ["--no-sandbox", "--enable-unsafe-swiftshader"]
            made = driver.chromium.launch(executable_path=chromium, args=flags, timeout=60_000)
        except playwright.Error as error:
            pytest.skip(f"needs a Chromium that starts: {str(error).splitlines()[0]}")
        yield made
        made.close()


def opened(browser: Any, address: str, requests: list[str]) -> Any:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(60_000)
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: requests.append(f"error: {error}"))
    page.goto(address, wait_until="domcontentloaded")
    return page


def test_the_whole_page_loads_without_outside_requests(running: Running, talk: Client, browser: Any) -> None:
    requests: list[str] = []
    sockets: list[str] = []
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(60_000)
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: requests.append(f"error: {error}"))
    page.on("websocket", lambda opened: sockets.append(opened.url))
    page.goto(running.address(), wait_until="domcontentloaded")
    assert until(talk, lambda: page.locator("#nodes tbody tr").count() > 5)
    assert until(talk, lambda: page.locator("#cameras canvas").count() == 2)
    assert until(talk, lambda: page.wait_for_timeout(50) or bool(sockets))  # playwright tells only while it is asked
    page.close()
    here = running.address(), running.address().replace("127.0.0.1", "localhost")
    assert all(url.startswith(tuple(address.replace("http", "ws") for address in here)) for url in sockets)
    own = (*here, "data:", "blob:")
    assert [url for url in requests if not url.startswith(own)] == []


def test_in_a_browser_typing_starts_and_the_stop_stops(running: Running, talk: Client, browser: Any) -> None:
    problems: list[str] = []
    page = opened(browser, f"{running.address()}/?flat", problems)
    page.locator("#nodes tbody tr").nth(5).wait_for()

    def type_in() -> None:
        page.fill("[name=words]", TASK)
        page.press("[name=words]", "Enter")

    box = page.locator("#stop").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    for how in (page.mouse.down, lambda: page.keyboard.press("Escape")):
        page.mouse.up()
        running.start(talk, type_in)
        print(f"\nclick to rest: {stopped(talk, how):.0f} ms")
        page.locator("#state", has_text="ESTOP").wait_for()
    questions = talk.node.create_publisher(String, "vla/question", LATCHED)
    for text in ("no progress for 20 s", ""):
        assert talk.spin(60.0, lambda: questions.get_subscription_count() >= 2)
        questions.publish(String(data=text))
        if text:
            page.locator("#question", has_text=text).wait_for()
        else:
            page.locator("#question").wait_for(state="hidden")
    talk.node.destroy_publisher(questions)
    light = opened(browser, f"{running.address()}/stop", problems)
    light.locator("#state", has_text="ESTOP").wait_for()
    running.start(talk, lambda: running.press("say", TASK))
    print(f"\nlight page, key to rest: {stopped(talk, lambda: light.keyboard.press(' ')):.0f} ms")
    light.locator("#state", has_text="ESTOP").wait_for()
    os.kill(running.pid("dashboard"), signal.SIGSTOP)
    try:
        page.locator("#blind").wait_for()
    finally:
        os.kill(running.pid("dashboard"), signal.SIGCONT)
    page.locator("#blind").wait_for(state="hidden")
    row = page.locator("#nodes tbody tr", has_text="planner")
    assert until(talk, lambda: "silent for" not in row.inner_text())
    killed_s = time.monotonic()
    os.kill(running.pid("planner"), signal.SIGKILL)
    row.filter(has_text="silent for").wait_for()
    print(f"\nkilled planner shown in the browser after {time.monotonic() - killed_s:.2f} s")
    assert [problem for problem in problems if problem.startswith("error")] == []
