"""Keeps a client connected: in a thread of its own, with time-outs, back-off, and one line that says why it is not.

Whoever asks waits for the answer to its request, `timeout_s` at most, and never for a connection: while there is none it is
told so at once. What comes later than that is thrown away, and until it has come nothing else is asked: a server that
is slow once keeps its connection and its state. One that stays silent is connected to anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as NotYet
from typing import Any

from vla_ros.policies.remote.policy_client import (
    ConnectionLost,
    PolicyAnswer,
    PolicyClient,
    PolicyRequest,
    ServerFault,
    quoted,
)

FIRST_BACK_OFF_S, MAX_BACK_OFF_S = 0.25, 5.0
CLOSE_S = 1.0
"""So long a connection may take to close."""
GRACE_S = 0.25
"""An answer may come so much after its time-out: the thread has to notice it."""
SILENT_S = 10.0
"""A server that has owed an answer for so long is connected to anew."""


def back_off_s(attempt: int, rng: random.Random) -> float:
    """Return how long to wait before the next attempt: it doubles up to MAX_BACK_OFF_S, less up to half, by chance.

    Args:
        attempt: number of failures in a row, from 0. rng: robots that lost one server do not all come back at once.
    """
    longest = min(MAX_BACK_OFF_S, FIRST_BACK_OFF_S * 2.0 ** min(attempt, 16))
    return longest * (1.0 - 0.5 * rng.random())


class ServerConnection:
    """A client that is kept connected.

    Args:
        client: speaks the protocol; used in the thread of this object alone.
        timeout_s: an answer may take so long.
        connect_timeout_s: connecting may take so long.
        accept: given what the server says of its model; returns why it is not the one meant, or "".
        seed: of the jitter of the back-off.
        load: makes the server load a model, before the first request; None: it has one.
        load_timeout_s: that may take so long.

    Attributes:
        fault: why there is no connection, in words; empty: there is one.
        connections: number of times that the connection was made.
    """

    def __init__(
        self,
        client: PolicyClient,
        timeout_s: float,
        connect_timeout_s: float,
        accept: Callable[[Mapping[str, Any]], str],
        seed: int = 0,
        load: Callable[[PolicyRequest], Any] | None = None,
        load_timeout_s: float = 0.0,
    ) -> None:
        self._client, self._accept = client, accept
        self._timeout_s, self._connect_timeout_s = timeout_s, connect_timeout_s
        self._load, self._load_timeout_s = load, load_timeout_s
        self._rng = random.Random(seed)
        self._failures = 0
        self.fault = "is being connected to"
        self.connections = 0
        self._loading: asyncio.Future[None] | None = None
        self._late: asyncio.Future[None] | None = None  # waits for an answer that nobody waits for any more
        self._asked_s = 0.0
        self._closing = False
        self._lost: asyncio.Event | None = None
        self._loop = asyncio.new_event_loop()
        self._keeper: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="policy server", daemon=True)
        self._thread.start()

    def ask(self, request: PolicyRequest) -> PolicyAnswer:
        """Return the answer to a request.

        Raises:
            ServerFault: there is no connection, or no answer, or not in time, or it is nonsense.
        """
        if self.fault:
            raise ConnectionLost(self.fault)
        if self._late is not None:
            raise ServerFault(f"has not answered for {time.monotonic() - self._asked_s:.1f} s")
        asked = asyncio.run_coroutine_threadsafe(self._ask(request), self._loop)
        try:
            return asked.result(self._timeout_s + GRACE_S)
        except (NotYet, CancelledError):
            asked.cancel()
            raise ServerFault(self.fault or self._silent()) from None

    def close(self) -> None:
        """End the connection and the thread."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon_threadsafe(lambda: self._keeper and self._keeper.cancel())
            if threading.current_thread() is not self._thread:
                self._thread.join(2 * CLOSE_S)

    # In the thread.

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._keeper = self._loop.create_task(self._keep())
        with contextlib.suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._keeper)
        self.fault = "is closed"
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def _keep(self) -> None:
        """Connect, wait until the connection is lost, and again."""
        try:
            while True:
                await self._connected()
                await asyncio.sleep(back_off_s(self._failures, self._rng))
                self._failures += 1
        finally:
            await self._disconnect()

    async def _connected(self) -> None:
        """Be connected as long as it lasts."""
        self._lost = asyncio.Event()
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                wrong = self._accept(await self._client.connect())
            if wrong:
                raise ServerFault(wrong)
        except TimeoutError:
            self.fault = f"does not answer within {self._connect_timeout_s:g} s; start it, or correct remote.url"
        except Exception as error:  # whatever a library makes of what a stranger sends
            self.fault = fault_of(error)
        else:
            self.fault = ""
            self.connections += 1
            ended = [asyncio.ensure_future(self._lost.wait()), asyncio.ensure_future(self._client.wait_lost())]
            try:
                await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for each in ended:
                    each.cancel()
            self.fault = self.fault or "has ended the connection"
        await self._disconnect()

    async def _disconnect(self) -> None:
        waiting = [each for each in (self._loading, self._late) if each is not None]
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        self._loading = self._late = None
        with contextlib.suppress(Exception):
            async with asyncio.timeout(CLOSE_S):
                await self._client.close()

    async def _ask(self, request: PolicyRequest) -> PolicyAnswer:
        if self._load is not None:
            self._load_model(request)
        self._asked_s = time.monotonic()
        answering = asyncio.ensure_future(self._client.infer(request))
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await asyncio.shield(answering)
        except (TimeoutError, asyncio.CancelledError):
            self._late = asyncio.ensure_future(self._wait_late(answering))
            raise ServerFault(self._silent()) from None
        except Exception as error:
            self._lose_by(error)
            raise error if isinstance(error, ServerFault) else ConnectionLost(fault_of(error)) from None
        self._failures = 0
        return answer

    async def _wait_late(self, answering: asyncio.Future[PolicyAnswer]) -> None:
        """Wait for an answer that comes too late, so that it is not taken for another one's."""
        try:
            async with asyncio.timeout(SILENT_S):
                await answering
        except TimeoutError:
            self._lose(f"has not answered within {SILENT_S:g} s")
        except Exception as error:
            self._lose_by(error)
        finally:
            answering.cancel()
            self._late = None

    def _lose_by(self, error: Exception) -> None:
        """A request has failed: by a fault in an answer the connection goes on, by anything else it has ended."""
        if isinstance(error, ConnectionLost) or not isinstance(error, ServerFault):
            self._lose(fault_of(error))

    def _load_model(self, request: PolicyRequest) -> None:
        """Let the server load its model in the background; whoever asks meanwhile is told."""
        if self._loading is None:
            self._loading = asyncio.ensure_future(self._loaded(request))
        if not self._loading.done():
            raise ServerFault("loads its model")

    async def _loaded(self, request: PolicyRequest) -> None:
        assert self._load is not None
        try:
            async with asyncio.timeout(self._load_timeout_s):
                await self._load(request)
        except TimeoutError:
            self._lose(f"has not loaded its model within {self._load_timeout_s:g} s; see remote.load_timeout_s")
        except Exception as error:
            self._lose(fault_of(error))

    def _lose(self, fault: str) -> None:
        self.fault = fault
        if self._lost is not None:
            self._lost.set()

    def _silent(self) -> str:
        return f"has not answered within {self._timeout_s:g} s"


def fault_of(error: Exception) -> str:
    """Return in words why there is no connection."""
    if isinstance(error, ServerFault):
        return str(error)
    if isinstance(error, ConnectionRefusedError):
        return "refuses the connection; start it, or correct remote.url"
    if isinstance(error, OSError):
        return f"cannot be reached ({error.strerror or quoted(error)}); start it, or correct remote.url"
    return f"cannot be talked to ({type(error).__name__}: {quoted(error)})"
