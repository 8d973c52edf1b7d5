"""Every transport brings back the answer to its own observation; what is not installed is left out by name."""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vla_ros.lab.bench import lerobot, openpi, transport
from vla_ros.lab.bench.round_trips import CAMERAS, COLUMNS, JOINTS, ROWS, Result, measure, no_op, observations


def test_the_policy_shows_what_it_answers() -> None:
    chunk = no_op(np.arange(7.0))
    assert chunk.shape == (ROWS, COLUMNS)
    assert chunk[-1].tolist() == [0, 1, 2, 3, 4, 5, 6, 0]
    assert set(observations(3, 1)(2).images) == set(CAMERAS)
    assert observations(3, 1)(2).joints.tolist() == [2.0] * JOINTS


def test_an_answer_to_another_observation_is_an_error() -> None:
    assert measure("echo", lambda observation: no_op(observation.joints), [], 20, 1).latencies_s
    with pytest.raises(RuntimeError, match="stuck: round trip 1 came back with"):
        measure("stuck", lambda observation: no_op(np.zeros(7)), [], 20, 1)


@pytest.mark.parametrize("peer", [openpi, lerobot], ids=["openpi", "lerobot"])
def test_a_peers_protocol_carries_the_observation_and_the_chunk(peer: object) -> None:
    pytest.importorskip(peer.NEEDS[0])  # type: ignore[attr-defined]
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    server = spawn.Process(target=peer.serve, args=(there,), daemon=True)  # type: ignore[attr-defined]
    server.start()
    try:
        assert here.poll(60.0)
        ask = peer.client(here.recv())  # type: ignore[attr-defined]
        nth = observations(4, 1)
        for i in range(4):
            assert ask(nth(i)).tolist() == no_op(np.full(JOINTS, float(i))).tolist()
    finally:
        server.kill()
        server.join()


@settings(deadline=None)
@given(st.binary(max_size=300), st.sampled_from([lerobot.BEGIN, lerobot.MIDDLE, lerobot.END]))
def test_messages_are_those_of_protocol_buffers(data: bytes, state: int) -> None:
    assert lerobot.observation_fields(lerobot.observation_message(data, state)) == (state, data)
    assert lerobot._bytes_at(lerobot.actions_message(data), 0) == data


def test_messages_as_the_reference_encoder_writes_them() -> None:
    # observation { transfer_state: TRANSFER_END, data: 300 times "a" }; actions { data: "ab" }
    assert lerobot.observation_message(b"a" * 300, lerobot.END) == b"\x08\x03\x12\xac\x02" + b"a" * 300
    assert lerobot.actions_message(b"ab") == b"\x0a\x02ab"


def test_a_large_observation_travels_in_pieces() -> None:
    data = bytes(2 * lerobot.PIECE + 5)
    fields = [lerobot.observation_fields(piece) for piece in lerobot._pieces(data)]
    assert [state for state, _ in fields] == [lerobot.BEGIN, lerobot.MIDDLE, lerobot.END]
    assert b"".join(piece for _, piece in fields) == data


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
    row = transport.joined([Result("x", [1.0] * 3, 3.0, 0.1, 0.2), Result("x", [2.0], 2.0, 0.5, 0.6)]).row()
    assert (row["p50_ms"], row["max_ms"], row["per_s"]) == (1000.0, 2000.0, 0.8)
    assert row["client_cpu_ms"] == pytest.approx(200.0)
    assert "| x | 1000.00 |" in transport.table([row])
    assert "| x | 1000.00 |" in transport.document(transport.table([row]), 4, 1)
