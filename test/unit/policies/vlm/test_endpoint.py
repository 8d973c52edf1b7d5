"""The client of an OpenAI-compatible endpoint: what it sends, and that whatever a server does is an answer or one line."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from test.unit.policies.vlm.vlm_server import MODEL, Asked, Reply, VlmServer
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.vlm import endpoint
from vla_ros.policies.vlm.answers import PLAN_SCHEMA
from vla_ros.policies.vlm.asking import VlmRequest, VlmUnavailable
from vla_ros.policies.vlm.endpoint import VlmEndpoint
from vla_ros.policies.vlm.vlm_parameters import VlmParameters

KEY = "sk-secret-7"
REQUEST = VlmRequest("what is there?", {"front": np.full((48, 96, 3), (200, 10, 10), np.uint8)}, PLAN_SCHEMA, "plan")


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "FIRST_WAIT_S", 0.01)


@pytest.fixture
def serve() -> Iterator[Callable[..., VlmServer]]:
    servers: list[VlmServer] = []

    def start(script: Callable[[Asked], Reply]) -> VlmServer:
        servers.append(VlmServer(script).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__()


def client(url: str, **options: Any) -> VlmEndpoint:
    return VlmEndpoint(from_mapping(VlmParameters, {"url": url, "model": MODEL, "timeout_s": 5.0, **options}, "vlm."))


def ask(url: str, **options: Any) -> str:
    return client(url, **options).answer(REQUEST, threading.Event())


def refused(url: str, **options: Any) -> VlmUnavailable:
    """Return the error of a request; it is one line without the key."""
    with pytest.raises(VlmUnavailable) as error:
        ask(url, **options)
    assert "\n" not in str(error.value) and KEY not in str(error.value)
    return error.value


def test_a_server_gets_prompt_image_schema_seed_and_key(serve: Callable[..., VlmServer], tmp_path: Path) -> None:
    server = serve(lambda asked: Reply("yes"))
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert ask(server.url, api_key_file=str(tmp_path / "key"), image_size=64, seed=5) == "yes"
    (asked,) = server.asked
    assert asked.text == "Camera 'front':\nwhat is there?"
    assert asked.key == KEY
    assert asked.images[0].shape == (32, 64, 3)
    assert asked.images[0].mean((0, 1)) == pytest.approx((200, 10, 10), abs=6)
    assert asked.body["seed"] == 5
    assert asked.body["response_format"]["json_schema"]["schema"] == PLAN_SCHEMA


def test_the_key_may_stand_in_the_environment(serve: Callable[..., VlmServer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLM_KEY", KEY)
    server = serve(lambda asked: Reply("yes"))
    ask(server.url, api_key_env="VLM_KEY")
    assert server.asked[0].key == KEY


@pytest.mark.parametrize("url", ["", "/", "/chat/completions"])
def test_the_url_may_end_in_several_ways(serve: Callable[..., VlmServer], url: str) -> None:
    assert ask(serve(lambda asked: Reply("yes")).url + url) == "yes"


def test_a_server_without_schemas_or_seeds_is_asked_without(serve: Callable[..., VlmServer]) -> None:
    def script(asked: Asked) -> Reply:
        for name in ("response_format", "seed"):
            if name in asked.body:
                return Reply(f"unknown field {name!r}", 400)
        return Reply("plain")

    server = serve(script)
    model = client(server.url)
    assert model.answer(REQUEST, threading.Event()) == "plain"
    assert model.answer(REQUEST, threading.Event()) == "plain"
    assert len(server.asked) == 4  # the second time it is known


def test_a_server_that_is_overloaded_is_asked_again(serve: Callable[..., VlmServer]) -> None:
    replies = [Reply("slow down", 429, headers={"Retry-After": "1"}), Reply("oh", 500), Reply("yes")]
    server = serve(lambda asked: replies.pop(0))
    began_s = time.monotonic()
    assert ask(server.url, retries=2) == "yes"
    assert time.monotonic() - began_s >= 1.0


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_that_stays_overloaded_is_one_line(serve: Callable[..., VlmServer], status: int) -> None:
    server = serve(lambda asked: Reply("out of\nmemory", status))
    error = refused(server.url, retries=2)
    assert f"HTTP {status}" in str(error) and "out of memory" in str(error)
    assert not error.lasting
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "vlm.api_key_file"),
        (403, "key"),
        (404, "vlm.model"),
        (400, "accept"),
        (422, "accept"),
        (405, "accept"),
        (413, "vlm.image_size"),
        (302, "it redirects; see vlm.url"),
    ],
)
def test_what_asking_again_does_not_mend_is_said_at_once(
    serve: Callable[..., VlmServer], monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    monkeypatch.setenv("VLM_KEY", KEY)
    server = serve(lambda asked: Reply(f"not with {asked.key}", status))
    error = refused(server.url, api_key_env="VLM_KEY", retries=5)
    assert error.lasting and words in str(error) and "(key)" in str(error)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<html>nginx</html>",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": {}}]}',
        b'{"choices": [{"message": {"content": null}, "finish_reason": "length"}]}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": {"0": 1}}',
        b"[" * 100_000,
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_chat_completion_is_one_line(serve: Callable[..., VlmServer], body: bytes) -> None:
    error = str(refused(serve(lambda asked: Reply(body=body)).url, retries=0))
    assert "no chat completion" in error or "an empty answer" in error


def test_an_answer_that_was_cut_off_names_the_parameter(serve: Callable[..., VlmServer]) -> None:
    body = json.dumps({"choices": [{"message": {"content": ""}, "finish_reason": "length"}]}).encode()
    assert "vlm.max_tokens" in str(refused(serve(lambda asked: Reply(body=body)).url, retries=0))


def test_a_huge_answer_is_not_read(serve: Callable[..., VlmServer]) -> None:
    body = b'{"a": "' + b"x" * 30_000_000 + b'"}'
    assert "more than" in str(refused(serve(lambda asked: Reply(body=body)).url, retries=0))


def test_a_slow_server_is_not_waited_for(serve: Callable[..., VlmServer]) -> None:
    server = serve(lambda asked: Reply("late", delay_s=20.0))
    began_s = time.monotonic()
    assert "within 0.3 s" in str(refused(server.url, timeout_s=0.3, retries=1))
    assert time.monotonic() - began_s < 5.0


def test_a_server_that_drips_is_not_waited_for_longer() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(50):
            try:
                connection.sendall(b"x")
            except OSError:
                return
            time.sleep(0.1)

    threading.Thread(target=drip, daemon=True).start()
    began_s = time.monotonic()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    assert "within 0.5 s" in str(refused(url, timeout_s=0.5, retries=0))
    assert time.monotonic() - began_s < 3.0
    listener.close()


def test_no_server_and_a_server_of_another_protocol_are_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]
    assert "Connection refused" in str(refused(f"http://127.0.0.1:{free}/v1", retries=1))
    listener = socket.create_server(("127.0.0.1", 0))

    def speak() -> None:
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(b"220 smtp ready\r\n")
        connection.close()

    threading.Thread(target=speak, daemon=True).start()
    assert "220 smtp" in str(refused(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", retries=0))
    listener.close()
    assert "the VLM at" in str(refused("https://127.0.0.1:1/v1", retries=0))


def test_a_request_ends_when_nobody_waits_for_it(serve: Callable[..., VlmServer]) -> None:
    model = client(serve(lambda asked: Reply("late", delay_s=20.0)).url, timeout_s=30.0, retries=3)
    ended: list[str] = []

    def work() -> None:
        try:
            model.answer(REQUEST, threading.Event())
        except VlmUnavailable as error:
            ended.append(str(error))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    time.sleep(0.4)
    model.close()
    thread.join(5.0)
    assert len(ended) == 1


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"url": "http://"}, "vlm.url: expected"),
        ({"url": "http://host:99999/v1"}, "vlm.url"),
        ({"url": "http://host/v1?key=1"}, "vlm.url: expected"),
        ({"url": "http://me:secret@host/v1"}, "a key does not belong into the URL"),
        ({"api_key_file": "/nowhere/key"}, "vlm.api_key_file: /nowhere/key: No such file"),
        ({"api_key_env": "NO_SUCH_VARIABLE"}, "no such environment variable"),
        ({"api_key_file": "{two_lines}"}, "expected one line with a key"),
        ({"api_key_file": "{bytes}"}, "it is no text"),
    ],
)
def test_a_url_or_key_that_is_none_is_refused(tmp_path: Path, options: dict[str, Any], text: str) -> None:
    (tmp_path / "two_lines").write_text("one\ntwo\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xfd")
    files = {name: str(tmp_path / name) for name in ("two_lines", "bytes")}
    filled = {key: value.format(**files) for key, value in options.items()}
    with pytest.raises(ParameterError, match=text) as error:
        client(**{"url": "http://localhost/v1", **filled})
    assert "\n" not in str(error.value) and "secret" not in str(error.value)
