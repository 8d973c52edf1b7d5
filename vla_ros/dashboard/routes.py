"""What the server answers: files, the newest document, the 3D view, and the actions that a viewer may ask for."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from http import HTTPStatus

import aiohttp
from aiohttp import web

from vla_ros.dashboard.access import Access
from vla_ros.dashboard.connection_limit import ConnectionLimit
from vla_ros.dashboard.document import LatestDocument
from vla_ros.dashboard.page_files import PAGE_POLICY, SCENE_POLICY, PageFiles, error_page
from vla_ros.dashboard.websocket_proxy import proxy_websocket

ActionHandler = Callable[[str, str], tuple[bool, str]]
"""Carries out an action: (name of ACTIONS, instruction) → (done, result in words). It may block."""

ACTIONS = ("say", "continue", "estop", "arm", "disarm", "reset")
MAX_BODY_BYTES = 8192
"""An instruction is cut there; the guard refuses its length, which holds the arm as well as a stop does."""
LONG_POLL_S = 1.0
IDLE_TIMEOUT_S = 15.0
"""A browser that sends nothing, or takes nothing, for this long is gone."""
READER_NAME_LENGTH = 32
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
"""Of all answers."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Routes:
    """Handlers of all requests.

    Attributes:
        access: who may read and send.
        files: the page.
        latest: what /document answers.
        history: returns the rows for the plots of a page that has just been opened.
        handle_action: carries out what a viewer asks for.
        scene_port: of the 3D view on this machine.
        namespace: of the arm that this server serves, e.g. "/left"; empty: the only arm.
        read_only: refuse all actions.
        executor: runs handle_action, which blocks.
    """

    access: Access
    files: PageFiles
    latest: LatestDocument
    history: Callable[[], object]
    handle_action: ActionHandler
    scene_port: int
    namespace: str
    read_only: bool
    executor: Executor
    session: aiohttp.ClientSession = field(init=False)
    connections: ConnectionLimit = field(init=False)

    def application(self) -> web.Application:
        """Return the application; call it in the event loop that serves."""
        application = web.Application(middlewares=[self._send, self._check])
        application.router.add_get("/document", self._document, allow_head=False)
        application.router.add_get("/history", self._history, allow_head=False)
        application.router.add_get("/stop", self._stop, allow_head=False)
        application.router.add_get("/scene", self._scene, allow_head=False)
        application.router.add_get("/scene/", self._scene, allow_head=False)
        application.router.add_get("/{name:.*}", self._file, allow_head=False)
        application.router.add_post("/{name:.*}", self._action)
        application.cleanup_ctx.append(self._with_session)
        return application

    async def _with_session(self, _: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as self.session:
            yield

    @web.middleware
    async def _send(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Send the answer within IDLE_TIMEOUT_S; turn every error into an answer of one line."""
        self.connections.has_request(request.protocol)
        try:
            response = await handler(request)
        except web.HTTPException as error:
            response = refusal(request, HTTPStatus(error.status), error.reason)
        except ConnectionError:
            raise
        except Exception as error:
            print(f"vla_ros dashboard: a request failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            response = refusal(request, HTTPStatus.INTERNAL_SERVER_ERROR, "the dashboard failed; see its output")
        transport = request.transport
        if isinstance(response, web.WebSocketResponse) or transport is None:
            return response
        # Wait until the kernel has all of it: what is left in a buffer of ours would keep a dead connection open.
        transport.set_write_buffer_limits(high=0)
        try:
            async with asyncio.timeout(IDLE_TIMEOUT_S):
                await response.prepare(request)
                await response.write_eof()
        except TimeoutError:
            transport.abort()
        return response

    @web.middleware
    async def _check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse who may not read or send."""
        allowed = self.access.host_allowed(request.headers)
        if request.method == "POST":
            if allowed and self.access.same_origin(request.headers) and self.access.has_token(request.cookies):
                return await handler(request)
            return refusal(request, HTTPStatus.FORBIDDEN, "not from a page of this dashboard")
        if not allowed:
            return refusal(request, HTTPStatus.FORBIDDEN, "this address is not the dashboard's")
        if self.access.token and request.query.get("token"):
            return self._enter(request)
        if not self.access.has_token(request.cookies):
            reason = "open the address that the dashboard printed; it ends with ?token=..."
            return refusal(request, HTTPStatus.UNAUTHORIZED, reason)
        return await handler(request)

    def _enter(self, request: web.Request) -> web.Response:
        """Take the token out of the address, where others could read it, and keep it in a cookie."""
        token = request.query["token"]
        if not self.access.is_token(token):
            reason = "wrong token: open the address that the dashboard printed"
            return refusal(request, HTTPStatus.UNAUTHORIZED, reason)
        path = "/" if request.path.startswith("//") else request.path
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers={"Location": path})
        response.set_cookie(self.access.cookie, token, httponly=True, samesite="Strict", path="/")
        return response

    async def _document(self, request: web.Request) -> web.Response:
        """Answer with a document that the reader has not seen as soon as there is one; 204: none within LONG_POLL_S."""
        number, images = request.query.get("after", ""), request.query.get("images")
        reader = request.query.get("reader", request.remote or "")[:READER_NAME_LENGTH]
        document = await self.latest.newer_than(_number(number), reader, LONG_POLL_S)
        if document is None:
            return answer(b"", "application/octet-stream", HTTPStatus.NO_CONTENT)
        return answer(document.body(None if images is None else _number(images)), "application/octet-stream")

    async def _history(self, request: web.Request) -> web.Response:
        loop = asyncio.get_running_loop()
        text = await loop.run_in_executor(self.executor, lambda: json.dumps(self.history()))
        return answer(text.encode(), "application/json")

    async def _stop(self, request: web.Request) -> web.Response:
        return answer(self.files.stop_page(self.latest.newest(), ""), "text/html")

    async def _scene(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return answer(self.files.scene, "text/html", policy=SCENE_POLICY)
        if not self.access.same_origin(request.headers):
            return refusal(request, HTTPStatus.FORBIDDEN, "not from a page of this dashboard")
        return await proxy_websocket(request, self.session, self.scene_port, IDLE_TIMEOUT_S)

    async def _file(self, request: web.Request) -> web.Response:
        found = self.files.find(request.match_info["name"] or "index.html")
        return refusal(request, HTTPStatus.NOT_FOUND, "no such page") if found is None else answer(*found)

    async def _action(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        advice = ": use the robot's own e-stop" if name == "estop" else ""
        # A page names the arm that it was made for; programs need not.
        namespace = request.query.get("arm", self.namespace)
        if request.content_length is None:
            return refusal(request, HTTPStatus.LENGTH_REQUIRED, "the request has no Content-Length")
        try:
            body = await _body(request, min(request.content_length, MAX_BODY_BYTES))
        except (TimeoutError, EOFError):
            return refusal(request, HTTPStatus.BAD_REQUEST, "the request is shorter than its Content-Length")
        if name not in ACTIONS:
            return refusal(request, HTTPStatus.NOT_FOUND, f"there are {', '.join(ACTIONS)}")
        if self.read_only:
            return refusal(request, HTTPStatus.FORBIDDEN, f"this dashboard is read-only{advice}")
        if namespace != self.namespace:
            reason = f"this address now serves arm {self.namespace or '/'}{advice}"
            return refusal(request, HTTPStatus.CONFLICT, reason)
        text = body.decode("utf-8", "replace") if name == "say" else ""
        loop = asyncio.get_running_loop()
        done, message = await loop.run_in_executor(self.executor, self.handle_action, name, text)
        if _wants_html(request):
            return answer(self.files.stop_page(self.latest.newest(), message), "text/html")
        return result(done, message)


def answer(
    body: bytes, content_type: str, status: HTTPStatus = HTTPStatus.OK, policy: str = PAGE_POLICY
) -> web.Response:
    """Return an answer with the headers that say what a browser may load, keep and tell."""
    charset = "utf-8" if content_type.startswith("text/") else None
    headers = {**HEADERS, "Content-Security-Policy": policy}
    return web.Response(body=body, status=status, content_type=content_type, charset=charset, headers=headers)


def result(done: bool, message: str, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Return the result of an action as JSON."""
    return answer(json.dumps({"done": done, "message": message}).encode(), "application/json", status)


def refusal(request: web.Request, status: HTTPStatus, reason: str) -> web.Response:
    """Return an answer that says why not, as a page for people and as JSON for programs."""
    return answer(error_page(reason), "text/html", status) if _wants_html(request) else result(False, reason, status)


async def _body(request: web.Request, length: int) -> bytes:
    """Read the first bytes of a body; aiohttp drops the rest. Raises TimeoutError or EOFError when they do not come."""
    if not length:  # aiohttp's reader of an empty body fails even where nothing is asked of it
        return b""
    async with asyncio.timeout(IDLE_TIMEOUT_S):
        return await request.content.readexactly(length)


def _wants_html(request: web.Request) -> bool:
    return "text/html" in request.headers.get("Accept", "")


def _number(text: str) -> int:
    """Return a number of a document or of a set of images; -1 where there is none."""
    return int(text) if text.isdecimal() else -1
