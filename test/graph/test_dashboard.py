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
from collections.abc import Callable, Iterator, Sequence
from math import nan
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import Point, Pose
from std_msgs.msg import String
from std_srvs.srv import Trigger
from trajectory_msgs.msg import JointTrajectory

from vla_ros.bringup.graph import bringup
from vla_ros.bringup.process import Process, private_domain
from vla_ros.bringup.supervisor import Supervisor
from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.dashboard.document import LatestDocument
from vla_ros.dashboard.observations import CameraImage
from vla_ros.dashboard.server import DashboardServer
from vla_ros.dashboard.view_model import ViewModel
from vla_ros.msg import CameraFrames, LatentPlan, SafetyStatus
from vla_ros.ros.client import Client, connect
from vla_ros.ros.qos import LATCHED, NEWEST
from vla_ros.sim.arm_description import JOINT_NAMES, urdf

TASK = "put the red cube in the bowl"
TOKEN = "abc123"
MESH = "package://gone/base.stl"
S = 1_000_000_000


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


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    os.environ.update(private_domain())
    overrides = {"dashboard": {"port": 0}, "sim_arm": {"seed": 3, "task": "place"}}
    graph = Running(bringup(dashboard=True, overrides=overrides))
    yield graph
    graph.supervisor.stop()


@pytest.fixture(scope="module")
def talk(running: Running) -> Iterator[Client]:
    with connect() as made:
        made.wait_until_ready(90.0)
        assert until(made, lambda: bool(running.address()))
        assert made.spin(90.0, lambda: made.status is not None), running.lines
        yield made


def test_an_instruction_starts_a_task_and_a_press_stops_it(running: Running, talk: Client) -> None:
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


def test_a_stop_in_a_long_sentence_holds(running: Running, talk: Client) -> None:
    def held() -> bool:
        running.press("say", f"stop {'the red cube ' * 50}")
        plan = running.page()["plan"]
        return plan is not None and plan["state"] == "DONE" and "always stops" in plan["reasoning"]

    assert until(talk, held)


def test_a_planner_that_is_killed_is_missed(running: Running, talk: Client) -> None:
    said_s = 0.0

    def planning() -> bool:  # repeated: a planner that has just been started may miss the first instruction
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
def left(talk: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The dashboard of another arm, of which there is nothing else: read-only, with a token, on a clock that stands still.

    One of the arm's mesh files is not there.
    """
    description = tmp_path_factory.mktemp("left") / "arm.urdf"
    description.write_text(re.sub("<box .*?/>", f'<mesh filename="{MESH}" />', urdf(), count=1))
    overrides = {"dashboard": {"port": 0, "token": TOKEN, "read_only": True, "urdf": str(description)}}
    processes = bringup(namespace="left", dashboard=True, use_sim_time=True, overrides=overrides)
    alone = Running([process for process in processes if process.name == "dashboard"])
    assert talk.spin(180.0, lambda: bool(alone.address())), alone.lines
    yield alone
    alone.supervisor.stop()


def test_the_page_is_renewed_while_a_simulated_clock_stands_still(left: Running, talk: Client) -> None:
    assert until(talk, lambda: bool(left.request("GET", "/document?after=3")))
    assert left.page()["namespace"] == "/left"
    assert "dashboard of /left: http://" in "\n".join(left.lines)


def test_messages_that_do_not_fit_are_skipped_and_told(left: Running, talk: Client) -> None:
    bad = {
        "/left/vla/latent_plan": LatentPlan(state=200),
        "/left/vla/safety_status": SafetyStatus(state=99),
        "/left/vla/frames": CameraFrames(names=["front"], height=10, width=10),
    }
    publishers = {topic: talk.node.create_publisher(type(message), topic, NEWEST) for topic, message in bad.items()}

    def told() -> bool:
        for topic, message in bad.items():
            publishers[topic].publish(message)
        (report,) = [node for node in left.page()["nodes"] if node["name"] == "dashboard"] or [None]
        return report is not None and report["level"] == 1 and all(what in report["message"] for what in (*bad, MESH))

    assert until(talk, told)
    plan = LatentPlan(state=LatentPlan.ACTIVE, waypoints=[Pose(position=Point(x=nan))])

    def shown() -> bool:
        publishers["/left/vla/latent_plan"].publish(plan)
        return (left.page()["plan"] or {}).get("state") == "ACTIVE"

    assert until(talk, shown)
    assert left.supervisor.children["dashboard"].popen.poll() is None
    for publisher in publishers.values():
        talk.node.destroy_publisher(publisher)


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


def test_a_token_opens_the_page_and_its_3d_view(left: Running, talk: Client, browser: Any) -> None:
    frames: list[int] = []
    page = opened(browser, left.address(), [])
    assert "?token=" in page.inner_text("h1")
    page.on("websocket", lambda opened: opened.on("framereceived", lambda frame: frames.append(len(frame))))
    page.goto(f"{left.address()}/?token={TOKEN}", wait_until="domcontentloaded")
    assert page.url == f"{left.address()}/"
    (cookie,) = page.context.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict"
    assert until(talk, lambda: page.wait_for_timeout(50) or bool(frames))
    page.close()


def test_read_only_shows_and_sends_nothing(left: Running, talk: Client, browser: Any) -> None:
    stops: list[object] = []
    service = talk.node.create_service(Trigger, "/left/vla/estop", lambda asked, answer: stops.append(asked) or answer)
    page = opened(browser, f"{left.address()}/?token={TOKEN}", [])
    page.locator("body.readonly").wait_for()
    assert (page.title(), page.inner_text("#arm")) == ("/left vla_ros", "/left")
    for name in (
        "#stop",
        "[data-action=arm]",
        "[data-action=disarm]",
        "[data-action=reset]",
        "[name=instruction]",
        "#hold",
    ):
        assert page.locator(name).is_hidden()
    page.keyboard.press("Escape")
    page.locator("#result", has_text="read-only: use the robot's own e-stop").wait_for()
    page.goto(f"{left.address()}/stop", wait_until="domcontentloaded")
    page.locator("p", has_text="read-only: use the robot's own e-stop").wait_for()
    page.locator("#state", has_text="silent").wait_for()
    assert (page.title(), page.inner_text("h1"), page.locator("button").count()) == ("STOP /left", "/left", 0)
    page.keyboard.press(" ")
    talk.spin(1.0)
    assert stops == []
    talk.node.destroy_service(service)
    page.close()


class PageWithoutGraph:
    """A page that shows documents of a test."""

    def __init__(self) -> None:
        self.actions: list[tuple[str, str]] = []
        self.parameters = DashboardParameters(joint_names=list(JOINT_NAMES), port=0, history_s=40.0)
        self.arm = Arm(urdf(), JOINT_NAMES, "tool")
        self.view_model = self.make_view_model("/left")
        self.latest = LatestDocument()
        self.server = DashboardServer(
            self.parameters, "", self.latest, self.view_model.history.rows, self.act, 1, "/left"
        )
        self.now_ns = 0

    def make_view_model(self, namespace: str) -> ViewModel:
        return ViewModel(self.parameters, self.arm, "run", 0, namespace)

    def act(self, name: str, instruction: str) -> tuple[bool, str]:
        self.actions.append((name, instruction))
        return True, "done"

    def until(self, page: Any, condition: Callable[[], bool]) -> None:
        """Publish documents until the page shows something."""
        end_s = time.monotonic() + 120.0
        while not condition():
            assert time.monotonic() < end_s, page.inner_text("body")
            self.latest.publish(self.view_model.document(self.now_ns, self.now_ns, self.now_ns / S))
            page.wait_for_timeout(50)


@pytest.fixture
def alone() -> Iterator[PageWithoutGraph]:
    made = PageWithoutGraph()
    yield made
    made.server.close()


def test_the_page_asks_for_the_history_until_it_has_it(alone: PageWithoutGraph, browser: Any) -> None:
    page = browser.new_page()
    asked: list[str] = []

    def fail_twice(route: Any) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.abort()
        elif len(asked) == 2:
            route.fulfill(status=500, body="")
        else:
            route.continue_()

    page.route("**/history", fail_twice)
    page.goto(f"{alone.server.address}?flat", wait_until="domcontentloaded")
    alone.until(page, lambda: page.locator("#joints button").count() == len(JOINT_NAMES))
    assert len(asked) == 3
    catch = """async () => {
        const { Plots } = await import("/plots.js");
        const add = Plots.prototype.add;
        Plots.prototype.add = function (...row) { window.plots = this; add.apply(this, row); };
    }"""
    page.evaluate(catch)
    alone.until(page, lambda: page.evaluate("window.plots?.seconds") == alone.parameters.history_s)
    fill = """() => {
        const { plots } = window, joints = plots.joints, row = plots.rows[0];
        plots.start(joints, [], 40);
        plots.draw = () => {};
        for (let i = 0; i <= 1000; i++) plots.add([i / 10, ...row.slice(1)], joints);
        const kept = plots.rows.length;
        for (let i = 0; i < 10000; i++) plots.add([100, ...row.slice(1)], joints);
        return [kept, plots.rows.length];
    }"""
    assert page.evaluate(fill) == [401, 9000]
    page.close()


def test_images_that_do_not_come_any_more_are_called_old(alone: PageWithoutGraph, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{alone.server.address}?flat", wait_until="domcontentloaded")
    alone.view_model.on_images(0, 0, 0, [CameraImage("front", "", np.zeros((64, 64, 3), np.uint8), None, "ok")])
    caption = page.locator("#cameras figcaption")
    alone.until(page, lambda: caption.count() == 1)
    assert (caption.inner_text(), caption.get_attribute("class")) == ("front", "")
    alone.now_ns = 4 * S
    alone.until(page, lambda: caption.inner_text() == "front: 4.0 s old")
    assert caption.get_attribute("class") == "alarm"
    page.close()


def test_a_long_instruction_is_sent_whole(alone: PageWithoutGraph, browser: Any) -> None:
    page = browser.new_page()
    page.goto(f"{alone.server.address}?flat", wait_until="domcontentloaded")
    words = f"{'tidy up ' * 60}stop"
    page.focus("[name=instruction]")
    page.keyboard.insert_text(words)
    page.keyboard.press("Enter")
    alone.until(page, lambda: alone.actions == [("say", words)])
    page.close()


@pytest.mark.parametrize(("path", "place"), [("?flat", "#disconnected"), ("stop", "#state")])
def test_a_page_whose_address_serves_another_arm_says_so(
    alone: PageWithoutGraph, browser: Any, path: str, place: str
) -> None:
    page = browser.new_page()
    page.goto(f"{alone.server.address}{path}", wait_until="domcontentloaded")
    page.keyboard.press("Escape")
    alone.until(page, lambda: alone.actions == [("estop", "")])
    alone.until(page, lambda: "/right" not in page.inner_text("body"))
    alone.view_model, alone.server.routes.namespace = alone.make_view_model("/right"), "/right"
    alone.until(page, lambda: page.inner_text(place) == "This address now serves arm /right: reload this page.")
    page.keyboard.press("Escape")
    alone.until(page, lambda: "serves arm /right: use the robot's own e-stop" in page.inner_text("#result"))
    assert alone.actions == [("estop", "")]
    page.close()


def test_in_a_browser_typing_starts_and_the_stop_stops(running: Running, talk: Client, browser: Any) -> None:
    problems: list[str] = []
    page = opened(browser, f"{running.address()}/?flat", problems)
    page.locator("#nodes tbody tr").nth(5).wait_for()

    def type_in() -> None:
        page.fill("[name=instruction]", TASK)
        page.press("[name=instruction]", "Enter")

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
        page.locator("#disconnected").wait_for()
    finally:
        os.kill(running.pid("dashboard"), signal.SIGCONT)
    page.locator("#disconnected").wait_for(state="hidden")
    row = page.locator("#nodes tbody tr", has_text="planner")
    assert until(talk, lambda: "silent for" not in row.inner_text())
    killed_s = time.monotonic()
    os.kill(running.pid("planner"), signal.SIGKILL)
    row.filter(has_text="silent for").wait_for()
    print(f"\nkilled planner shown in the browser after {time.monotonic() - killed_s:.2f} s")
    assert [problem for problem in problems if problem.startswith("error")] == []
