"""LeRobot's asynchronous inference service over gRPC: `transport.AsyncInference`, with its pickled payloads.

The messages are those of `vla_ros.policies.remote.lerobot_wire`. The data of an observation are a pickle with its time and
step, the answer is a pickled list of one timed action per row. Actions are numpy rows here and torch tensors there.
"""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import Queue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.lab.bench.round_trips import TASK, TripObservation, no_op
from vla_ros.policies.remote import lerobot_wire as wire

NEEDS = ("grpc", "grpcio")
DT_S = 1 / 30


@dataclass
class TimedObservation:
    """What the robot sends.

    Args:
        observation: name → array or number.
        must_go: the server must not skip it as too similar to the one before.
    """

    timestamp: float
    timestep: int
    observation: dict[str, Any]
    must_go: bool = True


@dataclass
class TimedAction:
    """One row of the answer."""

    timestamp: float
    timestep: int
    action: NDArray[np.float32]


def _unchanged(message: bytes) -> bytes:
    return message


def serve(ready: Connection) -> None:
    """Serve until the process is ended; sends the port through `ready`."""
    import grpc

    waiting: Queue[TimedObservation] = Queue(maxsize=1)

    def send_observations(pieces: Iterator[bytes], _: Any) -> bytes:
        data = bytearray()
        for message in pieces:
            state, piece = wire.observation_fields(message)
            data += piece
            if state == wire.TRANSFER_END:
                if waiting.full():
                    waiting.get_nowait()
                waiting.put(pickle.loads(data))
                data.clear()
        return b""

    def get_actions(_: bytes, __: Any) -> bytes:
        asked = waiting.get(timeout=2.0)
        joints = np.array([asked.observation[f"joint{i + 1}.pos"] for i in range(7)])
        rows = enumerate(no_op(joints).astype(np.float32))
        return wire.data_message(
            pickle.dumps([TimedAction(asked.timestamp + i * DT_S, asked.timestep + i, row) for i, row in rows])
        )

    handlers = {
        "SendObservations": grpc.stream_unary_rpc_method_handler(send_observations, _unchanged, _unchanged),
        "GetActions": grpc.unary_unary_rpc_method_handler(get_actions, _unchanged, _unchanged),
        "Ready": grpc.unary_unary_rpc_method_handler(lambda *_: b"", _unchanged, _unchanged),
        "SendPolicyInstructions": grpc.unary_unary_rpc_method_handler(lambda *_: b"", _unchanged, _unchanged),
    }
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=_options())
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(wire.SERVICE, handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    ready.send(port)
    threading.Event().wait()


def client(port: int) -> Callable[[TripObservation], Array]:
    """Return one round trip: the observation, then the question for its actions."""
    import grpc

    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=_options())
    send = channel.stream_unary(f"/{wire.SERVICE}/SendObservations", _unchanged, _unchanged)
    get = channel.unary_unary(f"/{wire.SERVICE}/GetActions", _unchanged, _unchanged)
    channel.unary_unary(f"/{wire.SERVICE}/Ready", _unchanged, _unchanged)(b"", timeout=10.0)
    step = 0

    def ask(observation: TripObservation) -> Array:
        nonlocal step
        step += 1
        joints = {f"joint{i + 1}.pos": float(q) for i, q in enumerate(observation.joints)}
        asked = TimedObservation(time.time(), step, {**observation.images, **joints, "task": TASK})
        send(wire.pieces(pickle.dumps(asked)))
        actions = pickle.loads(wire.data_field(get(b"", timeout=5.0)))
        return np.array([action.action for action in actions], np.float64)

    return ask


def _options() -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", wire.MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", wire.MAX_MESSAGE_BYTES),
    ]
