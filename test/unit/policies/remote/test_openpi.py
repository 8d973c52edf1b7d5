"""The client of openpi's protocol, against servers in this process: healthy ones, and every fault that one line must name."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import numpy as np
import pytest

from test.unit.policies.remote.websocket_server import chunk, openpi_server, raw_server
from vla_ros.policies.remote import openpi
from vla_ros.policies.remote.observation_layout import ObservationLayout, VectorPart
from vla_ros.policies.remote.openpi import OpenpiClient
from vla_ros.policies.remote.plan_report import EPISODE_KEY, SERVER_KEY, STAMP_KEY
from vla_ros.policies.remote.policy_client import ConnectionLost, PolicyRequest, ServerFault

LAYOUT = ObservationLayout(
    (VectorPart("observation/state", 0),), (VectorPart("actions", 0),), "prompt", {"mode": "fast"}, (224, 224)
)
REQUEST = PolicyRequest(
    {"observation/image": np.full((240, 320, 3), 7, np.uint8)}, np.arange(8.0), "pick up the cube", 5_000_000_000, 3
)


def talk(port: int, key: str = "", requests: int = 1) -> list[Any]:
    """Connect, ask, and return metadata and answers."""

    async def conversation() -> list[Any]:
        client = OpenpiClient(f"ws://127.0.0.1:{port}", LAYOUT, key)
        try:
            async with asyncio.timeout(5.0):
                return [await client.connect(), *[await client.infer(REQUEST) for _ in range(requests)]]
        finally:
            await client.close()

    return asyncio.run(conversation())


def fault(port: int, requests: int = 1) -> str:
    """Return the one line of a conversation that fails."""
    with pytest.raises(ServerFault) as caught:
        talk(port, requests=requests)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_observation_and_actions_travel_under_openpis_names() -> None:
    seen: list[dict[Any, Any]] = []
    with openpi_server(lambda given: seen.append(given) or chunk(), {"model": "pi0"}) as server:
        metadata, answer = talk(server.port)
    assert metadata == {"model": "pi0"}
    assert np.array_equal(answer.actions, np.full((10, 8), 0.25)) and answer.report == {}
    (given,) = seen
    assert sorted(given) == ["mode", "observation/image", "observation/state", "prompt"]
    assert given["observation/image"].shape == (224, 224, 3) and given["observation/image"].dtype == np.uint8
    assert np.array_equal(given["observation/state"], np.arange(8.0)) and given["prompt"] == "pick up the cube"
    assert given["mode"] == "fast"


def test_a_server_of_this_project_is_told_stamp_and_episode() -> None:
    seen: list[dict[Any, Any]] = []
    with openpi_server(lambda given: seen.append(given) or chunk(), {SERVER_KEY: {}}) as server:
        talk(server.port)
    assert (seen[0][STAMP_KEY], seen[0][EPISODE_KEY]) == (5_000_000_000, 3)


def test_the_key_is_shown_and_a_wrong_one_is_named_without_itself() -> None:
    def admit(connection: Any, request: Any) -> Any:
        return None if request.headers.get("Authorization") == "Api-Key right" else connection.respond(401, "no")

    with openpi_server(lambda _: chunk(), process_request=admit) as server:
        assert talk(server.port, "right")
        with pytest.raises(ConnectionLost, match="refuses the key .HTTP 401.; correct remote.api_key_file") as caught:
            talk(server.port, "wr0ng")
    assert "wr0ng" not in str(caught.value)


def test_a_redirect_is_not_followed_with_the_key() -> None:
    seen: list[str] = []

    def redirect(connection: Any, _: Any) -> Any:
        response = connection.respond(302, "")
        response.headers["Location"] = f"ws://127.0.0.1:{thief.port}"
        return response

    def steal(connection: Any, request: Any) -> Any:
        seen.append(request.headers.get("Authorization", ""))

    with (
        openpi_server(lambda _: chunk(), process_request=steal) as thief,
        openpi_server(lambda _: chunk(), process_request=redirect) as server,
        pytest.raises(ConnectionLost, match="answers HTTP 302: it is no websocket server"),
    ):
        talk(server.port, "key")
    assert seen == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Traceback (most recent call last):\n  File x\nKeyError: 'state'\n", "it says: KeyError: 'state'"),
        (b"\xc1 nonsense", "sends what is no message of openpi's protocol"),
        (b"", "sends what is no message of openpi's protocol"),
        ([1, 2], "sends list instead of a map"),
        ({"action": [1.0]}, "its answer has no 'actions' but action; correct remote.action_keys"),
        ({"actions": "left"}, "'actions' of its answer holds no numbers"),
        ({"actions": np.zeros(8, np.float32)}, "'actions' of its answer has the shape (8,)"),
        ({"actions": np.zeros((1, 10, 8), np.float32)}, "'actions' of its answer has the shape (1, 10, 8)"),
        ({"actions": [[1.0, 2.0], [3.0]]}, "'actions' of its answer is no array"),
    ],
)
def test_nonsense_is_named_in_one_line(answer: Any, said: str) -> None:
    with openpi_server(lambda _: answer) as server:
        assert said in fault(server.port)


def test_a_metadata_frame_of_text_is_no_openpi_server() -> None:
    with openpi_server(lambda _: chunk(), "welcome to the chat") as server:
        assert fault(server.port) == "says instead of its metadata: welcome to the chat"


def test_an_http_server_is_named() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found")
        await writer.drain()
        writer.close()

    with raw_server(handle) as server:
        assert fault(server.port) == "answers HTTP 404: it is no websocket server; correct remote.url"


def test_a_server_of_something_else_is_named() -> None:
    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        writer.close()

    with raw_server(handle) as server:
        assert "is no websocket server" in fault(server.port)


def test_more_than_the_limit_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openpi, "MAX_ANSWER_BYTES", 2**20)
    with openpi_server(lambda _: bytes(2**20 + 1)) as server:
        assert fault(server.port) == "sends more than 1 MiB for one chunk"


def test_an_end_with_a_reason_is_told() -> None:
    with openpi_server(lambda _: (_ for _ in ()).throw(RuntimeError("CUDA out of memory"))) as server:
        assert "has ended the connection" in fault(server.port)


def test_a_server_that_answers_byte_by_byte_is_cancelled_in_time() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for byte in b"HTTP/1.1 101 Switching Protocols\r\n" * 100:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.05)

    async def connect() -> None:
        client = OpenpiClient(f"ws://127.0.0.1:{server.port}", LAYOUT, "")
        async with asyncio.timeout(0.5):
            await client.connect()

    with raw_server(handle) as server:
        began_s = time.monotonic()
        with pytest.raises(TimeoutError):
            asyncio.run(connect())
    assert time.monotonic() - began_s < 3.0
