"""The client of LeRobot's asynchronous server, against a gRPC service in this process. LeRobot's own server is asked by
test/models."""

from __future__ import annotations

import asyncio
import pickle
import pickletools
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from test.unit.policies.remote.test_restricted_unpickler import Evil, Instance, pickled, row
from vla_ros.policies.remote import lerobot_wire as wire
from vla_ros.policies.remote.lerobot import LerobotClient
from vla_ros.policies.remote.observation_layout import ObservationLayout, VectorPart
from vla_ros.policies.remote.policy_client import ConnectionLost, PolicyRequest, ServerFault

grpc = pytest.importorskip("grpc")

LAYOUT = ObservationLayout((VectorPart("state", 0),), (VectorPart("action", 0),), "task", {}, (48, 64))
REQUEST = PolicyRequest({"observation.images.front": np.zeros((60, 80, 3), np.uint8)}, np.arange(2.0), "go", 1, 1)


class Service:
    """What the server is told, and what it answers."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.received: list[bytes] = []
        self.answer: Any = None
        self.code: Any = None

    def call(self, name: str, data: bytes, context: Any) -> bytes:
        self.calls.append(name)
        self.received.append(data)
        if self.code is not None and name == "SendPolicyInstructions":
            context.abort(self.code, "Exception calling application: no such folder")
        if name != "GetActions" or self.answer == b"":
            return b""
        step = sum(each == "SendObservations" for each in self.calls)
        rows = [row(np.full(2, 0.5, np.float32), step + k) for k in range(5)] if self.answer is None else self.answer
        return wire.data_message(pickled(rows) if not isinstance(rows, bytes) else rows)


@contextmanager
def lerobot_server(service: Service, name: str = wire.SERVICE) -> Iterator[int]:
    def whole(pieces: Iterator[bytes], context: Any) -> bytes:
        fields = [wire.observation_fields(piece) for piece in pieces]
        assert fields[-1][0] == wire.TRANSFER_END
        return service.call("SendObservations", b"".join(data for _, data in fields), context)

    def unary(method: str) -> Any:
        return grpc.unary_unary_rpc_method_handler(lambda data, context: service.call(method, data, context))

    handlers = {method: unary(method) for method in ("Ready", "SendPolicyInstructions", "GetActions")}
    handlers["SendObservations"] = grpc.stream_unary_rpc_method_handler(whole)
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(name, handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None)


def talk(port: int, requests: int = 1) -> list[Any]:
    async def conversation() -> list[Any]:
        client = LerobotClient(
            f"grpc://127.0.0.1:{port}",
            LAYOUT,
            ("observation.images.front",),
            ("j1", "j2"),
            "act",
            "/models/act",
            "cpu",
            5,
        )
        try:
            async with asyncio.timeout(5.0):
                await client.connect()
                answers = []
                for _ in range(requests):
                    await client.load(REQUEST)
                    answers.append((await client.infer(REQUEST)).actions)
                return answers
        finally:
            await client.close()

    return asyncio.run(conversation())


def test_the_server_is_told_what_to_load_once_and_then_asked() -> None:
    service = Service()
    with lerobot_server(service) as port:
        first, second = talk(port, 2)
    assert np.array_equal(first, np.full((5, 2), 0.5)) and np.array_equal(second, first)
    assert service.calls == ["Ready", "SendPolicyInstructions", *["SendObservations", "GetActions"] * 2]
    named = [
        argument
        for opcode, argument, _ in pickletools.genops(wire.data_field(service.received[1]))
        if opcode.name == "GLOBAL"
    ]
    assert named == ["lerobot.async_inference.helpers RemotePolicyConfig"]
    assert b"/models/act" in service.received[1] and b"observation.images.front" in service.received[1]
    texts = [argument for opcode, argument, _ in pickletools.genops(service.received[2]) if isinstance(argument, str)]
    assert {"front", "j1.pos", "j2.pos", "task", "go"} <= set(texts)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"", "answers no actions; its log says why"),
        ([row(np.zeros(2, np.float32), 900)], "answers observation 900 instead of 1"),
        ([row(np.zeros(2, np.float32), 1), row(np.zeros(3, np.float32), 2)], "sends rows of different widths"),
        ([Instance()], "a pickle whose list holds something else than timed actions"),
        (pickle.dumps([Evil()]), "a pickle that names posix.system, which no list of actions needs"),
        (b"text", "no pickle of actions"),
    ],
)
def test_nonsense_is_named_in_one_line(answer: Any, said: str) -> None:
    service = Service()
    service.answer = answer
    with lerobot_server(service) as port, pytest.raises(ServerFault) as caught:
        talk(port)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_what_it_cannot_load_is_named() -> None:
    service = Service()
    service.code = grpc.StatusCode.UNKNOWN
    with (
        lerobot_server(service) as port,
        pytest.raises(ConnectionLost, match="cannot load act '/models/act': .*no such folder"),
    ):
        talk(port)


def test_nobody_there_and_another_service_are_named() -> None:
    with pytest.raises(ConnectionLost, match="is not there or speaks no gRPC"):
        talk(1)
    with (
        lerobot_server(Service(), "transport.LearnerService") as port,
        pytest.raises(ConnectionLost, match="of another service"),
    ):
        talk(port)
