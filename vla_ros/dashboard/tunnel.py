"""Passes the bytes of a WebSocket between a browser and a server on this machine."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterable

CHUNK = 65536


def tunnel(browser: socket.socket, port: int, headers: Iterable[tuple[str, str]], patience_s: float) -> None:
    """Open a connection to a local server with the browser's own handshake and pass on what both say, until one ends.

    Args:
        browser: where the handshake was read from; its headers are not answered yet.
        port: of the server on 127.0.0.1.
        headers: of the handshake, without secrets.
        patience_s: a side that takes nothing for so long is gone, and so is the connection.
    """
    lines = ["GET / HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    with socket.create_connection(("127.0.0.1", port), patience_s) as server:
        server.sendall("\r\n".join(lines).encode("latin-1"))
        other = {browser: server, server: browser}
        for end in other:
            end.settimeout(patience_s)
        while True:
            ready, _, _ = select.select([browser, server], [], [])
            for end in ready:
                data = end.recv(CHUNK)
                if not data:
                    return
                other[end].sendall(data)
