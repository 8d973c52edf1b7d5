"""Round trips, the same for every transport: one observation to the policy, one chunk of actions back."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import psutil

from vla_ros.arrays import Array, Image
from vla_ros.time import percentile

SIDE = 224
CAMERAS = ("front", "wrist")
JOINTS = 7
ROWS, COLUMNS = 16, 8
TASK = "put the red cube in the bowl"


@dataclass(frozen=True)
class TripObservation:
    """What the client sends.

    Args:
        images: camera → (224, 224, 3) uint8 rgb.
        joints: (7,) rad.
    """

    images: dict[str, Image]
    joints: Array


@dataclass(frozen=True)
class RoundTripResult:
    """Times of one transport.

    Args:
        latencies_s: of each round trip.
        elapsed_s: of all round trips.
        client_cpu_s, server_cpu_s: per round trip, all threads; all servers together.
    """

    name: str
    latencies_s: Sequence[float]
    elapsed_s: float
    client_cpu_s: float
    server_cpu_s: float

    def row(self) -> dict[str, float | str]:
        """Return one row of the table; times in ms, the rate per s."""
        times = self.latencies_s
        return {
            "transport": self.name,
            "p50_ms": 1e3 * percentile(times, 0.5),
            "p99_ms": 1e3 * percentile(times, 0.99),
            "max_ms": 1e3 * max(times),
            "per_s": len(times) / self.elapsed_s,
            "client_cpu_ms": 1e3 * self.client_cpu_s,
            "server_cpu_ms": 1e3 * self.server_cpu_s,
        }


def no_op(joints: Array) -> Array:
    """Return a chunk (16, 8) whose rows are the measured joints, so that an answer shows which observation it belongs to."""
    chunk = np.zeros((ROWS, COLUMNS))
    chunk[:, :JOINTS] = joints
    return chunk


def observations(count: int, seed: int) -> Callable[[int], TripObservation]:
    """Return a function i → observation. The images are noise, which does not compress, from a small stock."""
    rng = np.random.default_rng(seed)
    stock = [rng.integers(0, 256, (len(CAMERAS), SIDE, SIDE, 3), np.uint8) for _ in range(min(8, count))]

    def nth(i: int) -> TripObservation:
        images = stock[i % len(stock)]
        return TripObservation(dict(zip(CAMERAS, images, strict=True)), np.full(JOINTS, float(i)))

    return nth


def measure_round_trips(
    name: str, ask: Callable[[TripObservation], Array], servers: Sequence[int], trips: int, seed: int
) -> RoundTripResult:
    """Do `trips` round trips one after the other, after a tenth as many to warm up.

    Args:
        ask: one round trip.
        servers: process ids of the servers.

    Raises:
        RuntimeError: an answer does not belong to its observation.
    """
    nth = observations(trips, seed)
    others = [psutil.Process(pid) for pid in servers]
    for i in range(max(10, trips // 10)):
        ask(nth(i))
    gc.collect()
    latencies_s = []
    before_s, server_before_s, began_s = time.process_time(), _cpu(others), time.perf_counter()
    for i in range(trips):
        observation = nth(i)
        start_s = time.perf_counter()
        chunk = ask(observation)
        latencies_s.append(time.perf_counter() - start_s)
        if chunk.shape != (ROWS, COLUMNS) or chunk[-1, 0] != i:
            raise RuntimeError(f"{name}: round trip {i} came back with {chunk.shape}, {chunk[-1, 0]}")
    elapsed_s = time.perf_counter() - began_s
    client_s, server_s = time.process_time() - before_s, _cpu(others) - server_before_s
    return RoundTripResult(name, latencies_s, elapsed_s, client_s / trips, server_s / trips)


def _cpu(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)
