"""A server that speaks the protocol of OpenAI's chat completions, with answers of a script: for tests."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from vla_ros.arrays import Image
from vla_ros.perception.jpeg import decode

MODEL = "stub-vl"


@dataclass(frozen=True)
class Asked:
    """One request: what a server reads of it. images: (H, W, 3) rgb each."""

    text: str
    images: tuple[Image, ...]
    body: dict[str, Any]
    key: str


@dataclass(frozen=True)
class Reply:
    """What comes back. text: of the answer. body: instead of a chat completion, as it stands. delay_s: before it."""

    text: str = ""
    status: int = 200
    body: bytes | None = None
    delay_s: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


class VlmServer:
    """Answers on a free port of this machine, in a thread. Use as a context manager.

    Args:
        script: called with each request that is one; returns the reply.

    Attributes:
        asked: the requests that were answered, oldest first.
    """

    def __init__(self, script: Callable[[Asked], Reply]) -> None:
        self._script = script
        self.asked: list[Asked] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> VlmServer:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        self.url = f"http://127.0.0.1:{self.port}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    async def _start(self) -> int:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return int(self._runner.addresses[0][1])

    async def _complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        try:
            asked = _asked(body, request.headers.get("Authorization", "").removeprefix("Bearer "))
        except (LookupError, TypeError, ValueError) as error:
            return web.json_response({"error": {"message": f"bad request: {error!r}"}}, status=400)
        self.asked.append(asked)
        reply = self._script(asked)
        await asyncio.sleep(reply.delay_s)
        if reply.body is not None:
            return web.Response(body=reply.body, status=reply.status, headers=reply.headers)
        if reply.status != 200:
            error = {"error": {"message": reply.text, "type": "server_error", "code": reply.status}}
            return web.json_response(error, status=reply.status, headers=reply.headers)
        message = {"role": "assistant", "content": reply.text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response({"id": "1", "object": "chat.completion", "model": MODEL, "choices": [choice]})


def plan(*subtasks: str, **words: str) -> Reply:
    """Return a list of subtasks, or question, impossible or finished."""
    entries = [{"do": text, "point": None} for text in subtasks]
    return Reply(json.dumps({"subtasks": entries, "question": "", "impossible": "", "finished": "", **words}))


def check(status: str, reached: str = "", why: str = "") -> Reply:
    """Return a judgement."""
    return Reply(json.dumps({"status": status, "reached": reached, "why": why}))


def name_of(asked: Asked) -> str:
    """Return "plan" or "check"."""
    return "check" if "to do this alone" in asked.text else "plan"


def _asked(body: dict[str, Any], key: str) -> Asked:
    """Check a request as servers do, and take it apart."""
    if body["model"] != MODEL or body["temperature"] != 0 or body["stream"] is not False:
        raise ValueError("model, temperature or stream")
    (message,) = body["messages"]
    if message["role"] != "user":
        raise ValueError("role")
    texts, images = [], []
    for part in message["content"]:
        if part["type"] == "text":
            texts.append(part["text"])
        else:
            head, data = part["image_url"]["url"].split(",")
            if head != "data:image/jpeg;base64":
                raise ValueError(head)
            images.append(decode(base64.b64decode(data, validate=True)))
    if "response_format" in body:
        schema = body["response_format"]["json_schema"]
        if body["response_format"]["type"] != "json_schema" or schema["strict"] is not True:
            raise ValueError("response_format")
        if schema["schema"]["additionalProperties"] is not False:
            raise ValueError("strict schemas allow no other properties")
    return Asked("\n".join(texts), tuple(images), body, key)
