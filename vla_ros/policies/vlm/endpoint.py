"""A model behind an OpenAI-compatible endpoint: vLLM, llama.cpp, Ollama, Gemini and others, by URL.

POST <url>/chat/completions with the images as data: URIs (JPEG), temperature 0, a seed and a JSON schema for the answer.
Only the standard library is used; proxies are not, and no other address is ever called.

Source: OpenAI API reference, "Create chat completion"; docs of vLLM ("OpenAI-compatible server"), llama.cpp (tools/server),
Ollama ("OpenAI compatibility") and Gemini ("OpenAI compatibility").
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vla_ros.parameters import ParameterError
from vla_ros.policies.vlm.asking import VlmRequest, VlmUnavailable, jpeg_of
from vla_ros.policies.vlm.vlm_parameters import VlmParameters

MAX_BODY = 2_000_000
"""Bytes of an answer that are read."""
FIRST_WAIT_S, MAX_WAIT_S = 0.5, 20.0
"""Between tries; doubled from the first to the longest. A server's Retry-After counts up to the longest."""
QUOTED = 200
"""Characters of a server's error that a line repeats."""
PASSING = (408, 409, 425, 429)
"""Statuses below 500 after which asking again helps."""
REASONS = {
    413: "the images are too large; lower vlm.image_size",
    401: "the endpoint refuses the key; see vlm.api_key_file and vlm.api_key_env",
    403: "the endpoint refuses the key; see vlm.api_key_file and vlm.api_key_env",
    404: "there is no such path or model; see vlm.url (it ends in /v1 as a rule) and vlm.model",
}


class VlmEndpoint:
    """Asks a server.

    Args:
        parameters: URL, model, key, timeouts.

    Raises:
        ParameterError: the URL is none, or the key cannot be read.
    """

    def __init__(self, parameters: VlmParameters) -> None:
        try:
            parts = urlsplit(parameters.url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ParameterError(f"vlm.url: {parameters.url!r}: {error}") from None
        if not host or parts.query or parts.fragment or any(map(str.isspace, parameters.url)):
            raise ParameterError(f"vlm.url: expected http://host:port/v1, got {parameters.url!r}")
        if parts.username is not None:
            raise ParameterError("vlm.url: a key does not belong into the URL; see vlm.api_key_file")
        self._parameters, self._host, self._port = parameters, host, port
        self._secure = parts.scheme == "https"
        self._path = f"{parts.path.rstrip('/').removesuffix('/chat/completions')}/chat/completions"
        self._key = read_key(parameters)
        self._with_schema = self._with_seed = True
        self._connection: http.client.HTTPConnection | None = None
        self._closed = threading.Event()

    def answer(self, request: VlmRequest, cancelled: threading.Event) -> str:
        """Return the text of the answer; see `asking.VisionLanguageModel`."""
        wait_s = FIRST_WAIT_S
        for attempt in range(self._parameters.retries + 1):
            try:
                return self._tried(request)
            except VlmUnavailable as error:
                if error.lasting or attempt == self._parameters.retries:
                    raise
                pause_s = min(max(wait_s, getattr(error, "retry_after_s", 0.0)), MAX_WAIT_S)
            wait_s *= 2
            until_s = time.monotonic() + pause_s
            while time.monotonic() < until_s:
                if cancelled.wait(0.05) or self._closed.is_set():
                    raise VlmUnavailable("nobody waits for the answer")
        raise AssertionError("unreachable")

    def close(self) -> None:
        """End a request under way, and send no other."""
        self._closed.set()
        self.interrupt()

    def interrupt(self) -> None:
        """End a request under way."""
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):  # it is over
                connection.sock.shutdown(socket.SHUT_RDWR)

    def _tried(self, request: VlmRequest) -> str:
        """One try. An endpoint that knows no schema or seed is asked again without."""
        status, body, retry_after_s = self._post(self._body(request))
        for flag, words in (
            ("_with_schema", ("response_format", "json_schema", "schema", "grammar")),
            ("_with_seed", ("seed",)),
        ):
            if status in (400, 422) and getattr(self, flag) and any(word in body.lower() for word in words):
                setattr(self, flag, False)
                status, body, retry_after_s = self._post(self._body(request))
        if status == 200:
            return _content(body, self._where)
        lasting = status < 500 and status not in PASSING
        usual = "it redirects; see vlm.url" if status < 400 else "it does not accept the request"
        why = REASONS.get(status, usual if lasting else "it has not answered")
        reason = f"{self._where}: HTTP {status}: {why}: {_error_text(body)}"
        error = VlmUnavailable(self._without_key(reason), lasting)
        error.retry_after_s = retry_after_s  # type: ignore[attr-defined]
        raise error

    @property
    def _where(self) -> str:
        return f"the VLM at {self._parameters.url}"

    def _without_key(self, text: str) -> str:
        """Return a server's words without the key, should it repeat it."""
        return text.replace(self._key, "(key)") if self._key else text

    def _body(self, request: VlmRequest) -> bytes:
        content: list[dict[str, Any]] = []
        for camera, image in request.images.items():
            data = base64.b64encode(jpeg_of(image, self._parameters.image_size)).decode()
            content.append({"type": "text", "text": f"Camera {camera!r}:"})
            content.append({"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}})
        content.append({"type": "text", "text": request.text})
        body: dict[str, Any] = {
            "model": self._parameters.model,
            "messages": [{"role": "user", "content": content}],
            "temperature": 0,
            "max_tokens": self._parameters.max_tokens,
            "stream": False,
        }
        if self._with_seed:
            body["seed"] = self._parameters.seed
        if self._with_schema and request.schema:
            schema = {"name": request.name, "strict": True, "schema": request.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        return json.dumps(body).encode()

    def _post(self, body: bytes) -> tuple[int, str, float]:
        """Return status, body and Retry-After (s, 0: none).

        Raises:
            VlmUnavailable: there is no answer, or one that is too long.
        """
        cls = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        end_s = time.monotonic() + self._parameters.timeout_s
        connection = cls(self._host, self._port, timeout=self._parameters.timeout_s)
        self._connection = connection
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        try:
            connection.request("POST", self._path, body, headers)
            response = connection.getresponse()
            data = _read(response, lambda: end_s - time.monotonic())
            text = data.decode("utf-8", "replace")
            return response.status, text, _seconds(response.headers.get("Retry-After", ""))
        except TimeoutError:
            raise VlmUnavailable(f"{self._where} has not answered within {self._parameters.timeout_s:g} s") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
            named = reason or type(error).__name__
            raise VlmUnavailable(self._without_key(f"{self._where}: {named[:QUOTED]}")) from None
        finally:
            self._connection = None
            connection.close()


def read_key(parameters: VlmParameters) -> str:
    """Return the endpoint's key; empty: none.

    Raises:
        ParameterError: it cannot be read, or is no key. The key itself is in no error.
    """
    if parameters.api_key_env:
        where, text = f"vlm.api_key_env: {parameters.api_key_env}", os.environ.get(parameters.api_key_env, "")
        if not text.strip():
            raise ParameterError(f"{where}: there is no such environment variable, or it is empty")
    elif parameters.api_key_file:
        path = Path(parameters.api_key_file).expanduser()
        where = f"vlm.api_key_file: {path}"
        try:
            text = path.read_text()
        except OSError as error:
            raise ParameterError(f"{where}: {os.strerror(error.errno or 0)}") from None
        except ValueError:
            raise ParameterError(f"{where}: it is no text") from None
    else:
        return ""
    key = text.strip()
    if not key or len(key) > 4096 or not key.isascii() or not key.isprintable() or " " in key:
        raise ParameterError(f"{where}: expected one line with a key")
    return key


def _read(response: http.client.HTTPResponse, left_s: Callable[[], float]) -> bytes:
    """Return a body. A server that sends it slower than `left_s` allows, or too much of it, is refused."""
    data = bytearray()
    while block := response.read1(65536):
        data += block
        if len(data) > MAX_BODY:
            raise ValueError(f"an answer of more than {MAX_BODY} bytes")
        if left_s() < 0:
            raise TimeoutError
    return bytes(data)


def _seconds(text: str) -> float:
    return min(float(text), MAX_WAIT_S) if text.isascii() and text.isdigit() else 0.0


def _content(body: str, where: str) -> str:
    """Return the text of the first choice.

    Raises:
        VlmUnavailable: the body is no chat completion.
    """
    try:
        choice = json.loads(body)["choices"][0]
        content = choice["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise VlmUnavailable(f"{where}: no chat completion: {_error_text(body)}; see vlm.url") from None
    if not isinstance(content, str) or not content.strip():
        reason = choice.get("finish_reason") if isinstance(choice, dict) else None
        why = "; raise vlm.max_tokens" if reason == "length" else ""
        raise VlmUnavailable(f"{where}: an empty answer (finish_reason {reason!r}){why}")
    return content


def _error_text(body: str) -> str:
    """Return what a body says of an error, short and in one line."""
    try:
        tree = json.loads(body)
        tree = tree[0] if isinstance(tree, list) and tree else tree
        error = tree.get("error", tree) if isinstance(tree, dict) else tree
        text = str(error.get("message", error) if isinstance(error, dict) else error)
    except (ValueError, RecursionError):
        text = body
    line = " ".join(text.split())
    return line[:QUOTED] if line else "(empty)"
