"""Client of openpi's policy server: a websocket, and one message each way for each chunk.

The server sends its metadata first. An observation is a map; the answer holds "actions" and "server_timing". A text message
is an error, after which openpi's own server closes the connection.

Source: openpi-client 0.1.2 and openpi's docs/remote_inference.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vla_ros.policies.remote.observation_layout import ObservationLayout
from vla_ros.policies.remote.openpi_encoding import decode, encode
from vla_ros.policies.remote.plan_report import EPISODE_KEY, REPORT_KEY, SERVER_KEY, STAMP_KEY
from vla_ros.policies.remote.policy_client import (
    MAX_ANSWER_BYTES,
    ConnectionLost,
    PolicyAnswer,
    PolicyRequest,
    ServerFault,
    quoted,
)


class OpenpiClient:
    """See `policy_client.PolicyClient`.

    Args:
        url: ws:// or wss://.
        layout: keys of observation and answer.
        api_key: sent as "Authorization: Api-Key …"; empty: none.
    """

    def __init__(self, url: str, layout: ObservationLayout, api_key: str) -> None:
        self._url, self._layout = url, layout
        self._headers = {"Authorization": f"Api-Key {api_key}"} if api_key else None
        self._socket: Any = None
        self._of_ours = False

    async def connect(self) -> Mapping[str, Any]:
        """Connect and return the metadata."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus, WebSocketException

        class _Connect(connect):
            def process_redirect(self, exc: Exception) -> Exception:
                return exc  # the key is for this server alone

        try:
            # No pings: a server that computes a chunk in its event loop answers none meanwhile.
            self._socket = await _Connect(
                self._url,
                compression=None,
                max_size=MAX_ANSWER_BYTES,
                additional_headers=self._headers,
                ping_interval=None,
                open_timeout=None,
                close_timeout=0.5,
                proxy=None,
            )
            first = await self._socket.recv()
        except InvalidStatus as error:
            status = error.response.status_code
            if status in (401, 403):
                raise ConnectionLost(f"refuses the key (HTTP {status}); correct remote.api_key_file") from None
            raise ConnectionLost(f"answers HTTP {status}: it is no websocket server; correct remote.url") from None
        except (InvalidHandshake, InvalidMessage, EOFError) as error:
            raise ConnectionLost(f"is no websocket server ({quoted(error)}); correct remote.url") from None
        except WebSocketException as error:
            raise ConnectionLost(f"ends the connection before its metadata ({quoted(error)})") from None
        metadata = self._message(first, "says instead of its metadata")
        self._of_ours = SERVER_KEY in metadata
        return metadata

    async def infer(self, request: PolicyRequest) -> PolicyAnswer:
        """Return the answer to one request."""
        from websockets.exceptions import ConnectionClosed

        observation = self._layout.observation(request)
        if self._of_ours:
            observation |= {STAMP_KEY: request.stamp_ns, EPISODE_KEY: request.episode}
        try:
            await self._socket.send(encode(observation))
            answer = self._message(await self._socket.recv(), "it says")
        except ConnectionClosed as error:
            raise ConnectionLost(_why_closed(error)) from None
        report = answer.get(REPORT_KEY)
        return PolicyAnswer(self._layout.joined(answer), report if isinstance(report, Mapping) else {})

    async def wait_lost(self) -> None:
        """Return when the connection has ended."""
        await self._socket.wait_closed()

    async def close(self) -> None:
        """End the connection."""
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    def _message(self, data: str | bytes, text: str) -> Mapping[str, Any]:
        if isinstance(data, str):
            raise ServerFault(f"{text}: {quoted(data)}")
        try:
            message = decode(data)
        except ValueError as error:
            raise ConnectionLost(
                f"sends what is no message of openpi's protocol ({error}); correct remote.url"
            ) from None
        if not isinstance(message, Mapping):
            raise ServerFault(f"sends {type(message).__name__} instead of a map")
        return message


def _why_closed(error: Any) -> str:
    received, sent = error.rcvd, error.sent
    if sent is not None and sent.code == 1009:
        return f"sends more than {MAX_ANSWER_BYTES // 2**20} MiB for one chunk"
    if received is not None and received.reason:
        return f"has ended the connection: {quoted(received.reason)}"
    return "has ended the connection"
