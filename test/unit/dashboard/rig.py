"""A server without a graph, and the requests that tests send to it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable

from vla_ros.dashboard.document import Document
from vla_ros.dashboard.server import DashboardServer

MakeServer = Callable[..., DashboardServer]


def document(number: int) -> Document:
    """Return a document with 100 kB of images."""
    text = json.dumps({"number": number, "filter": {"state": "HOLDING", "reason": "<b>"}}).encode()
    return Document(number, text, b"J" * 100_000, number)


def request(
    server: DashboardServer, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, bytes, dict[str, str]]:
    """Return status, body and headers of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request(method, path, body.encode() if method == "POST" else None, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    return found
