"""`vla-ros bench transport`: the same observation and the same policy, which does nothing, over several transports."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import itertools
import multiprocessing
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import psutil

from vla_ros.bringup.process import private_domain
from vla_ros.lab import outputs
from vla_ros.lab.bench import lerobot, openpi, own_graph
from vla_ros.lab.bench.round_trips import COLUMNS, JOINTS, ROWS, SIDE, RoundTripResult, measure_round_trips
from vla_ros.lab.json_output import write_json
from vla_ros.parameters import ParameterError
from vla_ros.progress_line import ProgressLine

QUICK = 50
TIMEOUT_S = 60.0
TURNS = 3
"""Transports take turns, so that a busy minute of the machine affects all of them."""


@dataclass(frozen=True)
class Transport:
    """One row of the table.

    Args:
        client, servers: functions, as module:name.
        needs: module, and the name of the package on PyPI.
    """

    name: str
    client: str
    servers: tuple[str, ...]
    needs: tuple[str, str]


GRAPH = own_graph.__name__
SYSTEMS = (f"{GRAPH}:serve_system2", f"{GRAPH}:serve_system1")
TRANSPORTS = (
    Transport("this graph: frames → chunk", f"{GRAPH}:client", (f"{GRAPH}:serve_both",), own_graph.NEEDS),
    Transport("this graph: frames → plan → chunk", f"{GRAPH}:client", SYSTEMS, own_graph.NEEDS),
    Transport("openpi, websocket + msgpack", f"{openpi.__name__}:client", (f"{openpi.__name__}:serve",), openpi.NEEDS),
    Transport("LeRobot, gRPC + pickle", f"{lerobot.__name__}:client", (f"{lerobot.__name__}:serve",), lerobot.NEEDS),
)


def run(chosen: argparse.Namespace) -> int:
    """Measure each installed transport, print the table, and write the files that are asked for."""
    trips = QUICK if chosen.quick else chosen.trips
    if trips < TURNS:
        raise ParameterError(f"--trips {trips}: at least {TURNS}")
    page = outputs.page("bench_transport.md") if chosen.docs else None
    present = []
    for transport in TRANSPORTS:
        if not_installed(transport):
            print(
                f"{transport.name}: left out: {transport.needs[1]} is not installed (pip install {transport.needs[1]})"
            )
        else:
            present.append(transport)
    parts: dict[str, list[RoundTripResult]] = {transport.name: [] for transport in present}
    try:
        with ProgressLine("bench transport", TURNS * len(present)) as progress:
            for turn, transport in itertools.product(range(TURNS), present):
                parts[transport.name].append(measure_transport(transport, trips // TURNS, chosen.seed + turn))
                progress.advance()
    except RuntimeError as error:
        print(f"vla-ros: {error}", file=sys.stderr)
        return 2
    rows = [merge_turns(results).row() for results in parts.values()]
    text = table(rows)
    print(text)
    write_json(chosen.json, {"trips": trips, "rows": rows})
    if page is not None:
        page.write_text(document(text, trips, chosen.seed))
    return 0


def not_installed(transport: Transport) -> bool:
    """Whether the package that a transport needs is not installed."""
    try:
        return importlib.util.find_spec(transport.needs[0]) is None
    except ModuleNotFoundError:
        return True


def measure_transport(transport: Transport, trips: int, seed: int) -> RoundTripResult:
    """Measure one transport, with its client and its servers each in a fresh process.

    Raises:
        RuntimeError: it failed.
    """
    domain = {}
    if transport.client.startswith(GRAPH):
        domain = private_domain()
    spawn = multiprocessing.get_context("spawn")
    receiver, sender = spawn.Pipe()
    process = spawn.Process(target=_measure_in_process, args=(transport, trips, seed, domain, sender))
    process.start()
    sender.close()
    try:
        result = receiver.recv() if receiver.poll(TIMEOUT_S + trips) else RuntimeError("it takes too long")
    except EOFError:
        result = RuntimeError("its client died")
    process.join(5.0)
    if process.is_alive():
        process.kill()
    if not isinstance(result, RoundTripResult):
        raise RuntimeError(f"{transport.name}: {result}")
    return result


def _measure_in_process(transport: Transport, trips: int, seed: int, domain: dict[str, str], out: Connection) -> None:
    os.environ.update(domain)
    spawn = multiprocessing.get_context("spawn")
    servers = []
    try:
        address: Any = None
        for name in transport.servers:
            receiver, sender = spawn.Pipe()
            server = spawn.Process(target=_function(name), args=(sender,), daemon=True)
            server.start()
            servers.append(server)
            if not receiver.poll(TIMEOUT_S):
                raise RuntimeError(f"{name} did not start")
            address = receiver.recv()
        ask = _function(transport.client)(address)
        out.send(
            measure_round_trips(transport.name, ask, [server.pid for server in servers if server.pid], trips, seed)
        )
    except Exception as error:  # another process must report it
        out.send(RuntimeError(f"{type(error).__name__}: {error}"))
    finally:
        for server in servers:
            server.kill()
            server.join()
        out.close()
        os._exit(0)  # threads of gRPC and DDS clients would keep the process alive


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def merge_turns(results: list[RoundTripResult]) -> RoundTripResult:
    """Return the turns of one transport as one result."""
    times = [latency for result in results for latency in result.latencies_s]
    share = [len(result.latencies_s) / len(times) for result in results]
    client = sum(part * result.client_cpu_s for part, result in zip(share, results, strict=True))
    server = sum(part * result.server_cpu_s for part, result in zip(share, results, strict=True))
    return RoundTripResult(results[0].name, times, sum(result.elapsed_s for result in results), client, server)


def table(rows: list[dict[str, float | str]]) -> str:
    """Return the rows as a Markdown table."""
    lines = [
        "| transport | p50, ms | p99, ms | max, ms | round trips per s | CPU client, ms | CPU server, ms |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        numbers = [row[key] for key in ("p50_ms", "p99_ms", "max_ms", "per_s", "client_cpu_ms", "server_cpu_ms")]
        lines.append(f"| {row['transport']} | " + " | ".join(f"{number:.2f}" for number in numbers) + " |")
    return "\n".join(lines)


def document(text: str, trips: int, seed: int) -> str:
    """Return docs/bench_transport.md."""
    size = (2 * SIDE * SIDE * 3 + 8 * JOINTS) / 1024
    return f"""# What a round trip to the policy costs

Made by `vla-ros bench transport --trips {trips} --docs`; do not edit. It needs `pip install openpi-client grpcio`.

{psutil.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}; load average at the end
{os.getloadavg()[0]:.1f}. Each transport does {trips} round trips, one after the other, in {TURNS} turns. Client and servers
run in processes of their own, over loopback. Seed {seed}.

The observation is two {SIDE}×{SIDE} images of noise and {JOINTS} joints ({size:.0f} KiB). The answer is {ROWS}×{COLUMNS}
numbers. The policy does nothing. Every answer is checked against its observation. CPU is the time per round trip, of all
threads.

{text}

- *This graph*: the client sends `vla/frames` and `joint_states` and receives `vla/action_chunk`, in rclpy with the executor
  and the conversions of the nodes. In the second row System 2 and System 1 run in two processes, as in the graph, with
  `vla/latent_plan` between them. The timers of the real nodes are left out (a frame waits for its period, a chunk for its
  request); `vla-ros trace` measures them. The graph costs more than openpi: rclpy's executor wakes up for each message,
  and a set of frames is sent in pieces of 64 KiB that any number of subscribers can read. The nodes that keep a rate poll
  their subscriptions instead ([decisions](decisions.md)).
- *openpi*: the client is `openpi-client` from PyPI. The server is our own, written to the same protocol.
- *LeRobot*: client and server are our own, written to the service's definition. They use its pickled payloads and its two
  calls per round trip. Actions are numpy rows instead of torch tensors. LeRobot's server also skips observations that are
  too similar and sleeps for the rest of its frame period; these numbers contain neither.

openpi and LeRobot answer one client. Messages of the graph reach every subscriber (dashboard, recorder, trace).
"""
