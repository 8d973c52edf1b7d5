"""The client of OpenVLA's and OFT's `/act`, against servers in this process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from test.unit.policies.remote.websocket_server import ThreadedServer, raw_server
from vla_ros.policies.remote import openvla
from vla_ros.policies.remote.numpy_json import dumps, loads
from vla_ros.policies.remote.observation_layout import ObservationLayout, VectorPart
from vla_ros.policies.remote.openvla import OpenvlaClient
from vla_ros.policies.remote.policy_client import PolicyRequest, ServerFault

LAYOUT = ObservationLayout((), (VectorPart("action", 0),), "instruction", {"unnorm_key": "bridge_orig"}, (224, 224))
OFT = ObservationLayout((VectorPart("state", 0),), (VectorPart("action", 0),), "instruction", {})
IMAGE = np.full((240, 320, 3), 9, np.uint8)
REQUEST = PolicyRequest({"image": IMAGE}, None, "pick up the cube", 1, 1)


def act_server(answer: Callable[[Any], web.StreamResponse]) -> ThreadedServer:
    """A server with `POST /act`. answer: message → response."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return answer(loads(await request.read()))

    async def start(port: int) -> Any:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/act", handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        return site._server

    return ThreadedServer(start)


def ask(port: int, layout: ObservationLayout = LAYOUT, request: PolicyRequest = REQUEST, key: str = "") -> Any:
    async def conversation() -> Any:
        client = OpenvlaClient(f"http://127.0.0.1:{port}/act", layout, key)
        try:
            async with asyncio.timeout(5.0):
                await client.connect()
                return (await client.infer(request)).actions
        finally:
            await client.close()

    return asyncio.run(conversation())


def test_openvla_answers_one_action() -> None:
    seen: list[Any] = []

    def answer(message: Any) -> web.StreamResponse:
        seen.append(message)
        return web.Response(body=dumps(np.arange(7.0)), content_type="application/json")

    server = act_server(answer)
    assert np.array_equal(ask(server.port), [np.arange(7.0)])
    server.stop()
    (message,) = seen
    assert sorted(message) == ["image", "instruction", "unnorm_key"] and message["unnorm_key"] == "bridge_orig"
    assert message["image"].shape == (224, 224, 3) and message["image"].dtype == np.uint8


def test_oft_takes_several_images_and_the_state_and_answers_a_list() -> None:
    seen: list[Any] = []

    def answer(message: Any) -> web.StreamResponse:
        seen.append(message)
        return web.Response(body=dumps([np.arange(7.0) + row for row in range(8)]), content_type="application/json")

    server = act_server(answer)
    request = PolicyRequest({"full_image": IMAGE, "left_wrist_image": IMAGE}, np.arange(8.0), "go", 1, 1)
    actions = ask(server.port, OFT, request)
    server.stop()
    assert actions.shape == (8, 7) and actions[3, 0] == 3.0
    assert sorted(seen[0]) == ["full_image", "instruction", "left_wrist_image", "state"]
    assert np.array_equal(seen[0]["state"], np.arange(8.0))


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        (json.dumps([0.5] * 7), [[0.5] * 7]),
        (json.dumps([[0.5] * 7] * 3), [[0.5] * 7] * 3),
        (json.dumps(dumps(np.zeros(7)).decode()), [[0.0] * 7]),
        (json.dumps({"action": [[0.5] * 7]}), [[0.5] * 7]),
    ],
)
def test_plain_lists_double_encoding_and_maps_are_read(text: str, actions: Any) -> None:
    server = act_server(lambda _: web.Response(text=text))
    assert np.array_equal(ask(server.port), actions)
    server.stop()


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ({"text": '"error"'}, 'answers "error"; its log says why'),
        ({"text": "<html>busy</html>"}, "answers what is no JSON of actions"),
        ({"text": ""}, "answers what is no JSON of actions"),
        ({"text": "null"}, "answers NoneType instead of numbers"),
        ({"text": "[[1, 2], [3]]"}, "answers rows of different widths"),
        ({"text": '["a"]'}, "answers list instead of numbers"),
        ({"text": "{}"}, "its answer has no 'action' but nothing"),
        ({"text": "a\nb: failed", "status": 500}, "answers HTTP 500: b: failed"),
        ({"text": "", "status": 302, "headers": {"Location": "http://example.invalid/"}}, "answers HTTP 302: nothing"),
    ],
)
def test_nonsense_is_named_in_one_line(response: dict[str, Any], said: str) -> None:
    server = act_server(lambda _: web.Response(**response))
    with pytest.raises(ServerFault) as caught:
        ask(server.port)
    server.stop()
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_more_than_the_limit_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvla, "MAX_ANSWER_BYTES", 2**20)
    server = act_server(lambda _: web.Response(body=bytes(2**20 + 1)))
    with pytest.raises(ServerFault, match="sends more than 1 MiB for one answer"):
        ask(server.port)
    server.stop()


def test_nobody_there_is_an_error_of_the_system() -> None:
    server = act_server(lambda _: web.Response())
    server.stop()
    with pytest.raises(OSError):
        ask(server.port)


def test_a_server_that_ends_in_the_middle_is_named() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n[[0.5")
        await writer.drain()
        writer.close()

    with raw_server(handle) as server, pytest.raises(ServerFault, match="speaks no HTTP, or ends in the middle"):
        ask(server.port)


def test_a_server_of_something_else_is_named() -> None:
    async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        writer.close()

    with raw_server(handle) as server, pytest.raises(ServerFault, match="speaks no HTTP"):
        ask(server.port)
