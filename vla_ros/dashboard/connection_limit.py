"""Bounds what connections may hold: their number, and how long one may be open without a request."""

from __future__ import annotations

import asyncio

from aiohttp import web


class ConnectionLimit:
    """Makes the protocol of each new connection, for `loop.create_server`.

    aiohttp closes a connection that is idle after a request, but neither one that has never sent a request nor one
    too many; both are closed here.

    Args:
        server: of aiohttp, which serves the connections.
        maximum: connections at a time; further ones are closed at once.
        timeout_s: for the first request, s.
    """

    def __init__(self, server: web.Server, maximum: int, timeout_s: float) -> None:
        self._server, self._maximum, self._timeout_s = server, maximum, timeout_s
        self._starting = 0  # accepted, but not yet among server.connections
        self._timers: dict[asyncio.BaseProtocol, asyncio.TimerHandle] = {}

    def __call__(self) -> asyncio.BaseProtocol:
        """Return the protocol of a connection that has just been accepted."""
        if len(self._server.connections) + self._starting >= self._maximum:
            return RefusedConnection()
        loop = asyncio.get_running_loop()
        connection = self._server()
        self._starting += 1
        # asyncio queues connection_made right behind this, so that each connection counts exactly once.
        loop.call_soon(self._started)
        self._timers[connection] = loop.call_later(self._timeout_s, self._close, connection)
        return connection

    def has_request(self, connection: asyncio.BaseProtocol) -> None:
        """Note that a connection has sent a request: from now on aiohttp's own timeout holds."""
        timer = self._timers.pop(connection, None)
        if timer is not None:
            timer.cancel()

    def _started(self) -> None:
        self._starting -= 1

    def _close(self, connection: web.RequestHandler) -> None:
        del self._timers[connection]
        connection.force_close()


class RefusedConnection(asyncio.Protocol):
    """Closes its connection at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Drop the connection without an answer."""
        transport.close()
