"""A policy of this project on openpi's websocket protocol, for robots that run something else.

The server sends its metadata first. Each binary message is an observation; the answer holds "actions" (T, n), "server_timing"
and, beside what openpi's servers send, what the plan says (`policies/remote/plan_report.py`). What cannot be used is answered
by one line of text, and the connection goes on. `GET /healthz` answers 200.

Source: openpi-client 0.1.2; openpi's docs/remote_inference.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import http
import ipaddress
import logging
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from vla_ros.bringup.served_robot import BadObservation, ServedRobot
from vla_ros.control.policy_session import PolicySession
from vla_ros.parameters import ParameterError
from vla_ros.policies.contract import JointState
from vla_ros.policies.remote.openpi_encoding import decode, encode
from vla_ros.policies.remote.plan_report import EPISODE_KEY, REPORT_KEY, SERVER_KEY, STAMP_KEY, report_of

MAX_OBSERVATION_BYTES = 64 * 1024 * 1024
PING_S = 5.0
"""A client that is gone without a word is noticed after twice this time."""
LONGEST_PROMPT = 2000
WAIT_S = 1.0
"""So long a client waits for a place before it is refused."""


@dataclass(frozen=True)
class ServerOptions:
    """Where a server listens, and for whom.

    Attributes:
        host, port: 0: a free port.
        api_key: what clients must show; empty: nothing, and then only on this machine.
        rate_hz: rows of an answer per second.
        clients: number of clients at a time; each has a policy of its own.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    api_key: str = ""
    rate_hz: float = 50.0
    clients: int = 1

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate_hz) and 1.0 <= self.rate_hz <= 1000.0):
            raise ParameterError(f"--rate: must be 1 to 1000 rows per second, got {self.rate_hz:g}")
        if not 0 <= self.port < 65536:
            raise ParameterError(f"--port: must be 0 to 65535, got {self.port}")
        if self.clients < 1:
            raise ParameterError(f"--clients: must be at least 1, got {self.clients}")
        if not self.api_key and not _is_loopback(self.host):
            raise ParameterError(
                f"--host {self.host}: other machines reach this address; give --api-key-file, or serve on 127.0.0.1"
            )


class PolicyServer:
    """Serves one policy.

    Args:
        robot: whose policy.
        options: where, for whom.
        say: where lines for people go.

    Raises:
        ParameterError: the policy does not fit.
    """

    def __init__(self, robot: ServedRobot, options: ServerOptions, say: Callable[[str], None]) -> None:
        self._robot, self._options, self._say = robot, options, say
        self._free = [robot.session(options.rate_hz) for _ in range(options.clients)]
        self._checkpoint = self._free[0].checkpoint
        self._workers = ThreadPoolExecutor(options.clients, "policy")
        self.port = options.port

    def metadata(self) -> dict[str, Any]:
        """Return what each client is sent first."""
        own = {
            "policy": self._robot.policy,
            "checkpoint": self._checkpoint,
            "joint_names": list(self._robot.robot.joint_names),
            "rate_hz": self._options.rate_hz,
            "images": self._robot.image_keys(),
            "state": "observation/state",
            "prompt": "prompt",
        }
        return {SERVER_KEY: own, "policy": self._robot.policy, "checkpoint": self._checkpoint}

    async def serve(self, ready: Callable[[int], None]) -> None:
        """Serve until cancelled. ready: called with the port once it listens.

        Raises:
            OSError: the address cannot be listened on.
        """
        from websockets.asyncio.server import serve

        async with serve(
            self._handle,
            self._options.host,
            self._options.port,
            compression=None,
            max_size=MAX_OBSERVATION_BYTES,
            max_queue=2,
            origins=[None],  # no page of a browser
            process_request=self._admit,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            server_header=None,
            logger=_silent(),
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            ready(self.port)
            await server.serve_forever()

    def _admit(self, connection: Any, request: Any) -> Any:
        """Answer a health check, and refuse who does not show the key; None: go on."""
        if request.path == "/healthz":
            return connection.respond(http.HTTPStatus.OK, "OK\n")
        shown = request.headers.get("Authorization", "")
        wanted = f"Api-Key {self._options.api_key}"
        if self._options.api_key and not hmac.compare_digest(shown.encode(errors="replace"), wanted.encode()):
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "Authorization: Api-Key ... is needed\n")
        return None

    async def _handle(self, connection: Any) -> None:
        """Serve one client."""
        from websockets.exceptions import ConnectionClosed

        peer = ":".join(map(str, (connection.remote_address or ("?",))[:2]))
        with contextlib.suppress(ConnectionClosed):
            session = await self._free_session()
            if session is None:
                await connection.send(f"in use by {self._options.clients} other client(s); try again later")
                await connection.close(1013, "in use")
                return
            self._say(f"{peer} connected")
            try:
                await connection.send(encode(self.metadata()))
                await self._converse(connection, _Conversation(self._robot, session))
            except ConnectionClosed:
                pass
            except Exception as error:
                self._say(" ".join(f"{peer}: {type(error).__name__}: {error}".split()))
            finally:
                session.forget()
                self._free.append(session)
                self._say(f"{peer} gone")

    async def _free_session(self) -> PolicySession | None:
        """Return a policy that no client uses; None: there is none. One whose client is gone may still be computing."""
        for _ in range(round(WAIT_S / 0.05)):
            if self._free:
                return self._free.pop()
            await asyncio.sleep(0.05)
        return self._free.pop() if self._free else None

    async def _converse(self, connection: Any, conversation: _Conversation) -> None:
        loop = asyncio.get_running_loop()
        async for message in connection:
            began_s = time.monotonic()
            answer = await loop.run_in_executor(self._workers, conversation.answer, message)
            if isinstance(answer, str):
                self._say(answer)
                await connection.send(answer)
            else:
                answer["server_timing"] = {"infer_ms": 1e3 * (time.monotonic() - began_s)}
                await connection.send(encode(answer))


class _Conversation:
    """What is known of one client between its requests."""

    def __init__(self, robot: ServedRobot, session: PolicySession) -> None:
        self._robot, self._session = robot, session
        self._before: JointState | None = None

    def answer(self, message: str | bytes) -> dict[str, Any] | str:
        """Return the answer to a message, or in one line why there is none."""
        try:
            return self._answer(message)
        except BadObservation as error:
            return f"bad observation: {error}"
        except Exception as error:  # a policy's fault, or what a client made of it: it is said, and the server goes on
            self._session.forget()
            return " ".join(f"the policy failed: {type(error).__name__}: {error}".split())

    def _answer(self, message: str | bytes) -> dict[str, Any]:
        observation = _observation(message)
        stamp_ns = observation.get(STAMP_KEY)
        if type(stamp_ns) is not int or not 0 < stamp_ns < 2**62:
            stamp_ns = time.time_ns()
        prompt = observation.get("prompt")
        if not isinstance(prompt, str) or len(prompt) > LONGEST_PROMPT:
            raise BadObservation(f"prompt: expected a text of at most {LONGEST_PROMPT} characters")
        frames = self._robot.frames(observation, stamp_ns)
        state = self._robot.joint_state(observation, stamp_ns, self._before)
        self._before = state
        episode = observation.get(EPISODE_KEY)
        self._session.instruct(prompt.strip(), episode if isinstance(episode, int) else None)
        plan, rows = self._session.answer(frames, state)
        return {"actions": rows.astype(np.float32), REPORT_KEY: report_of(plan)}


def _observation(message: str | bytes) -> Mapping[Any, Any]:
    if isinstance(message, str):
        raise BadObservation("a text message; observations are binary, msgpack with openpi's arrays")
    try:
        observation = decode(message)
    except ValueError as error:
        raise BadObservation(f"no message of openpi's protocol ({error})") from None
    if not isinstance(observation, Mapping):
        raise BadObservation(f"{type(observation).__name__} instead of a map")
    return observation


def _silent() -> logging.Logger:
    """Return a logger for what strangers do to a port: a scan is no traceback on the terminal."""
    logger = logging.getLogger("vla_ros.policy_server.websockets")
    logger.setLevel(logging.CRITICAL)
    return logger


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
