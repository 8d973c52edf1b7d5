"""A connection that is kept: nobody waits for it, back-off, jitter, and it comes back by itself."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from vla_ros.policies.remote import server_connection
from vla_ros.policies.remote.policy_client import ConnectionLost, PolicyAnswer, PolicyRequest, ServerFault
from vla_ros.policies.remote.server_connection import MAX_BACK_OFF_S, ServerConnection, back_off_s, fault_of

REQUEST = PolicyRequest({}, None, "run", 1, 1)


class FakeClient:
    """Does what the test says."""

    def __init__(self) -> None:
        self.connecting: Callable[[], Any] = dict
        self.answering: Callable[[], Any] = lambda: PolicyAnswer(np.zeros((1, 1)))
        self.connects = self.closes = 0
        self.ended: asyncio.Event | None = None

    async def connect(self) -> Mapping[str, Any]:
        self.connects += 1
        self.ended = asyncio.Event()
        found = self.connecting()
        return dict(await found if asyncio.iscoroutine(found) else found)

    async def infer(self, request: PolicyRequest) -> PolicyAnswer:
        found = self.answering()
        answer: PolicyAnswer = await found if asyncio.iscoroutine(found) else found
        return answer

    async def wait_lost(self) -> None:
        assert self.ended is not None
        await self.ended.wait()

    async def close(self) -> None:
        self.closes += 1


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def make(client: FakeClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ServerConnection]]:
    monkeypatch.setattr(server_connection, "FIRST_BACK_OFF_S", 0.02)
    made: list[ServerConnection] = []

    def connection(**options: Any) -> ServerConnection:
        given = {"timeout_s": 0.3, "connect_timeout_s": 0.3, "accept": lambda _: "", **options}
        made.append(ServerConnection(client, **given))
        return made[-1]

    yield connection
    for each in made:
        each.close()


def until(true: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 10.0
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.005)


def raising(error: Exception) -> Callable[[], Any]:
    def fail() -> Any:
        raise error

    return fail


def test_an_answer_comes_back(client: FakeClient, make: Callable[..., ServerConnection]) -> None:
    connection = make()
    until(lambda: not connection.fault)
    assert connection.ask(REQUEST).actions.shape == (1, 1)


def test_who_asks_never_waits_for_a_connection(client: FakeClient, make: Callable[..., ServerConnection]) -> None:
    client.connecting = lambda: asyncio.sleep(60.0)
    connection = make(connect_timeout_s=30.0)
    began_s = time.monotonic()
    with pytest.raises(ConnectionLost, match="is being connected to"):
        connection.ask(REQUEST)
    assert time.monotonic() - began_s < 0.2


def test_a_server_that_hangs_costs_one_time_out_and_then_nothing(
    client: FakeClient, make: Callable[..., ServerConnection]
) -> None:
    connection = make()
    until(lambda: not connection.fault)
    client.answering, client.connecting = lambda: asyncio.sleep(60.0), lambda: asyncio.sleep(60.0)
    began_s = time.monotonic()
    with pytest.raises(ServerFault, match="has not answered within 0.3 s"):
        connection.ask(REQUEST)
    assert 0.25 < time.monotonic() - began_s < 0.9
    began_s = time.monotonic()
    for _ in range(5):
        with pytest.raises(ServerFault, match="has not answered for 0"):
            connection.ask(REQUEST)
    assert time.monotonic() - began_s < 0.2


def test_a_server_that_stays_silent_is_connected_to_anew(
    client: FakeClient, make: Callable[..., ServerConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_connection, "SILENT_S", 0.2)
    connection = make()
    until(lambda: not connection.fault)
    client.answering = lambda: asyncio.sleep(60.0)
    with pytest.raises(ServerFault):
        connection.ask(REQUEST)
    until(lambda: connection.connections == 2)
    client.answering = lambda: PolicyAnswer(np.ones((1, 1)))
    assert connection.ask(REQUEST).actions[0, 0] == 1.0


def test_what_comes_too_late_is_nobodys_answer_and_the_connection_goes_on(
    client: FakeClient, make: Callable[..., ServerConnection]
) -> None:
    async def slowly() -> PolicyAnswer:
        await asyncio.sleep(0.6)
        return PolicyAnswer(np.full((1, 1), 1.0))

    connection = make()
    until(lambda: not connection.fault)
    client.answering = slowly
    with pytest.raises(ServerFault, match="has not answered within"):
        connection.ask(REQUEST)
    client.answering = lambda: PolicyAnswer(np.full((1, 1), 2.0))
    until(lambda: connection._late is None)
    assert connection.ask(REQUEST).actions[0, 0] == 2.0
    assert connection.connections == 1


def test_a_fault_that_comes_too_late_is_handled_as_one_in_time(
    client: FakeClient, make: Callable[..., ServerConnection]
) -> None:
    async def die() -> PolicyAnswer:
        await asyncio.sleep(0.5)
        raise ConnectionResetError(104, "Connection reset by peer")

    connection = make()
    until(lambda: not connection.fault)
    client.answering = die
    with pytest.raises(ServerFault):
        connection.ask(REQUEST)
    until(lambda: connection.connections == 2)


def test_it_comes_back_by_itself(client: FakeClient, make: Callable[..., ServerConnection]) -> None:
    client.connecting = raising(ConnectionRefusedError())
    connection = make()
    until(lambda: client.connects > 3)
    assert connection.fault == "refuses the connection; start it, or correct remote.url"
    client.connecting = dict
    until(lambda: not connection.fault)
    assert connection.ask(REQUEST).actions.shape == (1, 1)
    assert client.closes >= client.connects - 1


def test_an_end_between_requests_is_noticed(client: FakeClient, make: Callable[..., ServerConnection]) -> None:
    connection = make()
    until(lambda: not connection.fault)
    assert client.ended is not None
    connection._loop.call_soon_threadsafe(client.ended.set)
    until(lambda: connection.connections == 2)
    assert connection.ask(REQUEST)


def test_a_fault_in_an_answer_keeps_the_connection(client: FakeClient, make: Callable[..., ServerConnection]) -> None:
    connection = make()
    until(lambda: not connection.fault)
    client.answering = raising(ServerFault("it says: no"))
    with pytest.raises(ServerFault, match="it says: no"):
        connection.ask(REQUEST)
    assert (connection.fault, connection.connections) == ("", 1)


@pytest.mark.parametrize("error", [ConnectionLost("gone"), OSError(104, "Connection reset by peer"), KeyError("x")])
def test_what_a_library_raises_ends_the_connection(
    client: FakeClient, make: Callable[..., ServerConnection], error: Exception
) -> None:
    connection = make()
    until(lambda: not connection.fault)
    client.answering = raising(error)
    with pytest.raises(ConnectionLost):
        connection.ask(REQUEST)
    until(lambda: connection.connections == 2)


def test_another_model_is_refused_and_asked_again(client: FakeClient, make: Callable[..., ServerConnection]) -> None:
    client.connecting = lambda: {"model": "other"}
    connection = make(accept=lambda told: "" if told["model"] == "meant" else "holds another model")
    until(lambda: client.connects > 2)
    assert connection.fault == "holds another model"
    client.connecting = lambda: {"model": "meant"}
    until(lambda: not connection.fault)


def test_a_model_is_loaded_first_and_who_asks_meanwhile_is_told(
    client: FakeClient, make: Callable[..., ServerConnection]
) -> None:
    connection = make(load=lambda _: asyncio.sleep(0.3), load_timeout_s=5.0)
    until(lambda: not connection.fault)
    with pytest.raises(ServerFault, match="loads its model"):
        connection.ask(REQUEST)
    time.sleep(0.5)
    assert connection.ask(REQUEST)


def test_a_model_that_is_not_loaded_in_time_is_given_up(
    client: FakeClient, make: Callable[..., ServerConnection]
) -> None:
    connection = make(load=lambda _: asyncio.sleep(60.0), load_timeout_s=0.1)
    until(lambda: not connection.fault)
    with pytest.raises(ServerFault, match="loads its model"):
        connection.ask(REQUEST)
    until(lambda: connection.connections == 2)


def test_back_off_doubles_up_to_a_bound_and_differs_by_seed() -> None:
    for seed in range(50):
        waits = [back_off_s(attempt, random.Random(seed)) for attempt in range(40)]
        assert all(0.0 < wait <= MAX_BACK_OFF_S for wait in waits) and waits[-1] >= MAX_BACK_OFF_S / 2
        assert waits == [back_off_s(attempt, random.Random(seed)) for attempt in range(40)]
    assert len({back_off_s(3, random.Random(seed)) for seed in range(50)}) == 50


def test_a_fault_is_one_line_with_a_remedy() -> None:
    assert fault_of(OSError(-2, "Name or service not known")) == (
        "cannot be reached (Name or service not known); start it, or correct remote.url"
    )
    assert "\n" not in fault_of(RuntimeError("a\nb"))
