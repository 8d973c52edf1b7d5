"""openpi's websocket protocol: its own client (`openpi-client`), and a server that speaks to it.

The server sends its metadata first; then each binary message is an observation, a msgpack map with arrays, and each
answer a map with "actions" and "server_timing". A text message would be an error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from vla_ros.arrays import Array
from vla_ros.lab.bench.round_trips import TASK, TripObservation, no_op

NEEDS = ("openpi_client", "openpi-client")


def serve(ready: Connection) -> None:
    """Serve until the process is ended; sends the port through `ready`."""
    asyncio.run(_serve(ready))


async def _serve(ready: Connection) -> None:
    from openpi_client import msgpack_numpy
    from websockets.asyncio.server import serve as listen

    packer = msgpack_numpy.Packer()

    async def handle(connection: Any) -> None:
        await connection.send(packer.pack({}))
        async for message in connection:
            began_s = time.monotonic()
            observation = msgpack_numpy.unpackb(message)
            actions = no_op(observation["observation/state"])
            timing = {"infer_ms": 1e3 * (time.monotonic() - began_s)}
            await connection.send(packer.pack({"actions": actions, "server_timing": timing}))

    async with listen(handle, "127.0.0.1", 0, compression=None, max_size=None) as server:
        ready.send(next(iter(server.sockets)).getsockname()[1])
        await server.serve_forever()


def client(port: int) -> Callable[[TripObservation], Array]:
    """Return one round trip."""
    from openpi_client.websocket_client_policy import WebsocketClientPolicy

    policy = WebsocketClientPolicy("127.0.0.1", port)

    def ask(observation: TripObservation) -> Array:
        answer = policy.infer(
            {
                "observation/image": observation.images["front"],
                "observation/wrist_image": observation.images["wrist"],
                "observation/state": observation.joints,
                "prompt": TASK,
            }
        )
        return np.asarray(answer["actions"])

    return ask
