"""Policy servers in a thread of the test: what a healthy one does, and what a broken one may do instead."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from websockets.asyncio.server import serve

from vla_ros.policies.remote.openpi_encoding import decode, encode

Reply = Callable[[dict[Any, Any]], Any]


class ThreadedServer:
    """Runs one coroutine that serves, in a loop of its own; `stop` ends it at once, as a crash would.

    Attributes:
        port: that it listens on.
    """

    def __init__(self, start: Callable[[int], Coroutine[Any, Any, Any]], port: int = 0) -> None:
        self._loop = asyncio.new_event_loop()
        self._start, self.port = start, port
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10.0)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(self._start(self.port))
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    @property
    def connections(self) -> list[Any]:
        """Those that are open."""
        return list(self._server.connections)

    def stop(self) -> None:
        """End it: connections break."""

        def end() -> None:
            for connection in list(getattr(self._server, "connections", ())):
                connection.transport.abort()
            self._server.close()
            self._loop.call_later(0.1, self._loop.stop)

        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(end)
            self._thread.join(5.0)


@contextmanager
def openpi_server(reply: Reply, metadata: Any = None, port: int = 0, **options: Any) -> Iterator[ThreadedServer]:
    """A server that speaks openpi's protocol. reply: observation → message; text is sent as text, bytes as they are."""

    async def handle(connection: Any) -> None:
        first = {} if metadata is None else metadata
        await connection.send(first if isinstance(first, str | bytes) else encode(first))
        async for message in connection:
            answer = reply(decode(message))
            if asyncio.iscoroutine(answer):
                answer = await answer
            await connection.send(answer if isinstance(answer, str | bytes) else encode(answer))

    async def start(at: int) -> Any:
        return await serve(handle, "127.0.0.1", at, compression=None, max_size=None, ping_interval=None, **options)

    server = ThreadedServer(start, port)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def raw_server(handle: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]) -> Iterator[ThreadedServer]:
    """A server of plain TCP."""

    async def start(at: int) -> Any:
        return await asyncio.start_server(handle, "127.0.0.1", at)

    server = ThreadedServer(start)
    try:
        yield server
    finally:
        server.stop()


def chunk(rows: int = 10, width: int = 8, value: float = 0.25) -> dict[str, Any]:
    """A healthy answer."""
    return {"actions": np.full((rows, width), value, np.float32), "server_timing": {"infer_ms": 1.0}}
