"""Passes the messages of a WebSocket on between a browser and a server on this machine."""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
from aiohttp import WSMsgType, web

MAX_MESSAGE_BYTES = 50 * 1024 * 1024
"""Longest message of a browser; viser refuses longer ones."""


async def proxy_websocket(
    request: web.Request, session: aiohttp.ClientSession, port: int, timeout_s: float
) -> web.WebSocketResponse:
    """Connect a browser with a server on 127.0.0.1 until one of them closes.

    Of the browser's headers only the WebSocket subprotocol is sent on: no cookie, so no token.

    Args:
        request: the browser's handshake, not answered yet.
        session: makes the connection to the server.
        port: of the server.
        timeout_s: a side that takes nothing for this long, s, is gone, and so is the connection.

    Returns:
        The browser's side, closed.

    Raises:
        web.HTTPBadGateway: the server does not answer.
    """
    asked = request.headers.get("Sec-WebSocket-Protocol", "")
    subprotocols = [name.strip() for name in asked.split(",") if name.strip()]
    url = f"http://127.0.0.1:{port}/"
    try:
        async with asyncio.timeout(timeout_s):
            server = await session.ws_connect(url, protocols=subprotocols, max_msg_size=0)
    except (aiohttp.ClientError, OSError, TimeoutError):
        raise web.HTTPBadGateway(reason="the 3D view does not answer") from None
    async with server:
        browser = web.WebSocketResponse(
            timeout=timeout_s,
            heartbeat=2 * timeout_s,  # a browser has half of it to answer a ping
            protocols=[server.protocol] if server.protocol else [],
            compress=False,
            max_msg_size=MAX_MESSAGE_BYTES,
        )
        await browser.prepare(request)
        directions = [
            asyncio.create_task(_forward(browser, server, timeout_s)),
            asyncio.create_task(_forward(server, browser, timeout_s)),
        ]
        try:
            done, _ = await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            timed_out = any(isinstance(direction.exception(), TimeoutError) for direction in done)
        finally:
            for direction in directions:
                direction.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
        if timed_out and request.transport is not None:
            request.transport.abort()  # a farewell would wait for the side that takes nothing
        with contextlib.suppress(ConnectionError):
            await browser.close()
    return browser


async def _forward(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    sink: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
    timeout_s: float,
) -> None:
    """Send what `source` says to `sink` until `source` closes; a message at a time, so that nothing piles up here."""
    async for message in source:
        async with asyncio.timeout(timeout_s):
            if message.type is WSMsgType.BINARY:
                await sink.send_bytes(message.data)
            elif message.type is WSMsgType.TEXT:
                await sink.send_str(message.data)
