"""`vla-ros serve`: openpi's protocol, who is admitted, and what a bad client can do (nothing)."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from vla_ros.bringup.policy_server import PolicyServer, ServerOptions
from vla_ros.bringup.served_robot import ServedRobot
from vla_ros.parameters import ParameterError
from vla_ros.policies.remote.openpi_encoding import decode, encode
from vla_ros.policies.remote.plan_report import EPISODE_KEY, REPORT_KEY, SERVER_KEY, STAMP_KEY
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

KEY = "s3cret"


class Served:
    """A server in a thread. lines: what it has said."""

    def __init__(self, **options: Any) -> None:
        self.lines: list[str] = []
        self.server = PolicyServer(ServedRobot("sim", "scripted"), ServerOptions(port=0, **options), self.lines.append)
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._task = self._loop.create_task(self.server.serve(lambda _: ready.set()))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert ready.wait(10.0)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._task)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(5.0)

    def connect(self, key: str = KEY, **options: Any) -> ClientConnection:
        """Connect as openpi's client does."""
        headers = {"Authorization": f"Api-Key {key}"} if key else None
        return connect(f"ws://127.0.0.1:{self.server.port}", additional_headers=headers, compression=None, **options)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    made = Served(api_key=KEY, host="127.0.0.1", rate_hz=25.0)
    yield made
    made.stop()


def observation(**changes: Any) -> dict[str, Any]:
    image = np.full((64, 64, 3), 90, np.uint8)
    given = {
        "observation/image": image,
        "observation/wrist_image": image,
        "observation/state": HOME.astype(np.float32),
        "prompt": "run",
        **changes,
    }
    return {key: value for key, value in given.items() if value is not None}


@pytest.fixture
def client(served: Served) -> Iterator[ClientConnection]:
    end_s = time.monotonic() + 10.0
    while len(served.server._free) < 1 and time.monotonic() < end_s:
        time.sleep(0.02)
    with served.connect() as connection:
        decode(connection.recv(timeout=5.0))
        yield connection


def ask(connection: ClientConnection, message: Any) -> Any:
    connection.send(message if isinstance(message, str | bytes) else encode(message))
    answer = connection.recv(timeout=20.0)
    return answer if isinstance(answer, str) else decode(answer)


def test_the_metadata_come_first_and_say_what_is_served(served: Served) -> None:
    time.sleep(0.2)
    with served.connect() as connection:
        metadata = decode(connection.recv(timeout=5.0))
    ours = metadata[SERVER_KEY]
    assert (metadata["policy"], ours["rate_hz"], ours["joint_names"]) == ("scripted", 25.0, list(JOINT_NAMES))
    assert ours["images"] == {
        "observation/image": "front",
        "observation/front_image": "front",
        "observation/wrist_image": "wrist",
    }
    assert len(metadata["checkpoint"]) == 64


def test_an_observation_is_answered_with_actions_and_timing(client: ClientConnection) -> None:
    answer = ask(client, observation())
    assert answer["actions"].dtype == np.float32 and answer["actions"].shape[1] == 8 and len(answer["actions"]) >= 10
    assert np.allclose(answer["actions"][0], HOME, atol=1e-5)
    assert answer["server_timing"]["infer_ms"] > 0
    assert answer[REPORT_KEY]["state"] == "ACTIVE"


def test_the_arm_goes_on_by_the_clients_clock(client: ClientConnection) -> None:
    q, stamp_ns = HOME.copy(), time.time_ns()
    for request in range(40):
        given = {STAMP_KEY: stamp_ns + request * 100_000_000, EPISODE_KEY: 1, "observation/state": q}
        rows = ask(client, observation(**given))["actions"]
        q = rows[min(2, len(rows) - 1)].astype(np.float64)  # 0.1 s at 25 rows a second, roughly
    assert np.abs(q - HOME).max() > 0.005


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("hello", "bad observation: a text message; observations are binary"),
        (b"\xc1", "bad observation: no message of openpi's protocol"),
        (b"", "bad observation: no message of openpi's protocol"),
        ([1], "bad observation: list instead of a map"),
        ({}, "bad observation: prompt: expected a text"),
        (observation(prompt=None), "bad observation: prompt: expected a text"),
        (observation(prompt=7), "bad observation: prompt: expected a text"),
        (observation(prompt="x" * 3000), "bad observation: prompt: expected a text of at most 2000 characters"),
        (observation(**{"observation/state": None}), "bad observation: observation/state: expected 8 finite numbers"),
        (observation(**{"observation/state": np.zeros(7)}), "observation/state: expected 8 finite numbers"),
        (observation(**{"observation/state": np.full(8, np.nan)}), "observation/state: expected 8 finite numbers"),
        (observation(**{"observation/state": "left"}), "observation/state: expected 8 finite numbers"),
        (observation(**{"observation/image": None}), "no image of camera front: send it as observation/image or"),
        (
            observation(**{"observation/image": np.zeros((64, 64, 3))}),
            "observation/image: expected (H, W, 3) uint8 rgb",
        ),
        (
            observation(**{"observation/image": np.zeros((3, 64, 64), np.uint8)}),
            "observation/image: expected (H, W, 3)",
        ),
        (
            observation(**{"observation/image": np.zeros((4, 4, 3), np.uint8)}),
            "observation/image: 4x4 pixels; 8 to 4096",
        ),
        (observation(**{"observation/front_k": np.zeros(4)}), "observation/front_k: expected 9 finite numbers"),
        (observation(**{"observation/front_k": np.zeros(9)}), "observation/front_k: a focal length is not above 0"),
    ],
)
def test_bad_input_is_answered_by_one_line_and_the_server_goes_on(
    served: Served, client: ClientConnection, message: Any, said: str
) -> None:
    answer = ask(client, message)
    assert isinstance(answer, str) and said in answer and "\n" not in answer
    assert "actions" in ask(client, observation())


def test_a_policy_that_raises_is_told_and_the_server_goes_on(
    served: Served, client: ClientConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("out of\nmemory")

    with monkeypatch.context() as patch:
        patch.setattr("vla_ros.control.policy_session.PolicySession.answer", fail)
        assert ask(client, observation()) == "the policy failed: RuntimeError: out of memory"
    assert "actions" in ask(client, observation())


def test_one_client_at_a_time_and_the_next_one_after_it(served: Served, client: ClientConnection) -> None:
    with served.connect() as second:
        assert second.recv(timeout=5.0) == "in use by 1 other client(s); try again later"
        with pytest.raises(ConnectionClosed):
            second.recv(timeout=5.0)
    assert "actions" in ask(client, observation())


def test_a_client_that_is_torn_off_frees_its_place(served: Served) -> None:
    for _ in range(3):
        end_s = time.monotonic() + 10.0
        while not served.server._free and time.monotonic() < end_s:
            time.sleep(0.02)
        connection = served.connect()
        decode(connection.recv(timeout=5.0))
        connection.socket.close()


@pytest.mark.parametrize("key", ["", "wrong", KEY + "x", "ключ"])
def test_without_the_key_nobody_is_admitted(served: Served, key: str) -> None:
    headers = {"Authorization": f"Api-Key {key}"} if key.isascii() and key else None
    with pytest.raises(InvalidStatus) as caught:
        connect(f"ws://127.0.0.1:{served.server.port}", additional_headers=headers)
    assert caught.value.response.status_code == 401
    assert not any(KEY in line for line in served.lines)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/1.1\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n",
    ],
)
def test_what_strangers_send_to_the_port_is_no_traceback(
    served: Served, client: ClientConnection, data: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", served.server.port), timeout=5.0) as stranger:
        stranger.sendall(data)
        stranger.shutdown(socket.SHUT_WR)
        stranger.recv(1000)
    assert "actions" in ask(client, observation())
    assert "Traceback" not in capfd.readouterr().err


def test_no_page_of_a_browser_is_admitted(served: Served) -> None:
    with pytest.raises(InvalidStatus) as caught:
        served.connect(origin="http://evil.example")
    assert caught.value.response.status_code == 403


def test_the_health_check_needs_no_key(served: Served) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{served.server.port}/healthz", timeout=5.0) as response:
        assert (response.status, response.read()) == (200, b"OK\n")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "robot.local", ""])
def test_other_addresses_than_this_machine_need_a_key(host: str) -> None:
    with pytest.raises(ParameterError, match="give --api-key-file, or serve on 127.0.0.1"):
        ServerOptions(host=host)
    assert ServerOptions(host=host, api_key=KEY).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.9"])
def test_this_machine_needs_none(host: str) -> None:
    assert ServerOptions(host=host).api_key == ""


@pytest.mark.parametrize("options", [{"rate_hz": 0.0}, {"rate_hz": float("nan")}, {"port": 70000}, {"clients": 0}])
def test_options_that_are_wrong_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        ServerOptions(**options)
