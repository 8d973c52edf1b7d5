"""The page's HTTP and WebSocket server, in a thread of its own.

aiohttp serves it, because the library that viser brings, websockets, answers GET requests alone and the page sends actions
with POST.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from aiohttp import web

from vla_ros.dashboard.access import Access
from vla_ros.dashboard.connection_limit import ConnectionLimit
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.dashboard.document import LatestDocument
from vla_ros.dashboard.page_files import PageFiles
from vla_ros.dashboard.routes import IDLE_TIMEOUT_S, ActionHandler, Routes
from vla_ros.parameters import ParameterError

MAX_CONNECTIONS = 64
BACKLOG = 32
PORT_ATTEMPTS = 10
SHUTDOWN_S = 0.5
"""How long a request that is being answered may take when the server ends."""

LOGGER = logging.getLogger("vla_ros.dashboard")
LOGGER.addHandler(logging.NullHandler())
LOGGER.propagate = False
"""Malformed requests are answered, not logged: whoever reaches the port could fill the log with them."""


class DashboardServer:
    """Serves until `close`. One event loop answers all browsers; a slow browser delays nobody.

    Args:
        parameters: host, port, read_only.
        token: what browsers must show; empty: nothing.
        latest: what /document answers.
        history: returns the rows for the plots of a page that has just been opened; called in the server's thread.
        handle_action: carries out what a viewer asks for; called in threads of its own, one a request.
        scene_port: of the 3D view on this machine.
        namespace: of the arm, e.g. "/left", which pages show and actions are for; empty: the only arm.

    Raises:
        ParameterError: it cannot listen there.
    """

    def __init__(
        self,
        parameters: DashboardParameters,
        token: str,
        latest: LatestDocument,
        history: Callable[[], object],
        handle_action: ActionHandler,
        scene_port: int,
        namespace: str = "",
    ) -> None:
        self._host, self._token = parameters.host, token
        self._socket = listen(parameters.host, parameters.port)
        self.port: int = self._socket.getsockname()[1]
        self._executor = ThreadPoolExecutor(MAX_CONNECTIONS, "dashboard_action")  # a stop never waits for a free thread
        self.routes = Routes(
            Access(parameters.local, token, self.port),
            PageFiles(namespace, parameters.read_only),
            latest,
            history,
            handle_action,
            scene_port,
            namespace,
            parameters.read_only,
            self._executor,
        )
        self._closing = asyncio.Event()
        started: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(started)), name="dashboard_server", daemon=True
        )
        self._thread.start()
        self._loop = started.result()

    @property
    def address(self) -> str:
        """What people open, with the token."""
        host = socket.gethostname() if self._host in ("0.0.0.0", "::") else self._host
        query = f"?token={self._token}" if self._token else ""
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/{query}"

    def close(self) -> None:
        """End serving."""
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()
        self._executor.shutdown(wait=False)

    async def _serve(self, started: Future[asyncio.AbstractEventLoop]) -> None:
        loop = asyncio.get_running_loop()
        runner = web.AppRunner(
            self.routes.application(),
            access_log=None,
            logger=LOGGER,
            keepalive_timeout=IDLE_TIMEOUT_S,
            shutdown_timeout=SHUTDOWN_S,
        )
        try:
            await runner.setup()
            assert runner.server is not None
            self.routes.connections = ConnectionLimit(runner.server, MAX_CONNECTIONS, IDLE_TIMEOUT_S)
            listener = await loop.create_server(self.routes.connections, sock=self._socket, backlog=BACKLOG)
        except Exception as error:
            started.set_exception(error)
            return
        started.set_result(loop)
        await self._closing.wait()
        listener.close()
        await runner.cleanup()


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the first free one of PORT_ATTEMPTS ports from `port` on; 0: any port.

    Raises:
        ParameterError: there is none.
    """
    ipv6 = ":" in host
    attempts = PORT_ATTEMPTS if port else 1
    reason = ""
    for attempt in range(port, port + attempts):
        try:
            return socket.create_server(
                (host, attempt),
                family=socket.AF_INET6 if ipv6 else socket.AF_INET,
                backlog=BACKLOG,
                dualstack_ipv6=ipv6 and socket.has_dualstack_ipv6(),
            )
        except (OSError, OverflowError) as error:
            reason = (getattr(error, "strerror", None) or str(error)).partition(" (while")[0]
    place = f"{host}:{port}" + (f" to {port + attempts - 1}" if port else "")
    raise ParameterError(f"dashboard: cannot listen on {place}: {reason}; set dashboard.host and dashboard.port")
