"""The page over HTTP: files, the newest document, the 3D view, and the few things that a viewer may ask for."""

from __future__ import annotations

import contextlib
import hmac
import html
import json
import socket
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, urlsplit

from vla_ros.dashboard.dashboard_parameters import LOOPBACK, DashboardParameters
from vla_ros.dashboard.feed import Feed
from vla_ros.dashboard.tunnel import tunnel
from vla_ros.parameters import ParameterError

Act = Callable[[str, str], tuple[bool, str]]
"""Does what a viewer asks for: (name of ACTIONS, words) → (done, what came of it)."""

ACTIONS = ("say", "estop", "arm", "disarm", "reset")
LONGEST_BODY = 8192
"""Bytes that are read. A sentence is cut there; the guard refuses its length, which holds the arm as well as a stop does."""
LONGEST_WAIT_S = 1.0
IDLE_S = 15.0  # a browser that is silent for so long, or takes nothing, is gone
CONNECTIONS = 64
PORTS = 10
TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "frame-src 'self' http://localhost:* http://127.0.0.1:*; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
SCENE = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:; worker-src 'self' blob:; "
    "frame-ancestors 'self' http://localhost:* http://127.0.0.1:*"
)
"""What a page may load: from here and nowhere else. viser's page is one file with its scripts inside."""

BARE = b"<style>.mantine-Paper-root, .mantine-Notifications-root { display: none !important }</style>"
"""viser's own panel and notes have no place in the page."""
PRESS = "<!-- press -->"
"""Stands before and after what /stop has for pressing."""
NO_PRESS = "<p>read-only: use the robot's own e-stop</p>"


class Pages(ThreadingHTTPServer):
    """Serves until `close`; each connection has a thread of its own, so that a slow browser delays nobody.

    Args:
        parameters: host, port, token, read_only.
        token: what browsers must show; empty: nothing.
        feed: what /document answers. history: rows for the plots of a page that has just been opened.
        act: does what a viewer asks for. scene_port: of the 3D view on this machine.
        namespace: of the arm, e.g. "/left", which pages name and presses are for; empty: the only arm.

    Raises:
        ParameterError: it cannot listen there.
    """

    daemon_threads = True
    request_queue_size = 32

    def __init__(
        self,
        parameters: DashboardParameters,
        token: str,
        feed: Feed,
        history: Callable[[], object],
        act: Act,
        scene_port: int,
        namespace: str = "",
    ) -> None:
        self.parameters, self.token, self.feed, self.history, self.act = parameters, token, feed, history, act
        self.scene_port, self.namespace = scene_port, namespace
        page = resources.files("vla_ros.dashboard") / "page"
        self.files = {file.name: file.read_bytes() for file in page.iterdir() if file.is_file()}
        view = (resources.files("viser") / "client" / "build" / "index.html").read_bytes()
        for name in ("index.html", "stop.html"):
            self.files[name] = self.files[name].replace(b"{namespace}", html.escape(namespace).encode())
        if parameters.read_only:
            before, _, after = self.files["stop.html"].decode().split(PRESS)
            self.files["stop.html"] = f"{before}{NO_PRESS}{after}".encode()
        self.files["scene"] = view.replace(b"</head>", BARE + b"</head>", 1)
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        if ":" in parameters.host:
            self.address_family = socket.AF_INET6
        first = parameters.port
        for port in range(first, first + (PORTS if first else 1)):
            try:
                super().__init__((parameters.host, port), Handler)
                break
            except OSError as error:
                why = error.strerror or str(error)
        else:
            where = f"{parameters.host}:{first}" + (f" to {first + PORTS - 1}" if first else "")
            raise ParameterError(f"dashboard: cannot listen on {where}: {why}; set dashboard.host and dashboard.port")
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()

    @property
    def address(self) -> str:
        """For people: what to open, with the token."""
        host = {"0.0.0.0": socket.gethostname(), "::": socket.gethostname()}.get(
            self.parameters.host, self.parameters.host
        )
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_port}/" + (
            f"?token={self.token}" if self.token else ""
        )

    def close(self) -> None:
        """End serving."""
        self.shutdown()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if not isinstance(error, OSError):  # a browser that went away is none
            print(f"vla_ros dashboard: a request failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Pages
    timeout = IDLE_S
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads ten lines a second."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if not self._own_name():
            self._refuse(HTTPStatus.FORBIDDEN, "this address is not the dashboard's")
        elif self.server.token and "token" in query:
            self._enter(url.path, query["token"])
        elif not self._known():
            self._refuse(
                HTTPStatus.UNAUTHORIZED, "open the address that the dashboard printed; it ends with ?token=..."
            )
        elif url.path == "/document":
            self._document(query)
        elif url.path == "/history":
            self._answer(HTTPStatus.OK, json.dumps(self.server.history()).encode(), "application/json")
        elif url.path == "/stop":
            self._stop_page("")
        elif url.path in ("/scene", "/scene/"):
            self._scene()
        else:
            self._file(url.path.removeprefix("/") or "index.html")

    def do_POST(self) -> None:
        url = urlsplit(self.path)
        name = url.path.removeprefix("/")
        # A page says which arm it was made for; programs need not.
        arm = parse_qs(url.query, keep_blank_values=True).get("arm", [self.server.namespace])[-1]
        instead = ": use the robot's own e-stop" if name == "estop" else ""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            self.close_connection = True
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "how long is it?")
            return
        body = self.rfile.read(min(int(length), LONGEST_BODY))
        self.close_connection = self.close_connection or int(length) > LONGEST_BODY
        if not self._own_name() or not self._same_origin() or not self._known():
            self._refuse(HTTPStatus.FORBIDDEN, "not from a page of this dashboard")
        elif name not in ACTIONS:
            self._refuse(HTTPStatus.NOT_FOUND, f"there are {', '.join(ACTIONS)}")
        elif self.server.parameters.read_only:
            self._refuse(HTTPStatus.FORBIDDEN, f"this dashboard is read-only{instead}")
        elif arm != self.server.namespace:
            self._refuse(HTTPStatus.CONFLICT, f"this address now serves arm {self.server.namespace or '/'}{instead}")
        else:
            done, message = self.server.act(name, body.decode("utf-8", "replace") if name == "say" else "")
            if "text/html" in self.headers.get("Accept", ""):
                self._stop_page(message)
            else:
                answer = json.dumps({"done": done, "message": message}).encode()
                self._answer(HTTPStatus.OK, answer, "application/json")

    def _document(self, query: dict[str, str]) -> None:
        """Answer with a document that the reader has not seen, as soon as there is one; 204 when there is none in time."""
        seen = int(query["after"]) if query.get("after", "").isdecimal() else -1
        images = None if "images" not in query else int(query["images"]) if query["images"].isdecimal() else -1
        reader = query.get("reader", "")[:32] or f"{self.client_address}"
        document = self.server.feed.after(seen, reader, LONGEST_WAIT_S)
        if document is None:
            self._answer(HTTPStatus.NO_CONTENT, b"", "application/octet-stream")
        else:
            self._answer(HTTPStatus.OK, document.body(images), "application/octet-stream")

    def _scene(self) -> None:
        if self.headers.get("Upgrade", "").lower() != "websocket":
            self._answer(HTTPStatus.OK, self.server.files["scene"], "text/html", SCENE)
            return
        self.close_connection = True
        if self._same_origin():
            headers = [(name, value) for name, value in self.headers.items() if name.lower() != "cookie"]
            with contextlib.suppress(OSError):
                tunnel(self.connection, self.server.scene_port, headers, IDLE_S)

    def _file(self, name: str) -> None:
        kind, content = TYPES.get(name.rpartition(".")[2]), self.server.files.get(name)
        if kind is None or content is None or name == "stop.html":
            self._refuse(HTTPStatus.NOT_FOUND, "no such page")
        else:
            self._answer(HTTPStatus.OK, content, kind)

    def _stop_page(self, message: str) -> None:
        document = self.server.feed.newest()
        status = json.loads(document.text)["filter"] if document is not None else None
        state = "the safety filter is silent" if status is None else f"{status['state']} {status['reason']}"
        text = self.server.files["stop.html"].decode()
        for name, value in (("state", state), ("said", message)):
            text = text.replace(f"{{{name}}}", html.escape(value))
        self._answer(HTTPStatus.OK, text.encode(), "text/html")

    def _own_name(self) -> bool:
        """On localhost only by names of localhost: a foreign name that leads here is somebody's trick."""
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        return not self.server.parameters.local or host in LOOPBACK

    def _same_origin(self) -> bool:
        origin = self.headers.get("Origin")
        return origin is None or urlsplit(origin).netloc == self.headers.get("Host")

    def _known(self) -> bool:
        """Whether the browser has shown the token before."""
        if not self.server.token:
            return True
        try:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return cookie is not None and hmac.compare_digest(cookie.value.encode(), self.server.token.encode())

    @property
    def _cookie(self) -> str:
        return f"vla_ros_{self.server.server_port}"  # browsers keep cookies by host, whatever the port

    def _enter(self, path: str, token: str) -> None:
        """Take the token out of the address, where it could be read over a shoulder, and keep it in a cookie."""
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            self._refuse(HTTPStatus.UNAUTHORIZED, "wrong token: open the address that the dashboard printed")
            return
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", path if path.startswith("/") and not path.startswith("//") else "/")
        self.send_header("Set-Cookie", f"{self._cookie}={token}; HttpOnly; SameSite=Strict; Path=/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        if "text/html" in self.headers.get("Accept", ""):
            page = f"<!doctype html><title>vla_ros</title><h1>{html.escape(why)}</h1>"
            self._answer(status, page.encode(), "text/html")
        else:
            self._answer(status, json.dumps({"done": False, "message": why}).encode(), "application/json")

    def _answer(self, status: HTTPStatus, body: bytes, kind: str, policy: str = STRICT) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "same-origin")
        self.end_headers()
        self.wfile.write(body)
