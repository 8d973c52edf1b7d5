"""The 3D view's WebSocket behind the dashboard's own port."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import WSMsgType, web

from test.unit.dashboard.rig import MakeServer

PROTOCOL = "viser-v1"


class View:
    """A server as viser's, which notes handshakes and sends back what it hears."""

    def __init__(self) -> None:
        self.handshakes: list[dict[str, str]] = []
        self.closed = asyncio.Event()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        self.handshakes.append(dict(request.headers))
        connection = web.WebSocketResponse(protocols=[PROTOCOL], max_msg_size=0)
        await connection.prepare(request)
        async for message in connection:
            if message.data == "bye":
                break
            if message.type is WSMsgType.TEXT:
                await connection.send_str(f"heard {message.data}")
            else:
                await connection.send_bytes(message.data[::-1])
        await connection.close()
        self.closed.set()
        return connection


def talk(make_server: MakeServer, script: Callable[[View, aiohttp.ClientSession, str], Awaitable[None]]) -> None:
    """Run a script of a browser against the proxy of a view."""

    async def run() -> None:
        view = View()
        application = web.Application()
        application.router.add_get("/", view.handle)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server = make_server("abc", scene_port=runner.addresses[0][1])
        cookies = {f"vla_ros_{server.port}": "abc"}
        async with aiohttp.ClientSession(cookies=cookies, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            await script(view, session, f"http://127.0.0.1:{server.port}/scene")
        await runner.cleanup()

    asyncio.run(asyncio.wait_for(run(), 20.0))


def test_messages_pass_both_ways_without_the_cookie(make_server: MakeServer) -> None:
    async def script(view: View, session: aiohttp.ClientSession, url: str) -> None:
        headers = {"User-Agent": "abc-agent"}
        async with session.ws_connect(url, protocols=["other", PROTOCOL], headers=headers, max_msg_size=0) as browser:
            assert browser.protocol == PROTOCOL
            await browser.send_bytes(b"123")
            assert await browser.receive_bytes() == b"321"
            await browser.send_str("words")
            assert await browser.receive_str() == "heard words"
            large = bytes(range(256)) * 40_000  # 10 MB: more than any buffer on the way
            await browser.send_bytes(large)
            assert await browser.receive_bytes(timeout=10.0) == large[::-1]
        (handshake,) = view.handshakes
        assert "Cookie" not in handshake and "abc" not in "".join(handshake.values())

    talk(make_server, script)


def test_one_side_that_closes_closes_the_other(make_server: MakeServer) -> None:
    async def script(view: View, session: aiohttp.ClientSession, url: str) -> None:
        browser = await session.ws_connect(url, protocols=[PROTOCOL])
        await browser.send_str("bye")
        assert (await browser.receive(timeout=5.0)).type is WSMsgType.CLOSE
        view.closed.clear()
        browser = await session.ws_connect(url, protocols=[PROTOCOL])
        await browser.close()
        await asyncio.wait_for(view.closed.wait(), 5.0)

    talk(make_server, script)


def test_a_page_of_another_site_gets_no_view(make_server: MakeServer) -> None:
    async def script(view: View, session: aiohttp.ClientSession, url: str) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url, origin="http://example.org")
        assert refused.value.status == 403
        session.cookie_jar.clear()
        with pytest.raises(aiohttp.WSServerHandshakeError) as unknown:
            await session.ws_connect(url)
        assert unknown.value.status == 401
        assert view.handshakes == []

    talk(make_server, script)


def test_a_view_that_is_not_there_is_a_bad_gateway(make_server: MakeServer) -> None:
    async def connect() -> int:
        server = make_server(scene_port=1)
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"http://127.0.0.1:{server.port}/scene")
            return refused.value.status

    assert asyncio.run(connect()) == 502
