"""Client of GR00T's policy server: ZeroMQ REQ to REP, one msgpack message each way.

A request is {"endpoint", "data"?, "api_token"?}. An array is {"__ndarray_class__": True, "as_npy": the bytes of a .npy file}.
N1.5 takes the flat observation itself, with keys such as "video.front"; later versions take {"observation", "options"}, in
nested maps with a batch axis, and answer [actions, info]. Endpoints used: ping, get_modality_config, reset, get_action.

Source: NVIDIA/Isaac-GR00T, gr00t/eval/service.py (N1.5), gr00t/policy/server_client.py and gr00t_policy.py (N1.6, N1.7).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Image
from vla_ros.parameters import ParameterError
from vla_ros.policies.remote.groot_encoding import decode, encode
from vla_ros.policies.remote.observation_layout import ObservationLayout
from vla_ros.policies.remote.policy_client import (
    MAX_ANSWER_BYTES,
    ConnectionLost,
    PolicyAnswer,
    PolicyRequest,
    ServerFault,
    quoted,
)
from vla_ros.time import NS_PER_S

HISTORY = 120
"""Requests whose images are kept, for models that see older ones: 12 s at 10 plans a second."""
MAX_IMAGES = 16
"""Time steps of a video that are sent at most."""
_MODALITIES = ("video", "state", "action", "language")


class GrootClient:
    """See `policy_client.PolicyClient`.

    Args:
        url: tcp://host:port.
        layout: its keys are those of the server's modality configuration, without "video." and the like.
        slots: names of the images.
        form: "flat": N1.5; "nested": N1.6 and N1.7; "simulation": these behind --use-sim-policy-wrapper, flat keys with a
            batch axis; "auto": flat where the server's own keys begin with "video.", else nested.
        token: sent as "api_token"; empty: none.
        rate_hz: of the steps that the model's delta indices count.

    Raises:
        ParameterError: pyzmq is not installed.
    """

    def __init__(
        self, url: str, layout: ObservationLayout, slots: Sequence[str], form: str, token: str, rate_hz: float
    ) -> None:
        try:
            import zmq
            import zmq.asyncio
        except ImportError:
            raise ParameterError(
                "remote.protocol: groot needs pyzmq, which is not installed: pip install pyzmq"
            ) from None
        self._zmq = zmq
        self._url, self._layout, self._slots, self._form, self._token = url, layout, tuple(slots), form, token
        self._flat, self._batched = form in ("flat", "simulation"), form != "flat"
        self._context: Any = None
        self._socket: Any = None
        self._episode: int | None = None
        self._step_ns = NS_PER_S / rate_hz
        self._deltas: tuple[int, ...] = (0,)  # steps from now to each image of a video that the model sees
        self._seen: deque[tuple[int, Mapping[str, Image]]] = deque(maxlen=HISTORY)

    async def connect(self) -> Mapping[str, Any]:
        """Connect, and compare the keys that the server's model has with those that are configured."""
        self._context = self._zmq.asyncio.Context()
        self._socket = self._context.socket(self._zmq.REQ)
        self._socket.setsockopt(self._zmq.LINGER, 0)
        self._socket.setsockopt(self._zmq.MAXMSGSIZE, MAX_ANSWER_BYTES)
        try:
            self._socket.connect(self._url)
        except self._zmq.ZMQError as error:
            raise ConnectionLost(f"cannot be connected to ({quoted(error)}); correct remote.url") from None
        await self._ask("ping")
        config = await self._ask("get_modality_config")
        keys = _modality_keys(config)
        if self._form == "auto":
            self._flat = any(key.startswith("video.") for key in keys.get("video", ()))
            self._batched = not self._flat
        self._check(keys)
        self._deltas = _video_deltas(config)
        return {f"{modality} keys": sorted(found) for modality, found in keys.items()}

    async def infer(self, request: PolicyRequest) -> PolicyAnswer:
        """Return the answer to one request."""
        if request.episode != self._episode:
            if self._batched:
                await self._ask("reset", {"options": None})
            self._episode = request.episode
            self._seen.clear()
        self._seen.append((request.stamp_ns, request.images))
        observation = self._observation(request)
        data = {"observation": observation, "options": None} if self._batched else observation
        answer = await self._ask("get_action", data)
        actions = answer[0] if isinstance(answer, list) and answer else answer
        if not isinstance(actions, Mapping):
            raise ServerFault(f"answers {type(actions).__name__} instead of a map of actions")
        plain = {str(key).removeprefix("action."): self._unbatched(key, value) for key, value in actions.items()}
        return PolicyAnswer(self._layout.joined(plain))

    async def wait_lost(self) -> None:
        """Never: a request tells."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """End the connection."""
        context, self._socket, self._context = self._context, None, None
        if context is not None:
            with contextlib.suppress(self._zmq.ZMQError):
                context.destroy(linger=0)

    async def _ask(self, endpoint: str, data: Mapping[str, Any] | None = None) -> Any:
        request: dict[str, Any] = {"endpoint": endpoint}
        if data is not None:
            request["data"] = data
        if self._token:
            request["api_token"] = self._token
        try:
            await self._socket.send(encode(request))
            reply = await self._socket.recv()
        except self._zmq.ZMQError as error:
            raise ConnectionLost(f"does not answer {endpoint} ({quoted(error)})") from None
        if reply == b"ERROR":  # what the oldest servers say
            raise ServerFault(f"answers ERROR to {endpoint}; its log says why")
        try:
            answer = decode(reply)
        except ValueError as error:
            raise ServerFault(f"answers {endpoint} with what is no message of GR00T's protocol ({error})") from None
        if isinstance(answer, Mapping) and "error" in answer:
            raise ServerFault(f"says to {endpoint}: {quoted(answer['error'])}")
        return answer

    def _check(self, keys: Mapping[str, Sequence[str]]) -> None:
        """Refuse a model that wants or gives other keys than those that are configured."""
        parameters = {
            "video": ("remote.image_keys", self._slots),
            "state": ("remote.state_keys", [part.key for part in self._layout.state]),
            "action": ("remote.action_keys", [part.key for part in self._layout.actions]),
            "language": ("remote.prompt_key", [self._layout.prompt]),
        }
        for modality, (parameter, ours) in parameters.items():
            theirs = [_plain(key, modality) for key in keys.get(modality, ())]
            if theirs and set(theirs) != {_plain(key, modality) for key in ours}:
                raise ServerFault(
                    f"holds another model: its {modality} keys are {', '.join(theirs)}, "
                    f"not {', '.join(ours) or 'none'}; correct {parameter}, or start it with the model meant"
                )

    def _observation(self, request: PolicyRequest) -> dict[str, Any]:
        arrays: dict[str, dict[str, Any]] = {
            "video": {
                _plain(slot, "video"): np.stack([self._layout.image(images[slot]) for images in self._video(request)])
                for slot in self._slots
            },
            "state": {
                _plain(key, "state"): values[None] for key, values in self._layout.state_parts(request.state).items()
            },
        }
        if self._batched:
            arrays = {part: {key: value[None] for key, value in found.items()} for part, found in arrays.items()}
        words = [request.instruction]
        if self._flat:
            flat = {f"{part}.{key}": value for part, found in arrays.items() for key, value in found.items()}
            return {**flat, self._layout.prompt: words}
        return {**arrays, "language": {self._layout.prompt: [words]}}

    def _video(self, request: PolicyRequest) -> list[Mapping[str, Image]]:
        """Return the images of each time step that the model sees; of those before the first ones, the first ones."""
        wanted = [request.stamp_ns + delta * self._step_ns for delta in self._deltas]
        return [min(self._seen, key=lambda seen: abs(seen[0] - stamp_ns))[1] for stamp_ns in wanted]

    def _unbatched(self, key: object, value: object) -> NDArray[Any]:
        if not isinstance(value, np.ndarray):
            raise ServerFault(f"answers {type(value).__name__} under {key!r} instead of an array")
        if self._batched and value.ndim and len(value) == 1:
            return np.asarray(value[0])
        return value


def _plain(key: str, modality: str) -> str:
    return key.removeprefix(f"{modality}.")


def _modality_keys(config: object) -> dict[str, list[str]]:
    """Return modality → keys of a model, from what get_modality_config answers; empty where it says nothing readable."""
    found: dict[str, list[str]] = {}
    for modality in _MODALITIES:
        keys = _modality(config, modality).get("modality_keys")
        if isinstance(keys, list) and all(isinstance(key, str) for key in keys):
            found[modality] = keys
    return found


def _video_deltas(config: object) -> tuple[int, ...]:
    """Return the time steps of a model's images, 0 for now, -15 for 15 steps ago.

    Raises:
        ServerFault: it wants images of the future, or too many.
    """
    deltas = _modality(config, "video").get("delta_indices")
    if not isinstance(deltas, list) or not deltas or not all(type(delta) is int for delta in deltas):
        return (0,)
    if max(deltas) > 0 or len(deltas) > MAX_IMAGES:
        raise ServerFault(f"wants images at the steps {deltas[:MAX_IMAGES]}; up to {MAX_IMAGES} up to now can be sent")
    return tuple(deltas)


def _modality(config: object, modality: str) -> Mapping[str, Any]:
    """Return what a configuration says of one modality; empty where it says nothing readable."""
    entry = config.get(modality) if isinstance(config, Mapping) else None
    if isinstance(entry, Mapping) and "as_json" in entry:
        entry = entry["as_json"]
    if isinstance(entry, str):  # N1.5 and N1.6 nest a JSON text
        with contextlib.suppress(ValueError):
            entry = json.loads(entry)
    return entry if isinstance(entry, Mapping) else {}
