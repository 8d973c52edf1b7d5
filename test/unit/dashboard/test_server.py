"""The server: its port, its connections, and that no browser delays another."""

from __future__ import annotations

import dataclasses
import json
import socket
import threading
import time

import pytest

from test.unit.dashboard.rig import MakeServer, document, request
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.dashboard.document import LatestDocument
from vla_ros.dashboard.server import MAX_CONNECTIONS, PORT_ATTEMPTS, DashboardServer, listen
from vla_ros.parameters import ParameterError


def test_browsers_that_read_nothing_delay_nobody(make_server: MakeServer) -> None:
    server = make_server()
    dead = []
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        connection.sendall(b"GET /document?images=-1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 50)
        dead.append(connection)
    for number in range(2, 12):
        server.routes.latest.publish(document(number))
        _, body, _ = request(server, "GET", f"/document?after={number - 1}")
        assert json.loads(body[4:])["number"] == number
    for connection in dead:
        connection.close()


def test_a_port_that_is_taken_is_named(parameters: DashboardParameters) -> None:
    taken = dataclasses.replace(parameters, host="192.0.2.1", port=4000)
    with pytest.raises(ParameterError, match=r"cannot listen on 192\.0\.2\.1:4000 to 4009.*dashboard\.host"):
        DashboardServer(taken, "", LatestDocument(), list, lambda name, words: (True, ""), 1)


def test_a_port_that_is_taken_gives_way_to_the_next(parameters: DashboardParameters) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with listen("127.0.0.1", port) as found:
            assert port < found.getsockname()[1] < port + PORT_ATTEMPTS


def test_a_stop_does_not_wait_for_actions_that_hang(parameters: DashboardParameters) -> None:
    released = threading.Event()

    def handle_action(name: str, instruction: str) -> tuple[bool, str]:
        return name == "estop" or released.wait(20.0), name

    server = DashboardServer(parameters, "", LatestDocument(), list, handle_action, 1)
    hanging = [threading.Thread(target=request, args=(server, "POST", "/arm")) for _ in range(30)]
    for thread in hanging:
        thread.start()
    time.sleep(0.3)
    status, body, _ = request(server, "POST", "/estop")
    assert (status, json.loads(body)["done"]) == (200, True)
    assert not released.is_set()
    released.set()
    for thread in hanging:
        thread.join()
    server.close()


def test_connections_beyond_the_limit_are_closed_and_the_others_go_on(make_server: MakeServer) -> None:
    server = make_server()
    kept = [socket.create_connection(("127.0.0.1", server.port), 5) for _ in range(MAX_CONNECTIONS)]
    kept[0].sendall(b"GET /icon.svg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert kept[0].recv(12) == b"HTTP/1.1 200"
    with socket.create_connection(("127.0.0.1", server.port), 5) as refused:
        assert refused.recv(100) == b""
    kept[-1].sendall(b"GET /icon.svg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert kept[-1].recv(12) == b"HTTP/1.1 200"
    for connection in kept:
        connection.close()
    time.sleep(0.1)
    assert request(server, "GET", "/icon.svg")[0] == 200


def test_a_request_that_is_no_http_is_refused_without_a_word_in_the_log(
    make_server: MakeServer, capfd: pytest.CaptureFixture[str]
) -> None:
    server = make_server()
    for nonsense in (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), 5) as connection:
            connection.sendall(nonsense)
            assert connection.recv(12) in (b"HTTP/1.0 400", b"HTTP/1.1 400")
    assert capfd.readouterr().err == ""


def test_the_address_is_what_people_can_open(make_server: MakeServer) -> None:
    server = make_server()
    assert server.address == f"http://127.0.0.1:{server.port}/"
    everywhere = make_server("abc", host="0.0.0.0")
    assert everywhere.address == f"http://{socket.gethostname()}:{everywhere.port}/?token=abc"
    with_ipv6 = make_server("abc", host="::1")
    assert with_ipv6.address == f"http://[::1]:{with_ipv6.port}/?token=abc"
