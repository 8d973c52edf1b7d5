"""Client of the servers of OpenVLA and OpenVLA-OFT: `POST /act` with JSON, arrays as json-numpy writes them.

OpenVLA takes {"image", "instruction", "unnorm_key"?} and answers one action; OFT takes {"full_image", "left_wrist_image", …,
"state", "instruction"} and answers a list of actions. Both answer the text "error" where something failed in them.

Source: vla-scripts/deploy.py of openvla/openvla and of moojink/openvla-oft.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.policies.remote import numpy_json
from vla_ros.policies.remote.observation_layout import ObservationLayout
from vla_ros.policies.remote.policy_client import (
    MAX_ANSWER_BYTES,
    ConnectionLost,
    PolicyAnswer,
    PolicyRequest,
    ServerFault,
    quoted,
)


class OpenvlaClient:
    """See `policy_client.PolicyClient`.

    Args:
        url: http:// or https://, with the path: http://host:8000/act.
        layout: keys of observation and answer.
        api_key: sent as "Authorization: Bearer …", for a proxy in front of the server; empty: none.
    """

    def __init__(self, url: str, layout: ObservationLayout, api_key: str) -> None:
        self._url, self._layout = url, layout
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._session: Any = None

    async def connect(self) -> Mapping[str, Any]:
        """Ask the server for anything: whatever it answers, it is an HTTP server."""
        import aiohttp

        self._session = aiohttp.ClientSession(headers=self._headers, timeout=aiohttp.ClientTimeout(total=None))
        await self._request("GET", None)
        return {}

    async def infer(self, request: PolicyRequest) -> PolicyAnswer:
        """Return the answer to one request."""
        status, body = await self._request("POST", numpy_json.dumps(self._layout.observation(request)))
        if status != 200:
            said = quoted(body[:2000].decode(errors="replace")) or "nothing"
            raise ServerFault(f"answers HTTP {status}: {said}; see its log, or correct remote.url")
        try:
            message = numpy_json.loads(body)
            if isinstance(message, str) and message != "error":
                message = numpy_json.loads(message)  # some servers encode twice
        except ValueError as error:
            raise ServerFault(f"answers what is no JSON of actions ({quoted(error)})") from None
        if isinstance(message, str):
            raise ServerFault(f'answers "{quoted(message)}"; its log says why')
        return PolicyAnswer(self._actions(message))

    async def wait_lost(self) -> None:
        """Never: a request tells."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """End the connection."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _request(self, method: str, body: bytes | None) -> tuple[int, bytes]:
        import aiohttp

        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            async with self._session.request(
                method, self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                parts, size = [], 0
                async for part in response.content.iter_any():
                    size += len(part)
                    if size > MAX_ANSWER_BYTES:
                        raise ConnectionLost(f"sends more than {MAX_ANSWER_BYTES // 2**20} MiB for one answer")
                    parts.append(part)
                return int(response.status), b"".join(parts)
        except aiohttp.ClientConnectorError as error:
            raise error.os_error from None
        except aiohttp.ClientError as error:
            raise ConnectionLost(
                f"speaks no HTTP, or ends in the middle ({type(error).__name__}); start it, or correct remote.url"
            ) from None

    def _actions(self, message: object) -> NDArray[Any]:
        """Return (T, width). message: an array, a list of arrays or of numbers, or a map that holds one of them."""
        if isinstance(message, Mapping):
            return self._layout.joined(message)
        try:
            array = np.asarray(message)
        except ValueError:
            raise ServerFault("answers rows of different widths") from None
        if array.dtype.kind not in "fiu":
            raise ServerFault(f"answers {type(message).__name__} instead of numbers")
        return array[None] if array.ndim == 1 else array
