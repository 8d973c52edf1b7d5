"""The client of GR00T's server, against ZeroMQ sockets in this process that answer as N1.5 and as later versions do."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from vla_ros.policies.remote.groot import GrootClient
from vla_ros.policies.remote.groot_encoding import decode, encode
from vla_ros.policies.remote.observation_layout import ObservationLayout, VectorPart
from vla_ros.policies.remote.policy_client import PolicyRequest, ServerFault

zmq = pytest.importorskip("zmq")

LAYOUT = ObservationLayout(
    (VectorPart("single_arm", 7), VectorPart("gripper", 1)),
    (VectorPart("single_arm", 7), VectorPart("gripper", 1)),
    "annotation.human.task_description",
    {},
)
REQUEST = PolicyRequest({"front": np.zeros((60, 80, 3), np.uint8)}, np.arange(8.0), "pick up the cube", 1, 1)
KEYS = {
    "video": ["front"],
    "state": ["single_arm", "gripper"],
    "action": ["single_arm", "gripper"],
    "language": ["annotation.human.task_description"],
}
Handler = Callable[[dict[str, Any]], Any]


def config(keys: dict[str, list[str]] = KEYS, as_text: bool = False, deltas: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """What get_modality_config answers."""
    found = {}
    for modality, names in keys.items():
        plain = {"delta_indices": list(deltas), "modality_keys": names}
        found[modality] = {"__ModalityConfig_class__": True, "as_json": json.dumps(plain) if as_text else plain}
    return found


@contextmanager
def groot_server(handle: Handler) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """A REP socket. handle: request → answer; bytes are sent as they are. Yields the port and what was asked."""
    context, seen, ending = zmq.Context(), [], threading.Event()
    socket = context.socket(zmq.REP)
    port = socket.bind_to_random_port("tcp://127.0.0.1")

    def serve() -> None:
        while not ending.is_set():
            if not socket.poll(20):
                continue
            request = decode(socket.recv())
            seen.append(request)
            answer = handle(request)
            socket.send(answer if isinstance(answer, bytes) else encode(answer))
        context.destroy(linger=0)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield port, seen
    finally:
        ending.set()
        thread.join(2.0)


def talk(port: int, form: str = "auto", token: str = "", requests: int = 1) -> list[Any]:
    async def conversation() -> list[Any]:
        client = GrootClient(f"tcp://127.0.0.1:{port}", LAYOUT, ("front",), form, token, 10.0)
        try:
            async with asyncio.timeout(3.0):
                return [await client.connect(), *[(await client.infer(REQUEST)).actions for _ in range(requests)]]
        finally:
            await client.close()

    return asyncio.run(conversation())


def later(request: dict[str, Any]) -> Any:
    """N1.6 and N1.7."""
    if request["endpoint"] == "get_modality_config":
        return config()
    if request["endpoint"] == "get_action":
        arm, hand = np.full((1, 40, 7), 0.5, np.float32), np.ones((1, 40, 1), np.float32)
        return [{"single_arm": arm, "gripper": hand}, {}]
    return {"status": "ok"}


def test_nested_observations_with_a_batch_axis() -> None:
    with groot_server(later) as (port, seen):
        metadata, *actions = talk(port, requests=2)
    assert metadata["video keys"] == ["front"]
    assert actions[0].shape == (40, 8) and actions[0][0].tolist() == [0.5] * 7 + [1.0]
    assert [each["endpoint"] for each in seen] == ["ping", "get_modality_config", "reset", "get_action", "get_action"]
    observation = seen[3]["data"]["observation"]
    assert observation["video"]["front"].shape == (1, 1, 60, 80, 3)
    assert observation["state"]["single_arm"].shape == (1, 1, 7) and observation["state"]["gripper"].dtype == np.float32
    assert observation["language"] == {"annotation.human.task_description": [["pick up the cube"]]}
    assert "options" in seen[3]["data"] and "api_token" not in seen[3]


def test_n1_5_takes_the_flat_observation() -> None:
    keys = {
        "video": ["video.front"],
        "state": ["state.single_arm", "state.gripper"],
        "action": ["action.single_arm", "action.gripper"],
        "language": ["annotation.human.task_description"],
    }

    def handle(request: dict[str, Any]) -> Any:
        if request["endpoint"] == "get_modality_config":
            return config(keys, as_text=True)
        if request["endpoint"] == "get_action":
            return {"action.single_arm": np.full((16, 7), 0.5), "action.gripper": np.ones(16)}
        return {"status": "ok"}

    with groot_server(handle) as (port, seen):
        _, actions = talk(port)
    assert actions.shape == (16, 8)
    assert [each["endpoint"] for each in seen] == ["ping", "get_modality_config", "get_action"]
    data = seen[2]["data"]
    assert data["video.front"].shape == (1, 60, 80, 3) and data["state.single_arm"].shape == (1, 7)
    assert data["annotation.human.task_description"] == ["pick up the cube"]


def test_the_wrapper_for_simulations_takes_flat_keys_with_a_batch_axis() -> None:
    def handle(request: dict[str, Any]) -> Any:
        if request["endpoint"] == "get_action":
            return [{"action.single_arm": np.zeros((1, 16, 7)), "action.gripper": np.zeros((1, 16, 1))}, {}]
        return later(request)

    with groot_server(handle) as (port, seen):
        _, actions = talk(port, "simulation")
    assert actions.shape == (16, 8)
    observation = seen[-1]["data"]["observation"]
    assert observation["video.front"].shape == (1, 1, 60, 80, 3)
    assert observation["annotation.human.task_description"] == ["pick up the cube"]


def test_a_model_that_sees_older_images_gets_those_nearest_to_that_time() -> None:
    def handle(request: dict[str, Any]) -> Any:
        return config(deltas=(-3, 0)) if request["endpoint"] == "get_modality_config" else later(request)

    async def conversation() -> None:
        client = GrootClient(f"tcp://127.0.0.1:{port}", LAYOUT, ("front",), "auto", "", 10.0)
        await client.connect()
        for step in range(6):
            images = {"front": np.full((8, 8, 3), step, np.uint8)}
            episode = 1 if step < 5 else 2
            await client.infer(PolicyRequest(images, np.arange(8.0), "go", step * 100_000_000, episode))
        await client.close()

    with groot_server(handle) as (port, seen):
        asyncio.run(conversation())
    videos = [each["data"]["observation"]["video"]["front"] for each in seen if each["endpoint"] == "get_action"]
    assert videos[0].shape == (1, 2, 8, 8, 3)
    assert [video[0, :, 0, 0, 0].tolist() for video in videos] == [[0, 0], [0, 1], [0, 2], [0, 3], [1, 4], [5, 5]]


@pytest.mark.parametrize("deltas", [(0, 1), tuple(range(-40, 1))])
def test_images_that_cannot_be_sent_are_refused(deltas: tuple[int, ...]) -> None:
    def handle(request: dict[str, Any]) -> Any:
        return config(deltas=deltas) if request["endpoint"] == "get_modality_config" else later(request)

    with groot_server(handle) as (port, _), pytest.raises(ServerFault, match="wants images at the steps"):
        talk(port)


def test_the_token_is_sent_and_a_refusal_is_told_without_it() -> None:
    def handle(request: dict[str, Any]) -> Any:
        if request.get("api_token") != "right":
            return {"error": "Unauthorized: Invalid API token"}
        return later(request)

    with groot_server(handle) as (port, _):
        assert talk(port, token="right")[1].shape == (40, 8)
        with pytest.raises(ServerFault, match="says to ping: Unauthorized: Invalid API token") as caught:
            talk(port, token="wr0ng")
    assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize("modality", sorted(KEYS))
def test_another_model_is_told_by_its_keys(modality: str) -> None:
    def handle(request: dict[str, Any]) -> Any:
        return config({**KEYS, modality: ["left_leg"]}) if request["endpoint"] != "ping" else {}

    with groot_server(handle) as (port, _), pytest.raises(ServerFault) as caught:
        talk(port)
    assert f"holds another model: its {modality} keys are left_leg, not {', '.join(KEYS[modality])}" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"ERROR", "answers ERROR to get_action; its log says why"),
        (b"\xc1", "answers get_action with what is no message of GR00T's protocol"),
        ({"error": "KeyError: 'video'"}, "says to get_action: KeyError: 'video'"),
        (["text"], "answers str instead of a map of actions"),
        ([{"single_arm": [1.0]}], "answers list under 'single_arm' instead of an array"),
        ([{"single_arm": np.zeros((1, 4, 7))}], "its answer has no 'gripper' but single_arm"),
        ([{"single_arm": np.zeros((1, 4, 6)), "gripper": np.zeros((1, 4, 1))}], "wanted: rows of 7 values"),
        (
            [{"single_arm": np.zeros((1, 4, 7)), "gripper": np.zeros((1, 5, 1))}],
            "the parts of its actions have 4, 5 rows",
        ),
    ],
)
def test_nonsense_is_named_in_one_line(answer: Any, said: str) -> None:
    def handle(request: dict[str, Any]) -> Any:
        return answer if request["endpoint"] == "get_action" else later(request)

    with groot_server(handle) as (port, _), pytest.raises(ServerFault) as caught:
        talk(port)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_nobody_there_is_cancelled_in_time_and_leaves_nothing_behind() -> None:
    async def conversation() -> None:
        client = GrootClient("tcp://127.0.0.1:1", LAYOUT, ("front",), "auto", "", 10.0)
        try:
            async with asyncio.timeout(0.2):
                await client.connect()
        finally:
            await client.close()

    with pytest.raises(TimeoutError):
        asyncio.run(conversation())
