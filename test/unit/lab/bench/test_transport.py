"""A transport that is not installed is left out by name; turns are joined; a failure is said in one line."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vla_ros.arrays import Array
from vla_ros.lab.bench import transport
from vla_ros.lab.bench.round_trips import RoundTripResult, TripObservation, no_op
from vla_ros.parameters import ParameterError

HERE = "test.unit.lab.bench.test_transport"


def serve(ready: Connection) -> None:
    """Do nothing until the process ends."""
    ready.send(7)
    ready.poll(None)


def client(address: Any) -> Callable[[TripObservation], Array]:
    """Answer in the client itself."""
    assert address == 7
    return lambda observation: no_op(observation.joints)


def wrong_client(_: Any) -> Callable[[TripObservation], Array]:
    """Answer each observation as if it were the first."""
    return lambda observation: no_op(np.zeros_like(observation.joints))


def test_client_and_servers_run_in_fresh_processes() -> None:
    loopback = transport.Transport("loopback", f"{HERE}:client", (f"{HERE}:serve",), ("json", "json"))
    result = transport.measure_transport(loopback, 20, 1)
    assert (result.name, len(result.latencies_s)) == ("loopback", 20)


def test_what_goes_wrong_in_the_client_is_said_with_the_transport() -> None:
    wrong = transport.Transport("wrong", f"{HERE}:wrong_client", (), ("json", "json"))
    with pytest.raises(RuntimeError, match="wrong: RuntimeError: wrong: round trip 1 came back with"):
        transport.measure_transport(wrong, 20, 1)


def test_too_few_round_trips_are_refused() -> None:
    with pytest.raises(ParameterError, match="--trips 2: at least 3"):
        transport.run(argparse.Namespace(quick=False, trips=2, seed=1, json="", docs=False))


def test_what_is_not_installed_is_left_out_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    absent = tuple(
        dataclasses.replace(each, needs=("no_such_module", "no-such-package")) for each in transport.TRANSPORTS
    )
    monkeypatch.setattr(transport, "TRANSPORTS", absent)
    file = tmp_path / "rows.json"
    chosen = argparse.Namespace(quick=True, trips=10, seed=1, json=str(file), docs=False)
    assert transport.run(chosen) == 0
    assert capsys.readouterr().out.count("left out: no-such-package is not installed") == len(absent)
    assert json.loads(file.read_text())["rows"] == []


def test_turns_are_joined_by_their_length() -> None:
    row = transport.merge_turns(
        [RoundTripResult("x", [1.0] * 3, 3.0, 0.1, 0.2), RoundTripResult("x", [2.0], 2.0, 0.5, 0.6)]
    ).row()
    assert (row["p50_ms"], row["max_ms"], row["per_s"]) == (1000.0, 2000.0, 0.8)
    assert row["client_cpu_ms"] == pytest.approx(200.0)
    assert "| x | 1000.00 |" in transport.table([row])
    assert "| x | 1000.00 |" in transport.document(transport.table([row]), 4, 1)
