"""Client of LeRobot's asynchronous inference server: gRPC, and a pickle each way.

At the start the robot names the checkpoint, which the server loads. Then it sends an observation and asks for its actions.
The pickles are made and read without LeRobot; what comes back is read through an allow-list (`restricted_unpickler`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vla_ros.parameters import ParameterError
from vla_ros.policies.remote import lerobot_wire as wire
from vla_ros.policies.remote.lerobot_pickle import remote_policy_config, timed_observation
from vla_ros.policies.remote.observation_layout import ObservationLayout
from vla_ros.policies.remote.policy_client import ConnectionLost, PolicyAnswer, PolicyRequest, ServerFault, quoted
from vla_ros.policies.remote.restricted_unpickler import timed_actions

IMAGES = "observation.images."


class LerobotClient:
    """See `policy_client.PolicyClient`.

    Args:
        url: grpc://host:port, or grpcs:// with TLS.
        layout: of the images; its keys are LeRobot's own.
        slots: names of the images, with or without "observation.images.".
        state_names: of the values of the state; (): none is sent.
        policy_type, checkpoint, device: what the server is to load, from where, onto what.
        chunk_size: rows that it is to answer.

    Raises:
        ParameterError: grpcio is not installed.
    """

    def __init__(
        self,
        url: str,
        layout: ObservationLayout,
        slots: Sequence[str],
        state_names: Sequence[str],
        policy_type: str,
        checkpoint: str,
        device: str,
        chunk_size: int,
    ) -> None:
        try:
            import grpc
        except ImportError:
            raise ParameterError(
                "remote.protocol: lerobot needs grpcio, which is not installed: pip install grpcio"
            ) from None
        self._grpc = grpc
        scheme, _, self._target = url.partition("://")
        self._secure = scheme == "grpcs"
        self._layout, self._slots = layout, tuple(slots)
        self._names = tuple(f"{name}.pos" for name in state_names)
        self._wanted = (policy_type, checkpoint, device, chunk_size)
        self._channel: Any = None
        self._call: dict[str, Any] = {}
        self._timestep = 0
        self._told: tuple[tuple[int, ...], ...] | None = None  # the shapes of images that the server was told

    async def connect(self) -> Mapping[str, Any]:
        """Connect. What is to be loaded is said with the first request: only then are the images' sizes known."""
        aio = self._grpc.aio
        options = [
            ("grpc.max_receive_message_length", wire.MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", wire.MAX_MESSAGE_BYTES),
            ("grpc.enable_http_proxy", 0),
        ]
        if self._secure:
            credentials = self._grpc.ssl_channel_credentials()
            self._channel = aio.secure_channel(self._target, credentials, options=options)
        else:
            self._channel = aio.insecure_channel(self._target, options=options)
        for name in ("Ready", "SendPolicyInstructions", "GetActions"):
            self._call[name] = self._channel.unary_unary(f"/{wire.SERVICE}/{name}", _unchanged, _unchanged)
        self._call["SendObservations"] = self._channel.stream_unary(
            f"/{wire.SERVICE}/SendObservations", _unchanged, _unchanged
        )
        await self._ask("Ready", b"")
        self._told = None
        return {}

    async def load(self, request: PolicyRequest) -> None:
        """Let the server load the checkpoint, unless it has for images like these; this may take minutes."""
        shapes = tuple(self._layout.image(image).shape for image in request.images.values())
        if shapes != self._told:
            policy_type, checkpoint, device, chunk_size = self._wanted
            config = remote_policy_config(policy_type, checkpoint, self._features(shapes), chunk_size, device)
            await self._ask("SendPolicyInstructions", wire.data_message(config))
            self._told = shapes

    async def infer(self, request: PolicyRequest) -> PolicyAnswer:
        """Return the answer to one request."""
        self._timestep += 1
        observation: dict[str, Any] = {
            slot.removeprefix(IMAGES): self._layout.image(request.images[slot]) for slot in self._slots
        }
        if request.state is not None:
            observation |= dict(zip(self._names, map(float, request.state), strict=True))
        observation["task"] = request.instruction
        data = timed_observation(time.time(), self._timestep, observation)
        await self._ask("SendObservations", wire.pieces(data))
        try:
            answer = wire.data_field(await self._ask("GetActions", b""))
            rows = timed_actions(answer) if answer else []
        except ValueError as error:
            raise ServerFault(f"sends {error}") from None
        if not rows:
            raise ServerFault("answers no actions; its log says why")
        if rows[0].timestep != self._timestep:
            raise ServerFault(f"answers observation {rows[0].timestep} instead of {self._timestep}")
        if len({len(row.action) for row in rows}) > 1:
            raise ServerFault("sends rows of different widths")
        return PolicyAnswer(np.stack([row.action for row in rows]))

    async def wait_lost(self) -> None:
        """Never: a request tells."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """End the connection."""
        channel, self._channel = self._channel, None
        if channel is not None:
            await channel.close(None)

    def _features(self, shapes: Sequence[tuple[int, ...]]) -> dict[str, Any]:
        """Return the observation's features as a LeRobotDataset declares them."""
        features: dict[str, Any] = {
            IMAGES + slot.removeprefix(IMAGES): {
                "dtype": "image",
                "shape": shape,
                "names": ["height", "width", "channels"],
            }
            for slot, shape in zip(self._slots, shapes, strict=True)
        }
        if self._names:
            names = list(self._names)
            features["observation.state"] = {"dtype": "float32", "shape": (len(names),), "names": names}
        return features

    async def _ask(self, name: str, message: Any) -> bytes:
        try:
            return bytes(await self._call[name](message))
        except self._grpc.aio.AioRpcError as error:
            raise self._fault(name, error) from None

    def _fault(self, name: str, error: Any) -> ServerFault:
        codes, code, details = self._grpc.StatusCode, error.code(), quoted(error.details() or "")
        if code is codes.UNAVAILABLE:
            return ConnectionLost(f"is not there or speaks no gRPC ({details}); start it, or correct remote.url")
        if code is codes.UNIMPLEMENTED:
            return ConnectionLost("is a gRPC server of another service; correct remote.url")
        if code is codes.RESOURCE_EXHAUSTED:
            return ServerFault(f"sends or is sent more than {wire.MAX_MESSAGE_BYTES // 2**20} MiB ({details})")
        if name == "SendPolicyInstructions":
            return ConnectionLost(f"cannot load {self._wanted[0]} {self._wanted[1]!r}: {details or code.name}")
        return ServerFault(f"{name} fails: {details or code.name}")


def _unchanged(message: bytes) -> bytes:
    return message
