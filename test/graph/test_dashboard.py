"""The dashboard beside the running graph: with plain HTTP, and in a real browser.

What needs no graph: test/unit/dashboard/test_page.py.
`pytest test/graph/test_dashboard.py -s` prints how long the arm took from a press to rest.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from math import nan
from typing import Any

import pytest
from geometry_msgs.msg import Point, Pose
from rclpy.action import ActionClient
from std_msgs.msg import String
from std_srvs.srv import Trigger

from test.graph.dashboard_pages import MESH, TASK, TOKEN, Running, opened, stopped, until
from vla_ros.action import Execute
from vla_ros.bringup.graph import bringup
from vla_ros.bringup.process import private_domain
from vla_ros.msg import CameraFrames, LatentPlan, SafetyStatus
from vla_ros.ros.client import Client, connect
from vla_ros.ros.qos import LATCHED, NEWEST
from vla_ros.sim.arm_description import urdf


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


def test_a_question_is_answered_and_a_task_is_told_before_anything_moves(running: Running, talk: Client) -> None:
    plans: list[LatentPlan] = []
    answers: list[str] = []
    talk.node.create_subscription(LatentPlan, "vla/latent_plan", plans.append, 50)
    talk.node.create_subscription(String, "vla/answer", lambda message: answers.append(message.data), LATCHED)
    talk.publish("what do you see?")
    assert until(talk, lambda: any(text.startswith("I see: ") for text in answers)), answers
    assert all(plan.state != LatentPlan.ACTIVE for plan in plans)
    running.start(talk, lambda: running.press("say", TASK))
    told = "I will: pick up the red cube; put it into the bowl."
    assert until(talk, lambda: told in answers), answers
    states = [(plan.reasoning, plan.state) for plan in plans if plan.instruction == TASK]
    first = next(number for number, (_, state) in enumerate(states) if state == LatentPlan.ACTIVE)
    assert told in [reasoning for reasoning, _ in states[:first]]


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

    def active() -> bool:
        plan = running.page()["plan"]
        return plan is not None and plan["state"] == "ACTIVE" and (plan["age_s"] or 9.0) < 5.0

    def planning() -> bool:  # repeated: a planner that has just been started may miss the first instruction
        nonlocal said_s
        if time.monotonic() - said_s > 3.0 and running.press("say", TASK)["done"]:
            said_s = time.monotonic()
            talk.spin(0.5)
        return active()

    assert until(talk, planning)
    running.start(talk, lambda: running.press("say", TASK))
    client = ActionClient(talk.node, Execute, "vla/execute")
    assert talk.spin(60.0, client.server_is_ready)
    sent = client.send_goal_async(Execute.Goal(instruction=TASK))
    assert talk.spin(60.0, sent.done)
    goal = sent.result().get_result_async()
    assert until(talk, lambda: goal.done() or running.page()["instructions"][0] == TASK)
    assert until(talk, active)  # said again, the sentence would supersede the goal
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
    assert until(talk, goal.done), "a goal ends without its planner"
    assert goal.result().result.outcome == Execute.Result.FAILED and "planner" in goal.result().result.why
    client.destroy()
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
