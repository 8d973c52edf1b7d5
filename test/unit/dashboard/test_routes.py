"""The page over HTTP: who may see, who may press, and what is answered."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import socket
import struct
import threading
import time

import pytest

from test.unit.dashboard.rig import MakeServer, document, request
from vla_ros.dashboard import routes
from vla_ros.dashboard.routes import MAX_BODY_BYTES
from vla_ros.dashboard.server import DashboardServer
from vla_ros.guard.guard import Guard, GuardAction
from vla_ros.guard.rules import load_rules


@pytest.mark.parametrize(
    "path", ["/", "/style.css", "/main.js", "/plots.js", "/stop", "/stop.js", "/icon.svg", "/scene/"]
)
def test_every_page_is_there_and_may_load_nothing_from_elsewhere(make_server: MakeServer, path: str) -> None:
    status, body, headers = request(make_server(), "GET", path)
    assert status == 200 and body
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") or policy.startswith("default-src 'self'")
    assert set(re.findall(r"\S*(?:http|\*)\S*", policy.replace(";", ""))) == {
        "http://localhost:*",
        "http://127.0.0.1:*",
    }


@pytest.mark.parametrize("path", ["/nothing", "/../server.py", "/stop.html", "/scene/x", "/__init__.py"])
def test_other_files_are_not(make_server: MakeServer, path: str) -> None:
    assert request(make_server(), "GET", path)[0] == 404


def test_a_reader_gets_what_it_has_not_seen(make_server: MakeServer) -> None:
    server = make_server()
    _, body, _ = request(server, "GET", "/document?after=-1&images=-1")
    (length,) = struct.unpack("<I", body[:4])
    assert json.loads(body[4 : 4 + length])["number"] == 1
    assert len(body) == 4 + length + 100_000
    threading.Timer(0.1, server.routes.latest.publish, [document(2)]).start()
    body = b""
    while not body:  # 204: nothing new within a second
        _, body, _ = request(server, "GET", "/document?after=1&reader=a")
    assert json.loads(body[4:])["number"] == 2  # and no images, which were not asked for
    assert server.routes.latest.viewers() >= 1
    assert json.loads(request(server, "GET", "/history")[1]) == [[0.0]]


def test_presses_arrive(make_server: MakeServer, actions: list[tuple[str, str]]) -> None:
    server = make_server()
    for name in ("estop", "arm", "disarm", "reset"):
        status, body, _ = request(server, "POST", f"/{name}", "ignored")
        assert (status, json.loads(body)) == (200, {"done": True, "message": f"{name} done"})
    assert request(server, "POST", "/say", "öffne den Greifer")[0] == 200
    assert actions == [*((name, "") for name in ("estop", "arm", "disarm", "reset")), ("say", "öffne den Greifer")]
    assert request(server, "POST", "/shutdown")[0] == 404
    assert request(server, "GET", "/estop")[0] == 404


def test_the_stop_works_without_scripts(make_server: MakeServer, actions: list[tuple[str, str]]) -> None:
    server = make_server()
    form = {"Accept": "text/html,application/xhtml+xml", "Content-Type": "application/x-www-form-urlencoded"}
    status, body, _ = request(server, "POST", "/estop", "", **form)
    assert status == 200 and actions == [("estop", "")]
    assert b"estop done" in body and b"HOLDING &lt;b&gt;" in body


def test_read_only_sends_nothing(make_server: MakeServer, actions: list[tuple[str, str]]) -> None:
    server = make_server(read_only=True)
    assert request(server, "POST", "/say", "go")[0] == 403
    assert request(server, "POST", "/estop")[0] == 403
    assert request(server, "GET", "/")[0] == 200
    assert actions == []


def test_where_nothing_can_be_pressed_there_is_no_button(make_server: MakeServer) -> None:
    assert b"<button" in request(make_server(), "GET", "/stop")[1]
    server = make_server(read_only=True)
    _, page, _ = request(server, "GET", "/stop")
    assert b"<button" not in page and b"<kbd>" not in page
    assert b"read-only: use the robot's own e-stop" in page and b"HOLDING" in page
    status, body, headers = request(server, "POST", "/estop", Accept="text/html,*/*")
    assert (status, headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert b"read-only: use the robot&#x27;s own e-stop" in body
    assert json.loads(request(server, "POST", "/arm")[1])["message"] == "this dashboard is read-only"


def test_pages_say_whose_they_are(make_server: MakeServer) -> None:
    server = make_server(namespace="/left")
    for path, title in (("/", b"<title>/left vla_ros</title>"), ("/stop", b"<title>STOP /left</title>")):
        page = request(server, "GET", path)[1]
        assert title in page and b">/left<" in page and b"{" not in page
    assert b"<title> vla_ros</title>" in request(make_server(), "GET", "/")[1]


def test_a_page_of_another_arm_presses_nothing(make_server: MakeServer, actions: list[tuple[str, str]]) -> None:
    server = make_server(namespace="/left")
    for arm in ("/right", ""):
        status, body, _ = request(server, "POST", f"/estop?arm={arm}")
        assert status == 409
        said = "this address now serves arm /left: use the robot's own e-stop"
        assert json.loads(body) == {"done": False, "message": said}
    assert actions == []
    assert request(server, "POST", "/estop?arm=%2Fleft")[0] == request(server, "POST", "/estop")[0] == 200
    assert request(make_server(), "POST", "/arm?arm=")[0] == 200


def test_pages_of_others_cannot_press(make_server: MakeServer, actions: list[tuple[str, str]]) -> None:
    server = make_server()
    assert request(server, "POST", "/arm", Origin="http://example.org")[0] == 403
    assert request(server, "POST", "/arm", Host="example.org")[0] == 403
    assert request(server, "GET", "/", Host="example.org")[0] == 403
    assert actions == []
    assert request(server, "POST", "/arm", Origin=f"http://127.0.0.1:{server.port}")[0] == 200


def test_with_a_token_only_who_shows_it(make_server: MakeServer, actions: list[tuple[str, str]]) -> None:
    server = make_server("abc123", host="0.0.0.0")
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
    assert actions == [("estop", "")]


def test_a_long_sentence_reaches_the_guard_cut_and_holds_the_arm(
    make_server: MakeServer, actions: list[tuple[str, str]]
) -> None:
    words = f"put {'the red ' * 1200}cube in the bowl"
    for text in (f"please stop {words}", words, "tidy " * 100):
        assert request(make_server(), "POST", "/say", text)[0] == 200
    stop, cut, whole = (words for _, words in actions)
    assert whole == "tidy " * 100
    assert len(stop) == len(cut) == MAX_BODY_BYTES
    guard = Guard(load_rules("guard"))
    assert [guard.check(text).action for text in (stop, cut)] == [GuardAction.STOP, GuardAction.REFUSE]
    assert request(make_server(), "POST", "/estop", "x" * 9000)[0] == 200


def raw(server: DashboardServer, text: bytes) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    connection.settimeout(5)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(text)
    return connection


def test_a_browser_that_takes_nothing_is_dropped(make_server: MakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "IDLE_TIMEOUT_S", 0.3)
    server = make_server()
    big = dataclasses.replace(document(2), images=b"J" * 20_000_000)  # more than the kernel buffers
    server.routes.latest.publish(big)
    with raw(server, b"GET /document?images=-1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as connection:
        time.sleep(1.0)
        received = 0
        with contextlib.suppress(ConnectionResetError):
            while data := connection.recv(1_000_000):
                received += len(data)
        assert received < len(big.images)


def test_a_body_that_does_not_come_is_not_waited_for(
    make_server: MakeServer, actions: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "IDLE_TIMEOUT_S", 0.3)
    with raw(make_server(), b"POST /say HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\npick") as connection:
        assert connection.recv(12) == b"HTTP/1.1 400"
    with raw(make_server(), b"POST /say HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") as connection:
        assert connection.recv(12) == b"HTTP/1.1 411"
    assert actions == []


def test_a_handler_that_fails_is_told_in_one_line(
    make_server: MakeServer, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    server = make_server()

    def fail(name: str, instruction: str) -> tuple[bool, str]:
        raise RuntimeError("no graph")

    monkeypatch.setattr(server.routes, "handle_action", fail)
    status, body, headers = request(server, "POST", "/estop")
    assert status == 500 and json.loads(body)["done"] is False
    assert "content-security-policy" in headers
    assert capfd.readouterr().err == "vla_ros dashboard: a request failed: RuntimeError: no graph\n"
    assert request(server, "PUT", "/estop")[0] == 405
