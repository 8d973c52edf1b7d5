"""`vla-ros bench transport`: the same observation and the same policy that does nothing, over several transports."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import multiprocessing
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from vla_ros.bringup.process import private_domain
from vla_ros.lab import outputs
from vla_ros.lab.bench import lerobot, openpi
from vla_ros.lab.bench.round_trips import COLUMNS, JOINTS, ROWS, SIDE, Result, measure
from vla_ros.parameters import ParameterError

QUICK = 50
PATIENCE_S = 60.0
TURNS = 3
"""Transports take turns, so that a busy minute of the machine falls on all of them."""


@dataclass(frozen=True)
class Transport:
    """client, servers: functions, as module:name. needs: module and the name of the package on PyPI."""

    name: str
    client: str
    servers: tuple[str, ...]
    needs: tuple[str, str]


GRAPH, ROS = "vla_ros.lab.bench.round_trip_node", ("vla_ros.msg", "ROS 2")
TRANSPORTS = (
    Transport("this graph: frames → chunk", f"{GRAPH}:client", (f"{GRAPH}:whole",), ROS),
    Transport("this graph: frames → plan → chunk", f"{GRAPH}:client", (f"{GRAPH}:planner", f"{GRAPH}:expert"), ROS),
    Transport("openpi, websocket + msgpack", f"{openpi.__name__}:client", (f"{openpi.__name__}:serve",), openpi.NEEDS),
    Transport("LeRobot, gRPC + pickle", f"{lerobot.__name__}:client", (f"{lerobot.__name__}:serve",), lerobot.NEEDS),
)


def run(chosen: argparse.Namespace) -> int:
    """Measure each transport that can be, print, and write what is asked for."""
    trips = QUICK if chosen.quick else chosen.trips
    if trips < TURNS:
        raise ParameterError(f"--trips {trips}: at least {TURNS}")
    page = outputs.page("bench_transport.md") if chosen.docs else None
    present = []
    for transport in TRANSPORTS:
        if missing(transport):
            print(
                f"{transport.name}: left out: {transport.needs[1]} is not installed (pip install {transport.needs[1]})"
            )
        else:
            present.append(transport)
    parts: dict[str, list[Result]] = {transport.name: [] for transport in present}
    try:
        for turn in range(TURNS):
            for transport in present:
                parts[transport.name].append(timed(transport, trips // TURNS, chosen.seed + turn))
    except RuntimeError as error:
        print(f"vla-ros: {error}", file=sys.stderr)
        return 2
    rows = [joined(results).row() for results in parts.values()]
    text = table(rows)
    print(text)
    if chosen.json:
        Path(chosen.json).write_text(json.dumps({"trips": trips, "rows": rows}, indent=2) + "\n")
    if page is not None:
        page.write_text(document(text, trips, chosen.seed))
    return 0


def missing(transport: Transport) -> bool:
    """Whether what it needs is not installed."""
    try:
        return importlib.util.find_spec(transport.needs[0]) is None
    except ModuleNotFoundError:
        return True


def timed(transport: Transport, trips: int, seed: int) -> Result:
    """Measure one transport, with its client and its servers each in a fresh process.

    Raises:
        RuntimeError: it failed.
    """
    domain = {}
    if transport.client.startswith(GRAPH):
        domain = private_domain()
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_measured, args=(transport, trips, seed, domain, there))
    process.start()
    there.close()
    try:
        result = here.recv() if here.poll(PATIENCE_S + trips) else RuntimeError("it takes too long")
    except EOFError:
        result = RuntimeError("its client died")
    process.join(5.0)
    if process.is_alive():
        process.kill()
    if not isinstance(result, Result):
        raise RuntimeError(f"{transport.name}: {result}")
    return result


def _measured(transport: Transport, trips: int, seed: int, domain: dict[str, str], out: Connection) -> None:
    os.environ.update(domain)
    spawn = multiprocessing.get_context("spawn")
    servers = []
    try:
        address: Any = None
        for name in transport.servers:
            here, there = spawn.Pipe()
            server = spawn.Process(target=_function(name), args=(there,), daemon=True)
            server.start()
            servers.append(server)
            if not here.poll(PATIENCE_S):
                raise RuntimeError(f"{name} did not start")
            address = here.recv()
        ask = _function(transport.client)(address)
        out.send(measure(transport.name, ask, [server.pid for server in servers if server.pid], trips, seed))
    except Exception as error:  # it is another process: what went wrong must be carried over
        out.send(RuntimeError(f"{type(error).__name__}: {error}"))
    finally:
        for server in servers:
            server.kill()
            server.join()
        out.close()
        os._exit(0)  # clients of gRPC and DDS have threads of their own, which must not keep the process


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def joined(results: list[Result]) -> Result:
    """The turns of one transport as one."""
    times = [latency for result in results for latency in result.latencies_s]
    share = [len(result.latencies_s) / len(times) for result in results]
    client = sum(part * result.client_cpu_s for part, result in zip(share, results, strict=True))
    server = sum(part * result.server_cpu_s for part, result in zip(share, results, strict=True))
    return Result(results[0].name, times, sum(result.elapsed_s for result in results), client, server)


def table(rows: list[dict[str, float | str]]) -> str:
    """Rows as Markdown."""
    lines = [
        "| transport | p50, ms | p99, ms | max, ms | round trips per s | CPU client, ms | CPU server, ms |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        numbers = [row[key] for key in ("p50_ms", "p99_ms", "max_ms", "per_s", "client_cpu_ms", "server_cpu_ms")]
        lines.append(f"| {row['transport']} | " + " | ".join(f"{number:.2f}" for number in numbers) + " |")
    return "\n".join(lines)


def document(text: str, trips: int, seed: int) -> str:
    """docs/bench_transport.md."""
    size = (2 * SIDE * SIDE * 3 + 8 * JOINTS) / 1024
    return f"""# What the way costs

Made by `vla-ros bench transport --trips {trips} --docs`; do not edit. It needs `pip install openpi-client grpcio`.

{psutil.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}; load average at the end
{os.getloadavg()[0]:.1f}. {trips} round trips each, one after the other, in {TURNS} turns; client and servers in processes
of their own, over loopback; seed {seed}.

The observation is two {SIDE}×{SIDE} images of noise and {JOINTS} joints ({size:.0f} KiB), the answer {ROWS}×{COLUMNS}
numbers, the policy does nothing. Every answer is checked against its observation. CPU is that of a round trip, all
threads.

{text}

- *This graph*: `vla/frames` and `joint_states` out, `vla/action_chunk` back, in rclpy with the executor and the
  conversions of the nodes. The second row has System 2 and System 1 in two processes, with `vla/latent_plan` between
  them, as the graph runs them. The pacing of the real nodes is not in it (a frame waits for its period, a chunk for its
  request): `vla-ros trace` measures that. It costs more than openpi's way: rclpy's executor wakes up for each message, and
  a set of frames goes out in pieces of 64 KiB that any number may read. The nodes that keep a rate poll instead
  ([decisions](decisions.md)).
- *openpi*: `openpi-client` from PyPI; the server is our own, written to that protocol.
- *LeRobot*: client and server are our own, written to the service's definition, with its pickled payloads and its two
  calls per round trip; actions are numpy rows instead of torch tensors. Its server skips observations that are too
  similar and sleeps out its frame period; neither is in these numbers.

openpi and LeRobot answer one client; messages of the graph reach everybody who subscribes (dashboard, recorder, trace).
"""
