"""Connections that never ask, and connections beyond the limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from vla_ros.dashboard.connection_limit import ConnectionLimit

MAXIMUM = 3
TIMEOUT_S = 0.3


def serve(script: Callable[[int, ConnectionLimit], Awaitable[None]]) -> None:
    """Run a script against a server with a limit of MAXIMUM connections; it is given the port and the limit."""

    async def run() -> None:
        async def handle(request: web.BaseRequest) -> web.Response:
            limit.has_request(request.protocol)
            return web.Response(text="here")

        limit = ConnectionLimit(web.Server(handle), MAXIMUM, TIMEOUT_S)
        listener = await asyncio.get_running_loop().create_server(limit, "127.0.0.1", 0)
        await script(listener.sockets[0].getsockname()[1], limit)
        listener.close()

    asyncio.run(asyncio.wait_for(run(), 20.0))


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    answer = await reader.readuntil(b"here")
    return answer[:12]


def test_connections_that_come_at_once_are_counted_exactly() -> None:
    async def script(port: int, limit: ConnectionLimit) -> None:
        made = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", port) for _ in range(10)))
        await asyncio.sleep(0.1)
        assert sum(reader.at_eof() for reader, _ in made) == 10 - MAXIMUM

    serve(script)


def test_a_connection_that_never_asks_is_closed_and_makes_room() -> None:
    async def script(port: int, limit: ConnectionLimit) -> None:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MAXIMUM - 1)]
        asking = await asyncio.open_connection("127.0.0.1", port)
        silent[0][1].write(b"GET / HT")  # half a request is none
        assert await ask(*asking) == b"HTTP/1.1 200"
        await asyncio.sleep(2 * TIMEOUT_S)
        assert all(reader.at_eof() for reader, _ in silent)
        assert await ask(*asking) == b"HTTP/1.1 200"
        assert await ask(*await asyncio.open_connection("127.0.0.1", port)) == b"HTTP/1.1 200"

    serve(script)
