"""The page over HTTP: who may see, who may press, and that nobody waits for anybody."""

from __future__ import annotations

import dataclasses
import http.client
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from vla_ros.dashboard.board import Document
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.dashboard.feed import Feed
from vla_ros.dashboard.server import LONGEST_BODY, Pages
from vla_ros.guard.guard import Guard
from vla_ros.guard.rules import load
from vla_ros.lab.training.teacher import Answer
from vla_ros.parameters import ParameterError

Make = Callable[..., Pages]


def document(number: int) -> Document:
    text = json.dumps({"number": number, "filter": {"state": "HOLDING", "reason": "<b>"}}).encode()
    return Document(number, text, b"J" * 100_000, number)


@pytest.fixture
def asked() -> list[tuple[str, str]]:
    return []


@pytest.fixture
def make(parameters: DashboardParameters, asked: list[tuple[str, str]]) -> Iterator[Make]:
    made: list[Pages] = []

    def act(name: str, words: str) -> tuple[bool, str]:
        asked.append((name, words))
        return True, f"{name} done"

    def pages(token: str = "", scene_port: int = 1, namespace: str = "", **changes: Any) -> Pages:
        feed = Feed()
        feed.put(document(1))
        changed = dataclasses.replace(parameters, **changes)
        made.append(Pages(changed, token, feed, lambda: [[0.0]], act, scene_port, namespace))
        return made[-1]

    yield pages
    for server in made:
        server.close()


def request(server: Pages, method: str, path: str, body: str = "", **headers: str) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request(method, path, body.encode() if method == "POST" else None, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    return found


@pytest.mark.parametrize(
    "path", ["/", "/style.css", "/main.js", "/plots.js", "/stop", "/stop.js", "/icon.svg", "/scene/"]
)
def test_every_page_is_there_and_may_load_nothing_from_elsewhere(make: Make, path: str) -> None:
    status, body, headers = request(make(), "GET", path)
    assert status == 200 and body
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") or policy.startswith("default-src 'self'")
    assert set(re.findall(r"\S*(?:http|\*)\S*", policy.replace(";", ""))) == {
        "http://localhost:*",
        "http://127.0.0.1:*",
    }


@pytest.mark.parametrize("path", ["/nothing", "/../server.py", "/stop.html", "/scene/x", "/__init__.py"])
def test_other_files_are_not(make: Make, path: str) -> None:
    assert request(make(), "GET", path)[0] == 404


def test_a_reader_gets_what_it_has_not_seen(make: Make) -> None:
    server = make()
    _, body, _ = request(server, "GET", "/document?after=-1&images=-1")
    (length,) = struct.unpack("<I", body[:4])
    assert json.loads(body[4 : 4 + length])["number"] == 1
    assert len(body) == 4 + length + 100_000
    threading.Timer(0.1, server.feed.put, [document(2)]).start()
    body = b""
    while not body:  # 204: nothing new within a second
        _, body, _ = request(server, "GET", "/document?after=1&reader=a")
    assert json.loads(body[4:])["number"] == 2  # and no images, which were not asked for
    assert server.feed.readers() >= 1
    assert json.loads(request(server, "GET", "/history")[1]) == [[0.0]]


def test_presses_arrive(make: Make, asked: list[tuple[str, str]]) -> None:
    server = make()
    for name in ("estop", "arm", "disarm", "reset"):
        status, body, _ = request(server, "POST", f"/{name}", "ignored")
        assert (status, json.loads(body)) == (200, {"done": True, "message": f"{name} done"})
    assert request(server, "POST", "/say", "öffne den Greifer")[0] == 200
    assert asked == [*((name, "") for name in ("estop", "arm", "disarm", "reset")), ("say", "öffne den Greifer")]
    assert request(server, "POST", "/shutdown")[0] == 404
    assert request(server, "GET", "/estop")[0] == 404


def test_the_stop_works_without_scripts(make: Make, asked: list[tuple[str, str]]) -> None:
    server = make()
    form = {"Accept": "text/html,application/xhtml+xml", "Content-Type": "application/x-www-form-urlencoded"}
    status, body, _ = request(server, "POST", "/estop", "", **form)
    assert status == 200 and asked == [("estop", "")]
    assert b"estop done" in body and b"HOLDING &lt;b&gt;" in body


def test_read_only_sends_nothing(make: Make, asked: list[tuple[str, str]]) -> None:
    server = make(read_only=True)
    assert request(server, "POST", "/say", "go")[0] == 403
    assert request(server, "POST", "/estop")[0] == 403
    assert request(server, "GET", "/")[0] == 200
    assert asked == []


def test_where_nothing_can_be_pressed_there_is_no_button(make: Make) -> None:
    assert b"<button" in request(make(), "GET", "/stop")[1]
    server = make(read_only=True)
    _, page, _ = request(server, "GET", "/stop")
    assert b"<button" not in page and b"<kbd>" not in page
    assert b"read-only: use the robot's own e-stop" in page and b"HOLDING" in page
    status, body, headers = request(server, "POST", "/estop", Accept="text/html,*/*")
    assert (status, headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert b"read-only: use the robot&#x27;s own e-stop" in body
    assert json.loads(request(server, "POST", "/arm")[1])["message"] == "this dashboard is read-only"


def test_pages_say_whose_they_are(make: Make) -> None:
    server = make(namespace="/left")
    for path, title in (("/", b"<title>/left vla_ros</title>"), ("/stop", b"<title>STOP /left</title>")):
        page = request(server, "GET", path)[1]
        assert title in page and b">/left<" in page and b"{" not in page
    assert b"<title> vla_ros</title>" in request(make(), "GET", "/")[1]


def test_a_page_of_another_arm_presses_nothing(make: Make, asked: list[tuple[str, str]]) -> None:
    server = make(namespace="/left")
    for arm in ("/right", ""):
        status, body, _ = request(server, "POST", f"/estop?arm={arm}")
        assert status == 409
        said = "this address now serves arm /left: use the robot's own e-stop"
        assert json.loads(body) == {"done": False, "message": said}
    assert asked == []
    assert request(server, "POST", "/estop?arm=%2Fleft")[0] == request(server, "POST", "/estop")[0] == 200
    assert request(make(), "POST", "/arm?arm=")[0] == 200


def test_pages_of_others_cannot_press(make: Make, asked: list[tuple[str, str]]) -> None:
    server = make()
    assert request(server, "POST", "/arm", Origin="http://example.org")[0] == 403
    assert request(server, "POST", "/arm", Host="example.org")[0] == 403
    assert request(server, "GET", "/", Host="example.org")[0] == 403
    assert asked == []
    assert request(server, "POST", "/arm", Origin=f"http://127.0.0.1:{server.server_port}")[0] == 200


def test_with_a_token_only_who_shows_it(make: Make, asked: list[tuple[str, str]]) -> None:
    server = make("abc123", host="0.0.0.0")
    assert server.address.endswith("/?token=abc123")
    for path in ("/", "/document", "/scene/", "/history", "/stop"):
        assert request(server, "GET", path)[0] == 401
    assert request(server, "POST", "/estop")[0] == 403
    assert request(server, "GET", "/?token=abc124")[0] == 401
    status, _, headers = request(server, "GET", "/?token=abc123")
    cookie = headers["set-cookie"]
    assert (status, headers["location"]) == (303, "/")
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    shown = cookie.split(";")[0]
    assert request(server, "GET", "/", Cookie=shown)[0] == 200
    assert request(server, "POST", "/estop", Cookie=shown)[0] == 200
    assert request(server, "GET", "/", Cookie=shown.replace("123", "12é"))[0] == 401
    assert asked == [("estop", "")]


def test_a_long_sentence_reaches_the_guard_cut_and_holds_the_arm(make: Make, asked: list[tuple[str, str]]) -> None:
    words = f"put {'the red ' * 1200}cube in the bowl"
    for text in (f"please stop {words}", words, "tidy " * 100):
        assert request(make(), "POST", "/say", text)[0] == 200
    stop, cut, whole = (words for _, words in asked)
    assert whole == "tidy " * 100
    assert len(stop) == len(cut) == LONGEST_BODY
    guard = Guard(load("guard"))
    assert [guard.judge(text).answer for text in (stop, cut)] == [Answer.STOP, Answer.REFUSE]
    assert request(make(), "POST", "/estop", "x" * 9000)[0] == 200


def test_browsers_that_read_nothing_delay_nobody(make: Make) -> None:
    server = make()
    dead = []
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", server.server_port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.sendall(b"GET /document?images=-1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 50)
        dead.append(connection)
    for number in range(2, 12):
        server.feed.put(document(number))
        _, body, _ = request(server, "GET", f"/document?after={number - 1}")
        assert json.loads(body[4:])["number"] == number
    for connection in dead:
        connection.close()


def test_the_3d_view_is_passed_on_without_the_cookie(make: Make) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    server = make("abc", scene_port=listener.getsockname()[1])
    browser = socket.create_connection(("127.0.0.1", server.server_port), 5)
    cookie = f"Cookie: vla_ros_{server.server_port}=abc\r\n"
    browser.sendall(f"GET /scene HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n{cookie}\r\n".encode())
    view, _ = listener.accept()
    view.settimeout(5)
    handshake = view.recv(4096).decode()
    assert handshake.startswith("GET / HTTP/1.1\r\n") and "Upgrade: websocket" in handshake
    assert "abc" not in handshake
    view.sendall(b"from the view")
    assert browser.recv(100) == b"from the view"
    browser.sendall(b"from the browser")
    assert view.recv(100) == b"from the browser"
    view.close()
    assert browser.recv(100) == b""
    browser.close()
    listener.close()


def test_a_port_that_is_taken_is_named(parameters: DashboardParameters) -> None:
    taken = dataclasses.replace(parameters, host="192.0.2.1", port=4000)
    with pytest.raises(ParameterError, match=r"cannot listen on 192\.0\.2\.1:4000 to 4009.*dashboard\.host"):
        Pages(taken, "", Feed(), list, lambda name, words: (True, ""), 1)
